"""OAuth 2.0: the authorization code grant (RFC 6749) with state and PKCE (RFC 7636, RFC 9700)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import ClassVar

from twisted.internet.defer import Deferred

from cyclone.httputil import url_concat

from ._base import AuthMixin
from ._errors import AuthError, quoted
from ._http import JSON, MAX_TOKEN, check_tokens, describe, parse_json, parse_object, send
from ._pending import keep, spend
from ._results import general_log, run
from ._transaction import Transaction, begin


class OAuth2Mixin(AuthMixin):
    """Log users in with an OAuth 2.0 provider; base of the classes for Google, Facebook, GitHub.

    A handler calls :meth:`authorize_redirect` to send the browser away, and in the handler of the
    redirect URI ``get_authenticated_user`` of a subclass, or :meth:`oauth2_token` itself.

    Where the application has a ``cookie_secret``, a random ``state`` and a PKCE challenge go along,
    are kept in a signed cookie, and are checked once by :meth:`oauth2_token`. Without the setting
    nothing can be kept safely: logins work as in Tornado, unprotected against forged ones, and the
    log says so.

    Class attributes:

    * ``_OAUTH_AUTHORIZE_URL``: the provider's authorization endpoint.
    * ``_OAUTH_ACCESS_TOKEN_URL``: its token endpoint.
    * ``_OAUTH_USE_STATE``: None (as said), True (an error without ``cookie_secret``) or False.
    * ``_OAUTH_USE_PKCE``: False for a provider that refuses unknown parameters.
    * ``_OAUTH_ISSUER``: the provider's issuer identifier; then an ``iss`` that comes back must be
      it (RFC 9207).
    """

    _OAUTH_AUTHORIZE_URL: str
    _OAUTH_ACCESS_TOKEN_URL: str
    _OAUTH_USE_STATE: bool | None = None
    _OAUTH_USE_PKCE: bool = True
    _OAUTH_ISSUER: str | None = None

    _warned: ClassVar[bool] = False
    _transaction: Transaction | None = None
    # The verifier of the login that this request completes, for a token request of one's own.
    _code_verifier: str | None = None

    def authorize_redirect(
        self,
        redirect_uri: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        extra_params: Mapping[str, str] | None = None,
        scope: Iterable[str] | str | None = None,
        response_type: str = "code",
    ) -> None:
        """Redirect the browser to the provider, and finish.

        :param redirect_uri: where the provider sends the browser back to, as registered there. Take
            it from the configuration, not from the request (AU-08).
        :param extra_params: further parameters for the provider.
        :param scope: what is asked for.
        :param client_secret: has no effect; deprecated.
        :raises AuthError: when this very request brings the provider's refusal of a login begun in
            this browser: redirecting again would go in circles.
        """
        if client_secret is not None:
            warnings.warn(
                "authorize_redirect() does not need client_secret",
                DeprecationWarning,
                stacklevel=2,
            )
        arguments = {"response_type": response_type}
        if redirect_uri is not None:
            arguments["redirect_uri"] = redirect_uri
        if client_id is not None:
            arguments["client_id"] = client_id
        arguments.update(extra_params or {})
        if scope:
            arguments["scope"] = scope if isinstance(scope, str) else " ".join(scope)
        self._redirect(self._OAUTH_AUTHORIZE_URL, redirect_uri, arguments)

    def _redirect(
        self,
        url: str,
        redirect_uri: str | None,
        arguments: dict[str, str],
        *,
        nonce: bool = False,
    ) -> None:
        handler = self._handler
        if self._uses_state():
            if handler.get_argument("error", None) and handler.get_argument("state", None):
                self.check_authorization_response(redirect_uri)
            transaction = begin(
                self._oauth_provider(), redirect_uri, pkce=self._OAUTH_USE_PKCE, nonce=nonce
            )
            arguments["state"] = transaction.state
            if transaction.verifier is not None:
                arguments["code_challenge"] = transaction.challenge
                arguments["code_challenge_method"] = "S256"
            if transaction.nonce is not None:
                arguments["nonce"] = transaction.nonce
            keep(handler, transaction)
        handler.set_header("Cache-Control", "no-store")
        handler.redirect(url_concat(url, arguments))

    def _oauth_provider(self) -> str:
        """What tells this provider from others, so that answers are not mixed up."""
        return self._OAUTH_AUTHORIZE_URL

    def _uses_state(self) -> bool:
        if self._OAUTH_USE_STATE is not None:
            return self._OAUTH_USE_STATE
        if self._handler.settings.get("cookie_secret"):
            return True
        if not OAuth2Mixin._warned:
            OAuth2Mixin._warned = True
            general_log.warning(
                "OAuth 2.0 logins are not protected against forgery: set cookie_secret"
            )
        return False

    def check_authorization_response(self, redirect_uri: str | None = None) -> Transaction | None:
        """Check what came back with the browser before anything is asked for with it.

        ``get_authenticated_user`` and :meth:`oauth2_token` call it themselves; call it where you
        exchange the code by hand, and send ``code_verifier`` along. It may be called again in the
        same request. None where no state is used.

        :raises AuthError: for a state that is missing, forged, spent or not of this browser, for
            another issuer, and for the provider's refusal (its ``error``).
        """
        handler = self._handler
        if self._transaction is not None:
            return self._transaction
        for name in ("state", "code", "iss", "error"):
            if len(handler.get_arguments(name)) > 1:
                raise AuthError(f"the answer has more than one {name}")
        transaction = None
        if self._uses_state():
            state = handler.get_argument("state", None)
            transaction = spend(handler, state, self._oauth_provider(), redirect_uri)
        issuer = handler.get_argument("iss", None)
        if self._OAUTH_ISSUER is not None and issuer not in (None, self._OAUTH_ISSUER):
            raise AuthError("the answer came from another issuer")
        error = handler.get_argument("error", None)
        if error:
            said = describe(error, handler.get_argument("error_description", ""))
            raise AuthError(
                f"the provider refused the login: {said}", 403, error_code=quoted(error)
            )
        self._transaction = transaction
        if transaction is not None:
            self._code_verifier = transaction.verifier
        return transaction

    def oauth2_token(
        self,
        redirect_uri: str | None,
        code: str,
        client_id: str,
        client_secret: str | None = None,
        extra_params: Mapping[str, str] | None = None,
    ) -> Deferred[dict[str, JSON]]:
        """Exchange *code* for tokens, after :meth:`check_authorization_response`.

        The result is the provider's answer: ``access_token``, maybe ``refresh_token``,
        ``expires_in``, ``id_token`` (not verified: that is :class:`OpenIDConnectMixin`'s work).

        :raises AuthError: when the check fails or the provider refuses the code.
        """
        return run(self._token(redirect_uri, code, client_id, client_secret, extra_params))

    async def _token(
        self,
        redirect_uri: str | None,
        code: str,
        client_id: str,
        client_secret: str | None,
        extra_params: Mapping[str, str] | None = None,
    ) -> dict[str, JSON]:
        self.check_authorization_response(redirect_uri)
        check_code(code)
        form = {"grant_type": "authorization_code", "code": code, "client_id": client_id}
        if redirect_uri is not None:
            form["redirect_uri"] = redirect_uri
        if client_secret is not None:
            form["client_secret"] = client_secret
        if self._code_verifier is not None:
            form["code_verifier"] = self._code_verifier
        form.update(extra_params or {})
        return await self._ask_for_tokens(self._OAUTH_ACCESS_TOKEN_URL, form)

    async def _ask_for_tokens(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> dict[str, JSON]:
        fields = {"Accept": "application/json", **(headers or {})}
        response = await send(self.get_auth_http_client(), url, form=form, headers=fields)
        answer = parse_object(response.body)
        check_tokens(answer)
        return answer

    def oauth2_refresh(
        self,
        refresh_token: str,
        client_id: str,
        client_secret: str | None = None,
        scope: Iterable[str] | None = None,
    ) -> Deferred[dict[str, JSON]]:
        """Get a new access token (RFC 6749 section 6).

        The answer may hold a new ``refresh_token``, which takes the place of the old one.

        :raises AuthError: when the provider refuses.
        """
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "client_id": client_id,
        }
        if client_secret is not None:
            form["client_secret"] = client_secret
        if scope:
            form["scope"] = " ".join(scope)
        return run(self._ask_for_tokens(self._OAUTH_ACCESS_TOKEN_URL, form))

    def oauth2_request(
        self,
        url: str,
        access_token: str | None = None,
        post_args: Mapping[str, object] | None = None,
        **args: object,
    ) -> Deferred[JSON]:
        """Call an API of the provider; the result is its decoded JSON.

        The token and *args* go into the query, *post_args* (which make it a POST) into the body.

        :raises ProviderError: when the provider answers an error or no JSON.
        """
        return run(self._oauth2_request(url, access_token, post_args, args))

    async def _oauth2_request(
        self,
        url: str,
        access_token: str | None,
        post_args: Mapping[str, object] | None,
        args: Mapping[str, object],
    ) -> JSON:
        query = {name: str(value) for name, value in args.items()}
        if access_token:
            query = {"access_token": access_token, **query}
        url = url_concat(url, query) if query else url
        response = await send(self.get_auth_http_client(), url, form=post_args, redirects=True)
        return parse_json(response.body)

    def _oauth_request_token_url(
        self,
        redirect_uri: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        code: str | None = None,
        extra_params: Mapping[str, str] | None = None,
    ) -> str:
        """The address of the token endpoint with all parameters, for providers that take a GET."""
        arguments = {
            "redirect_uri": redirect_uri,
            "code": code,
            "client_id": client_id,
            "client_secret": client_secret,
            "code_verifier": self._code_verifier,
            **(extra_params or {}),
        }
        given = {name: value for name, value in arguments.items() if value is not None}
        return url_concat(self._OAUTH_ACCESS_TOKEN_URL, given)


def check_code(code: str) -> None:
    """Refuse what cannot be an authorization code.

    :raises AuthError: for an empty or endless one.
    """
    if not code or len(code) > MAX_TOKEN:
        raise AuthError("the authorization code cannot be used")
