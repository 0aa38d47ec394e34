"""Google's OpenID 2.0 with its OAuth extension."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cyclone.httputil import url_concat

from ._http import JSON, send
from ._oauth1 import OAuthMixin
from ._oauth1_signing import Token, parse_token
from ._openid import DEFAULT_ATTRIBUTES, OpenIdMixin
from ._openid2 import OAUTH_NS

if TYPE_CHECKING:
    from cyclone.httpclient import AsyncHTTPClient


class GoogleMixin(OpenIdMixin, OAuthMixin):
    """Log users in with a provider of OpenID 2.0 and, on request, OAuth 1.0a.

    Google ended this service in 2015: for Google use :class:`GoogleOAuth2Mixin`, or
    :class:`OpenIDConnectMixin` with the issuer ``https://accounts.google.com``. The class works
    against any other provider of the protocol at a subclass's ``_OPENID_ENDPOINT`` (and
    ``_OAUTH_ACCESS_TOKEN_URL``).

    For :meth:`authorize_redirect` the settings ``google_consumer_key`` and
    ``google_consumer_secret`` hold the credentials.
    """

    _OPENID_ENDPOINT = "https://www.google.com/accounts/o8/ud"
    _OAUTH_ACCESS_TOKEN_URL = "https://www.google.com/accounts/OAuthGetAccessToken"

    def authorize_redirect(  # type: ignore[override]
        self,
        oauth_scope: str,
        callback_uri: str | None = None,
        ax_attrs: Iterable[str] = DEFAULT_ATTRIBUTES,
    ) -> None:
        """Redirect the browser to the provider to log in and to grant *oauth_scope*."""
        arguments = self._openid_args(callback_uri, ax_attrs, oauth_scope)
        self._handler.redirect(url_concat(self._OPENID_ENDPOINT, arguments))

    async def _openid_user(self, http_client: AsyncHTTPClient | None = None) -> dict[str, JSON]:
        assertion = await self._verified(http_client)
        user: dict[str, JSON] = dict(assertion.user())
        alias = assertion.extension(OAUTH_NS)
        request_token = assertion.signed(f"{alias}.request_token") if alias else None
        if request_token:
            # The hybrid protocol: an approved request token without a secret
            url = self._oauth_access_token_url({"key": request_token, "secret": ""})
            client = http_client or self.get_auth_http_client()
            user["access_token"] = parse_token((await send(client, url)).body)
        return user

    def _oauth_consumer_token(self) -> Token:
        handler = self._handler
        handler.require_setting("google_consumer_key", "Google OAuth")
        handler.require_setting("google_consumer_secret", "Google OAuth")
        return {
            "key": handler.settings["google_consumer_key"],
            "secret": handler.settings["google_consumer_secret"],
        }
