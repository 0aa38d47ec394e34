"""OpenID Connect logins."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from twisted.internet.defer import Deferred

from cyclone.httputil import url_concat

from ._discovery import ProviderMetadata, is_trustworthy
from ._errors import AuthError, ProviderError
from ._http import JSON, MAX_TOKEN, parse_object, send
from ._idtoken import Expected, IDTokenError, read_header, verify
from ._oauth2 import OAuth2Mixin, check_code
from ._provider import Provider, provider_of
from ._results import run

DEFAULT_ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")


@dataclass(frozen=True, slots=True)
class OpenIDSettings:
    """The setting ``openid_connect``, a mapping with these names.

    ``redirect_uri`` is the absolute address that the provider sends the browser back to, as it is
    registered there. ``client_secret`` is left out by a public client. ``algorithms`` are the
    signatures of ID tokens that are believed.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str | None = field(default=None, repr=False)
    scope: Sequence[str] = ("openid", "profile", "email")
    algorithms: Sequence[str] = DEFAULT_ALGORITHMS
    post_logout_redirect_uri: str | None = None
    leeway: float = 60
    max_age: float | None = None

    def __post_init__(self) -> None:
        if not is_trustworthy(self.redirect_uri):
            raise ValueError("redirect_uri is an https address (http on localhost only)")
        if "openid" not in self.scope or isinstance(self.scope, str):
            raise ValueError("scope is a list of names, 'openid' among them")


