"""OAuth 1.0 and 1.0a (RFC 5849): three-legged logins."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast, overload
from urllib.parse import urljoin

from twisted.internet.defer import Deferred

from cyclone.escape import utf8
from cyclone.httputil import url_concat

from ._base import AuthMixin
from ._errors import AuthError, ProviderError
from ._http import JSON, MAX_TOKEN, parse_json, send
from ._oauth1_signing import Token, parse_token, protocol_parameters, signature
from ._results import Callback, deliver, run, sort_arguments, waiting

if TYPE_CHECKING:
    from cyclone.httpclient import AsyncHTTPClient

_COOKIE = "_oauth_request_token"
_User = dict[str, JSON]


class OAuthMixin(AuthMixin):
    """Log users in with OAuth 1.0a; base of :class:`TwitterMixin`.

    Subclasses define ``_oauth_consumer_token()``, which returns ``{"key": ..., "secret": ...}``,
    and ``_oauth_get_user_future(access_token)``, which returns (awaitably) the user; Cyclone's
    ``_oauth_get_user(access_token, callback)`` will do as well.

    Class attributes:

    * ``_OAUTH_REQUEST_TOKEN_URL``, ``_OAUTH_AUTHORIZE_URL``, ``_OAUTH_ACCESS_TOKEN_URL``.
    * ``_OAUTH_VERSION``: ``"1.0a"``, or ``"1.0"`` for a provider without callbacks in the protocol.
    * ``_OAUTH_NO_CALLBACKS``: True where callbacks have to be registered in advance.
    """

    _OAUTH_REQUEST_TOKEN_URL: str
    _OAUTH_AUTHORIZE_URL: str
    _OAUTH_ACCESS_TOKEN_URL: str
    _OAUTH_VERSION: str = "1.0a"
    _OAUTH_NO_CALLBACKS: bool = False

    def authorize_redirect(
        self,
        callback_uri: str | None = None,
        extra_params: Mapping[str, str] | None = None,
        http_client: AsyncHTTPClient | None = None,
    ) -> Deferred[None]:
        """Get a request token, redirect the browser to the provider with it, and finish.

        Wait for the result. *callback_uri* may be relative; ``"oob"`` writes the address instead of
        redirecting.

        :raises AuthError: when the provider gives no request token.
        """
        return run(
            self._authorize(self._OAUTH_AUTHORIZE_URL, callback_uri, extra_params, http_client)
        )

    async def _authorize(
        self,
        authorize_url: str,
        callback_uri: str | None,
        extra_params: Mapping[str, str] | None = None,
        http_client: AsyncHTTPClient | None = None,
    ) -> None:
        if callback_uri and self._OAUTH_NO_CALLBACKS:
            raise ValueError("this service takes no callback_uri: it has to be registered there")
        client = http_client or self.get_auth_http_client()
        if self._OAUTH_VERSION == "1.0a":
            url = self._oauth_request_token_url(callback_uri, extra_params)
        else:
            url = self._oauth_request_token_url()
        try:
            response = await send(client, url)
        except ProviderError as error:
            if error.code == 500:
                error.status_code = 500  # programs of Tornado's expect the provider's own one
            raise
        self._on_request_token(authorize_url, callback_uri, parse_token(response.body))

    def _on_request_token(
        self, authorize_url: str, callback_uri: str | None, token: Mapping[str, str]
    ) -> None:
        """Send the browser to *authorize_url*, with the request token in a cookie of its own."""
        handler = self._handler
        parts = (token["key"], token["secret"])
        handler.set_cookie(
            _COOKIE,
            b"|".join(base64.b64encode(utf8(part)) for part in parts),
            httponly=True,
            samesite="Lax",
            secure=self._public_url().startswith("https:"),
        )
        handler.set_header("Cache-Control", "no-store")
        arguments = {"oauth_token": token["key"]}
        if callback_uri == "oob":
            handler.finish(url_concat(authorize_url, arguments))
            return
        if callback_uri and self._OAUTH_VERSION != "1.0a":
            arguments["oauth_callback"] = self._callback(callback_uri)
        handler.redirect(url_concat(authorize_url, arguments))

    def _callback(self, callback_uri: str) -> str:
        return callback_uri if callback_uri == "oob" else urljoin(self._public_url(), callback_uri)

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
        """Exchange the request token that came back; the result is the user.

        It is what the subclass finds out, and ``access_token`` (``key``, ``secret`` and more).

        :raises AuthError: when the token is not the one this browser was sent away with, the user
            refused, or the provider does.
        """
        given = {"callback": callback, "http_client": http_client}
        called, (client,) = sort_arguments(positional, ("http_client",), given)
        user = self._oauth_user(cast("AsyncHTTPClient | None", client))
        return deliver(self._handler, run(user), called)

    async def _oauth_user(self, http_client: AsyncHTTPClient | None) -> _User:
        token = self._take_request_token()
        client = http_client or self.get_auth_http_client()
        response = await send(client, self._oauth_access_token_url(token))
        return await self._user_of(parse_token(response.body))

    def _take_request_token(self) -> dict[str, str | bytes]:
        """The request token of the cookie, which is cleared, if it is the one that came back."""
        handler = self._handler
        came = handler.get_argument("oauth_token", None)
        cookie = handler.get_cookie(_COOKIE)
        if not cookie:
            raise AuthError("Missing OAuth request token cookie")
        handler.clear_cookie(_COOKIE)
        if handler.get_argument("denied", None) is not None and not came:
            raise AuthError("the user refused the login", 403, error_code="denied")
        try:
            key, secret = (base64.b64decode(part, validate=True) for part in cookie.split("|"))
        except (binascii.Error, ValueError):
            raise AuthError("Request token does not match cookie") from None
        if not came or len(came) > MAX_TOKEN or not hmac.compare_digest(key, utf8(came)):
            raise AuthError("Request token does not match cookie")
        token: dict[str, str | bytes] = {"key": key, "secret": secret}
        verifier = handler.get_argument("oauth_verifier", None)
        if verifier:
            token["verifier"] = verifier[:MAX_TOKEN]
        return token

    async def _user_of(self, access_token: dict[str, str]) -> _User:
        user = cast("_User | None", await waiting(self._ask_for_user(access_token)))
        if not user:
            raise AuthError("Error getting user")
        user["access_token"] = access_token
        return user

    def _ask_for_user(self, access_token: dict[str, str]) -> object:
        """Call the hook that the most derived class defines, Tornado's or Cyclone's."""
        for owner in type(self).__mro__:
            if "_oauth_get_user_future" in vars(owner):
                break
            if "_oauth_get_user" in vars(owner):
                result: Deferred[object] = Deferred()
                more = self._oauth_get_user(access_token, result.callback)
                return result if more is None else more
        return self._oauth_get_user_future(access_token)

    def _oauth_get_user_future(self, access_token: dict[str, str]) -> object:
        """Override to say who the user is, awaitably, for instance by asking the provider."""
        raise NotImplementedError("_oauth_get_user_future() has to say who the user is")

    def _oauth_get_user(self, access_token: dict[str, str], callback: Callback[_User]) -> object:
        """Cyclone's form of the same: calls *callback* with the user, or None."""
        result = cast("Deferred[_User]", waiting(self._oauth_get_user_future(access_token)))
        return deliver(self._handler, result, callback)

    def _oauth_consumer_token(self) -> Token:
        """Override to return the application's ``key`` and ``secret``."""
        raise NotImplementedError("_oauth_consumer_token() has to return key and secret")

    # --- signed addresses -------------------------------------------------------------------------

    def _oauth_request_token_url(
        self, callback_uri: str | None = None, extra_params: Mapping[str, str] | None = None
    ) -> str:
        arguments = protocol_parameters(self._oauth_consumer_token())
        if self._OAUTH_VERSION == "1.0a":
            if callback_uri:
                arguments["oauth_callback"] = self._callback(callback_uri)
            arguments.update(extra_params or {})
        return self._signed_url(self._OAUTH_REQUEST_TOKEN_URL, arguments)

    def _oauth_access_token_url(self, request_token: Token) -> str:
        arguments = protocol_parameters(self._oauth_consumer_token(), request_token)
        if "verifier" in request_token:
            arguments["oauth_verifier"] = str(request_token["verifier"])
        return self._signed_url(self._OAUTH_ACCESS_TOKEN_URL, arguments, request_token)

    def _signed_url(self, url: str, arguments: dict[str, str], token: Token | None = None) -> str:
        consumer = self._oauth_consumer_token()
        arguments["oauth_signature"] = signature("GET", url, arguments, consumer, token)
        return url_concat(url, arguments)

    def _oauth_request_parameters(
        self,
        url: str,
        access_token: Token,
        parameters: Mapping[str, object] | None = None,
        method: str = "GET",
    ) -> dict[str, str]:
        """The ``oauth_*`` parameters, signature included, that a request has to carry.

        *parameters* are all others of its query and form.
        """
        consumer = self._oauth_consumer_token()
        arguments = protocol_parameters(consumer, access_token)
        everything = {**arguments, **(parameters or {})}
        arguments["oauth_signature"] = signature(method, url, everything, consumer, access_token)
        return arguments

    def _api_request(
        self, url: str, positional: tuple[object, ...], keywords: dict[str, object]
    ) -> Deferred[JSON]:
        """Call an API with the arguments of a service's `*_request`, in either order of 1.3's."""
        names = ("access_token", "post_args")
        callback, (token, post_args) = sort_arguments(positional, names, keywords)
        args = {name: value for name, value in keywords.items() if name not in (*names, "callback")}
        result = self._signed_request(
            url,
            cast("Token | None", token),
            cast("Mapping[str, object] | None", post_args),
            args,
        )
        return deliver(self._handler, run(result), callback)

    async def _signed_request(
        self,
        url: str,
        access_token: Token | None,
        post_args: Mapping[str, object] | None,
        args: Mapping[str, object],
    ) -> JSON:
        """Call an API; the protocol's parameters go into the query."""
        query = dict(args)
        if access_token:
            method = "GET" if post_args is None else "POST"
            everything = {**args, **(post_args or {})}
            query.update(self._oauth_request_parameters(url, access_token, everything, method))
        if query:
            url = url_concat(url, {name: str(value) for name, value in query.items()})
        response = await send(self.get_auth_http_client(), url, form=post_args)
        return parse_json(response.body)
