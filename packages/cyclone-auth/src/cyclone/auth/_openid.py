"""OpenID 2.0 logins."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast, overload
from urllib.parse import urljoin
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred

from cyclone.httputil import url_concat

from ._base import AuthMixin
from ._errors import AuthError
from ._http import JSON, send
from ._openid2 import NONCE_SECONDS, Assertion, confirm, request_arguments
from ._pending import keep, spend
from ._replay import OnceOnly
from ._results import Callback, deliver, run, sort_arguments
from ._transaction import begin

if TYPE_CHECKING:
    from cyclone.httpclient import AsyncHTTPClient
    from cyclone.web import Application

_User = dict[str, JSON]
_nonces: WeakKeyDictionary[Application, OnceOnly] = WeakKeyDictionary()
_STATE = "cyclone_state"
DEFAULT_ATTRIBUTES = ("name", "email", "language", "username")


class OpenIdMixin(AuthMixin):
    """Log users in with one OpenID 2.0 provider and Attribute Exchange.

    ``_OPENID_ENDPOINT`` is the provider's address, and what it says is believed: the class is for
    a provider you trust for all the identifiers it may assert. Everything is verified by asking the
    provider (``check_authentication``), and only signed values are believed.

    Where the application has a ``cookie_secret``, the address that the browser comes back to gets
    a parameter with a random value, which a signed cookie remembers: an answer is good for the
    browser that asked for it, and another site cannot use here what it got of the same provider.
    Without that setting, set ``redirect_base_uri`` at least.

    .. deprecated:: 2.0
       Few providers speak the protocol any more; :class:`OpenIDConnectMixin` is its successor.
    """

    _OPENID_ENDPOINT: str

    def authenticate_redirect(
        self, callback_uri: str | None = None, ax_attrs: Iterable[str] = DEFAULT_ATTRIBUTES
    ) -> None:
        """Redirect the browser to the provider, and finish.

        :param callback_uri: where the browser comes back to; this request's address without it.
        :param ax_attrs: what to ask for about the user.
        """
        _deprecated()
        self._handler.redirect(
            url_concat(self._OPENID_ENDPOINT, self._openid_args(callback_uri, ax_attrs))
        )

    def _openid_args(
        self,
        callback_uri: str | None,
        ax_attrs: Iterable[str] = (),
        oauth_scope: str | None = None,
    ) -> dict[str, str]:
        here = self._public_url()
        return_to = urljoin(here, callback_uri) if callback_uri else here
        if self._handler.settings.get("cookie_secret"):
            transaction = begin(self._OPENID_ENDPOINT, self._origin(), pkce=False)
            keep(self._handler, transaction, posted=True)
            return_to = url_concat(return_to, {_STATE: transaction.state})
        consumer = self._handler.request.host.split(":")[0] if oauth_scope else None
        return request_arguments(return_to, ax_attrs, consumer, oauth_scope)

    def _origin(self) -> str:
        return urljoin(self._public_url(), "/")

    @overload
    def get_authenticated_user(
        self, http_client: AsyncHTTPClient | None = None
    ) -> Deferred[_User]: ...

    @overload
    def get_authenticated_user(
        self, callback: Callback[_User], http_client: AsyncHTTPClient | None = None
    ) -> Deferred[_User | None]: ...

    def get_authenticated_user(
        self, *positional: object, callback: object = None, http_client: object = None
    ) -> Deferred[_User] | Deferred[_User | None]:
        """Verify what came back; call it when the argument ``openid.mode`` is there.

        The result is the user: ``claimed_id`` and, as far as the provider tells, ``email``,
        ``name``, ``first_name``, ``last_name``, ``username`` and ``locale``.

        :raises AuthError: when the user is not logged in or the answer does not verify.
        """
        _deprecated()
        given = {"callback": callback, "http_client": http_client}
        called, (client,) = sort_arguments(positional, ("http_client",), given)
        user = self._openid_user(cast("AsyncHTTPClient | None", client))
        return deliver(self._handler, run(user), called)

    async def _openid_user(self, http_client: AsyncHTTPClient | None = None) -> _User:
        return dict((await self._verified(http_client)).user())

    async def _verified(self, http_client: AsyncHTTPClient | None) -> Assertion:
        handler = self._handler
        assertion = Assertion(handler.request.arguments)
        nonce = assertion.check(self._OPENID_ENDPOINT, self._public_url())
        if handler.settings.get("cookie_secret"):
            spend(handler, assertion.returned(_STATE), self._OPENID_ENDPOINT, self._origin())
        client = http_client or self.get_auth_http_client()
        response = await send(client, self._OPENID_ENDPOINT, form=assertion.verification())
        confirm(response.body)
        # Only a verified nonce is remembered: others could fill the memory with theirs.
        if nonce is not None and not _once_only(handler.application).spend(nonce):
            raise AuthError("the OpenID answer was used before")
        return assertion


def _once_only(application: Application) -> OnceOnly:
    if application not in _nonces:
        _nonces[application] = OnceOnly(2 * NONCE_SECONDS)
    return _nonces[application]


def _deprecated() -> None:
    warnings.warn(
        "OpenID 2.0 is not widely supported any more: use OpenIDConnectMixin",
        DeprecationWarning,
        stacklevel=3,
    )
