"""Google's OAuth 2.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from twisted.internet.defer import Deferred

from ._http import JSON
from ._oauth2 import OAuth2Mixin
from ._results import run


class GoogleOAuth2Mixin(OAuth2Mixin):
    """Log users in with Google; the setting ``google_oauth`` is ``{"key": ..., "secret": ...}``.

    ``get_authenticated_user`` gives tokens; ask :meth:`oauth2_request` with
    ``self._OAUTH_USERINFO_URL`` who it is. For claims that are verified by signature use
    :class:`OpenIDConnectMixin` with the issuer ``https://accounts.google.com``.
    """

    _OAUTH_AUTHORIZE_URL = "https://accounts.google.com/o/oauth2/v2/auth"
    _OAUTH_ACCESS_TOKEN_URL = "https://www.googleapis.com/oauth2/v4/token"
    _OAUTH_USERINFO_URL = "https://www.googleapis.com/oauth2/v1/userinfo"
    _OAUTH_NO_CALLBACKS = False
    _OAUTH_SETTINGS_KEY = "google_oauth"

    def get_google_oauth_settings(self) -> Mapping[str, str]:
        """The credentials, ``key`` and ``secret``; override it to take them from elsewhere."""
        handler = self._handler
        handler.require_setting(self._OAUTH_SETTINGS_KEY, "Google OAuth")
        return cast("Mapping[str, str]", handler.settings[self._OAUTH_SETTINGS_KEY])

    def get_authenticated_user(
        self,
        redirect_uri: str,
        code: str,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> Deferred[dict[str, JSON]]:
        """Exchange the *code* that came back: the result holds ``access_token`` and more.

        :raises AuthError: when ``state`` is not ours or Google refuses.
        """
        return run(self._google_user(redirect_uri, code, client_id, client_secret))

    async def _google_user(
        self, redirect_uri: str, code: str, client_id: str | None, client_secret: str | None
    ) -> dict[str, JSON]:
        if client_id is None or client_secret is None:
            settings = self.get_google_oauth_settings()
            client_id = settings["key"] if client_id is None else client_id
            client_secret = settings["secret"] if client_secret is None else client_secret
        return await self._token(redirect_uri, code, client_id, client_secret)