class OpenIDConnectMixin(OAuth2Mixin):
    """Log users in with any OpenID Connect provider, found out about by discovery.

    The setting ``openid_connect`` holds what :class:`OpenIDSettings` names; the application needs a
    ``cookie_secret``. One handler does for both ends of the login::

        class Login(RequestHandler, OpenIDConnectMixin):
            async def get(self) -> None:
                if not self.get_argument("code", None) and not self.get_argument("error", None):
                    await self.authorize_redirect()
                    return
                user = await self.get_authenticated_user()
                self.set_secure_cookie("user", user["sub"])
                self.redirect("/")
    """

    _OAUTH_USE_STATE = True
    #: Whether `get_authenticated_user` asks for the userinfo too, where the provider has it.
    _OPENID_FETCH_USERINFO: bool = True

    def get_openid_settings(self) -> OpenIDSettings:
        """The configuration; override it where there is more than one provider."""
        handler = self._handler
        handler.require_setting("openid_connect", "OpenID Connect")
        values = handler.settings["openid_connect"]
        return values if isinstance(values, OpenIDSettings) else OpenIDSettings(**values)

    def _openid_provider(self) -> Provider:
        issuer = self.get_openid_settings().issuer
        return provider_of(self._handler.application, issuer, self.get_auth_http_client())

    def _oauth_provider(self) -> str:
        return self.get_openid_settings().issuer

    def authorize_redirect(  # type: ignore[override]
        self,
        extra_params: Mapping[str, str] | None = None,
        scope: Sequence[str] | None = None,
    ) -> Deferred[None]:
        """Redirect the browser to the provider, and finish. Wait for the result.

        :param extra_params: such as ``{"prompt": "login"}``, ``login_hint``, ``acr_values``.
        :raises AuthError: when the provider cannot be asked for its configuration, or when this
            request brings its refusal.
        """
        return run(self._openid_redirect(extra_params, scope))

    authenticate_redirect = authorize_redirect

    async def _openid_redirect(
        self, extra_params: Mapping[str, str] | None, scope: Sequence[str] | None
    ) -> None:
        settings = self.get_openid_settings()
        metadata = await self._openid_provider().metadata()
        arguments = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": settings.redirect_uri,
            "scope": " ".join(settings.scope if scope is None else scope),
        }
        if settings.max_age is not None:
            arguments["max_age"] = str(int(settings.max_age))
        arguments.update(extra_params or {})
        self._redirect(
            metadata.authorization_endpoint, settings.redirect_uri, arguments, nonce=True
        )

    def get_authenticated_user(self) -> Deferred[dict[str, JSON]]:
        """Complete the login with the ``code`` and ``state`` of this request.

        The result is the user: the claims of the ID token (``sub`` is what stays) and of the
        userinfo, and ``access_token``, ``id_token``, ``expires_in``, maybe ``refresh_token``.

        :raises AuthError: when the login was not begun in this browser, the provider refuses, or
            the ID token is not for this login (`IDTokenError`).
        """
        return run(self._openid_user())

    async def _openid_user(self) -> dict[str, JSON]:
        settings = self.get_openid_settings()
        transaction = self.check_authorization_response(settings.redirect_uri)
        provider = self._openid_provider()
        metadata = await provider.metadata()
        self._check_issuer(metadata)
        code = self._handler.get_argument("code", "") or ""
        check_code(code)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": settings.redirect_uri,
        }
        if self._code_verifier is not None:
            form["code_verifier"] = self._code_verifier
        tokens = await self._openid_tokens(metadata, form)
        nonce = None if transaction is None else transaction.nonce
        claims = await self.verify_id_token(
            str(tokens.get("id_token", "")), nonce, str(tokens["access_token"])
        )
        if self._OPENID_FETCH_USERINFO and metadata.userinfo_endpoint is not None:
            more = await self._userinfo(str(tokens["access_token"]), str(claims["sub"]))
            claims = {**more, **claims}
        return {**claims, **_kept(tokens)}

    def _check_issuer(self, metadata: ProviderMetadata) -> None:
        """RFC 9207: the answer itself says whose it is, from providers that promise to."""
        given = self._handler.get_argument("iss", None)
        if given is None and not metadata.sends_issuer:
            return
        if given != metadata.issuer:
            raise AuthError("the answer came from another issuer")

    async def _openid_tokens(
        self, metadata: ProviderMetadata, form: dict[str, str]
    ) -> dict[str, JSON]:
        settings = self.get_openid_settings()
        headers = {}
        if settings.client_secret is None:
            form["client_id"] = settings.client_id
        elif "client_secret_basic" in metadata.auth_methods:
            # RFC 6749 section 2.3.1: both are form-encoded first
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form["client_id"] = settings.client_id
            form["client_secret"] = settings.client_secret
        return await self._ask_for_tokens(metadata.token_endpoint, form, headers)

    def verify_id_token(
        self, token: str, nonce: str | None = None, access_token: str | None = None
    ) -> Deferred[dict[str, JSON]]:
        """Check an ID token of the configured provider; the result is its claims.

        :param nonce: what it has to hold; None for one that came with a refreshed access token.
        :param access_token: what came with it, to be compared with its ``at_hash``.
        :raises IDTokenError: naming the check that failed.
        """
        return run(self._verify(token, nonce, access_token))

    async def _verify(
        self, token: str, nonce: str | None, access_token: str | None
    ) -> dict[str, JSON]:
        settings = self.get_openid_settings()
        provider = self._openid_provider()
        metadata = await provider.metadata()
        # Configured, and announced: neither the token nor the provider alone decides.
        allowed = set(settings.algorithms)
        if metadata.algorithms:
            allowed &= set(metadata.algorithms)
        header = read_header(token, allowed)
        key = await provider.keys.find(header.key_id, header.algorithm)
        if key is None:
            raise IDTokenError("the ID token is signed with a key that the provider does not have")
        expected = Expected(
            issuer=settings.issuer,
            client_id=settings.client_id,
            nonce=nonce,
            access_token=access_token,
            max_age=settings.max_age if nonce is not None else None,
            leeway=settings.leeway,
        )
        return verify(token, header, key, expected)

    def openid_refresh(self, refresh_token: str, subject: str) -> Deferred[dict[str, JSON]]:
        """Get new tokens; *subject* is the ``sub`` of the user they have to be for.

        The result has ``access_token``, ``expires_in`` and the next ``refresh_token``; and, where
        the provider sends a new ID token, its verified claims.

        :raises AuthError: when the provider refuses or the tokens are for somebody else.
        """
        return run(self._refresh(refresh_token, subject))

    async def _refresh(self, refresh_token: str, subject: str) -> dict[str, JSON]:
        if not refresh_token or len(refresh_token) > MAX_TOKEN:
            raise AuthError("the refresh token cannot be used")
        metadata = await self._openid_provider().metadata()
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        tokens = await self._openid_tokens(metadata, form)
        claims: dict[str, JSON] = {}
        if tokens.get("id_token"):
            token, access_token = str(tokens["id_token"]), str(tokens["access_token"])
            claims = await self.verify_id_token(token, None, access_token)
            _check_subject(claims, subject)
        kept = _kept(tokens)
        kept.setdefault("refresh_token", refresh_token)
        return {**claims, **kept}

    def openid_userinfo(self, access_token: str, subject: str) -> Deferred[dict[str, JSON]]:
        """Ask the provider about the user *subject* (the ``sub`` of the verified ID token).

        :raises AuthError: when the provider refuses or answers about somebody else.
        """
        return run(self._userinfo(access_token, subject))

    async def _userinfo(self, access_token: str, subject: str) -> dict[str, JSON]:
        metadata = await self._openid_provider().metadata()
        if metadata.userinfo_endpoint is None:
            raise ProviderError("the provider has no userinfo")
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        client = self.get_auth_http_client()
        response = await send(client, metadata.userinfo_endpoint, headers=headers)
        claims = parse_object(response.body)
        _check_subject(claims, subject)
        return claims

    def end_session_redirect(
        self, id_token: str | None = None, state: str | None = None
    ) -> Deferred[None]:
        """End the session at the provider too, by a redirect (RP-Initiated Logout 1.0).

        Clear your own cookies first. The browser comes back to ``post_logout_redirect_uri``, or
        stays at the provider where the setting has none. A provider without this endpoint: the
        browser goes there at once.

        :param id_token: the ``id_token`` of the login, as a hint.
        :raises AuthError: when the provider cannot be asked for its configuration.
        """
        return run(self._end_session(id_token, state))

    async def _end_session(self, id_token: str | None, state: str | None) -> None:
        settings = self.get_openid_settings()
        metadata = await self._openid_provider().metadata()
        target = settings.post_logout_redirect_uri
        if metadata.end_session_endpoint is None:
            self._handler.redirect(target or "/")
            return
        arguments = {
            "client_id": settings.client_id,
            "id_token_hint": id_token,
            "post_logout_redirect_uri": target,
            "state": state,
        }
        given = {name: value for name, value in arguments.items() if value}
        self._handler.redirect(url_concat(metadata.end_session_endpoint, given))


def _kept(tokens: Mapping[str, JSON]) -> dict[str, JSON]:
    names = ("access_token", "id_token", "refresh_token", "expires_in", "scope")
    return {name: tokens[name] for name in names if tokens.get(name) is not None}


def _check_subject(claims: Mapping[str, JSON], subject: str) -> None:
    if not subject or claims.get("sub") != subject:
        raise AuthError("the provider answered about another user (sub)")
