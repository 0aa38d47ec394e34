"""GitHub's OAuth 2.0."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred

from cyclone.httputil import url_concat

from ._errors import ProviderError
from ._http import JSON, parse_json, send
from ._oauth2 import OAuth2Mixin
from ._results import run


class GitHubMixin(OAuth2Mixin):
    """Log users in with GitHub; the setting ``github_oauth`` is ``{"key": ..., "secret": ...}``.

    For GitHub Enterprise override the three addresses.
    """

    _OAUTH_AUTHORIZE_URL = "https://github.com/login/oauth/authorize"
    _OAUTH_ACCESS_TOKEN_URL = "https://github.com/login/oauth/access_token"
    _GITHUB_BASE_URL = "https://api.github.com"
    _OAUTH_SETTINGS_KEY = "github_oauth"

    def get_authenticated_user(
        self,
        redirect_uri: str | None,
        code: str,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> Deferred[dict[str, JSON]]:
        """Exchange the *code*: the result is GitHub's ``/user`` (``login``, ``id``, ``name``, ...).

        It also has ``access_token`` and ``scope`` as granted. ``id`` is what stays the same when a
        user changes ``login``.

        :raises AuthError: when ``state`` is not ours or GitHub refuses.
        """
        return run(self._github_user(redirect_uri, code, client_id, client_secret))

    async def _github_user(
        self,
        redirect_uri: str | None,
        code: str,
        client_id: str | None,
        client_secret: str | None,
    ) -> dict[str, JSON]:
        if client_id is None or client_secret is None:
            handler = self._handler
            handler.require_setting(self._OAUTH_SETTINGS_KEY, "GitHub OAuth")
            settings = handler.settings[self._OAUTH_SETTINGS_KEY]
            client_id = settings["key"] if client_id is None else client_id
            client_secret = settings["secret"] if client_secret is None else client_secret
        tokens = await self._token(redirect_uri, code, str(client_id), client_secret)
        user = await self.github_request("/user", access_token=str(tokens["access_token"]))
        if not isinstance(user, dict) or not user.get("id"):
            raise ProviderError("GitHub did not say who the user is")
        return {**user, "access_token": tokens["access_token"], "scope": tokens.get("scope")}

    def github_request(
        self,
        path: str,
        access_token: str | None = None,
        post_args: Mapping[str, JSON] | None = None,
        **args: object,
    ) -> Deferred[JSON]:
        """Call GitHub's REST API: *args* are the query, *post_args* are sent as JSON.

        :raises ProviderError: when GitHub answers an error or no JSON.
        """
        return run(self._github_request(path, access_token, post_args, args))

    async def _github_request(
        self,
        path: str,
        access_token: str | None,
        post_args: Mapping[str, JSON] | None,
        args: Mapping[str, object],
    ) -> JSON:
        headers = {"Accept": "application/vnd.github+json", "User-Agent": "cyclone-auth"}
        if access_token:
            headers["Authorization"] = f"Bearer {access_token}"
        url = self._GITHUB_BASE_URL + path
        if args:
            url = url_concat(url, {name: str(value) for name, value in args.items()})
        client = self.get_auth_http_client()
        response = await send(client, url, json=post_args, headers=headers, redirects=True)
        return parse_json(response.body)
