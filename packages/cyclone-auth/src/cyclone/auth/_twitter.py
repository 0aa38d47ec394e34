"""Twitter's API 1.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

from twisted.internet.defer import Deferred

from ._http import JSON
from ._oauth1 import OAuthMixin
from ._oauth1_signing import Token
from ._results import Callback, run


class TwitterMixin(OAuthMixin):
    """Log users in with Twitter (OAuth 1.0a), and call version 1.1 of its API.

    The settings ``twitter_consumer_key`` and ``twitter_consumer_secret`` hold the credentials. The
    user has ``username``, ``name``, ``access_token`` and what ``account/verify_credentials`` tells.
    """

    _OAUTH_REQUEST_TOKEN_URL = "https://api.twitter.com/oauth/request_token"
    _OAUTH_ACCESS_TOKEN_URL = "https://api.twitter.com/oauth/access_token"
    _OAUTH_AUTHORIZE_URL = "https://api.twitter.com/oauth/authorize"
    _OAUTH_AUTHENTICATE_URL = "https://api.twitter.com/oauth/authenticate"
    _OAUTH_NO_CALLBACKS = False
    _TWITTER_BASE_URL = "https://api.twitter.com/1.1"

    def authenticate_redirect(self, callback_uri: str | None = None) -> Deferred[None]:
        """As :meth:`authorize_redirect`, but a user who has agreed before is not asked again."""
        return run(self._authorize(self._OAUTH_AUTHENTICATE_URL, callback_uri))

    @overload
    def twitter_request(
        self,
        path: str,
        access_token: Token | None = None,
        post_args: Mapping[str, object] | None = None,
        **args: object,
    ) -> Deferred[JSON]: ...

    @overload
    def twitter_request(
        self,
        path: str,
        callback: Callback[JSON],
        access_token: Token | None = None,
        post_args: Mapping[str, object] | None = None,
        **args: object,
    ) -> Deferred[JSON]: ...

    def twitter_request(self, path: str, *positional: object, **keywords: object) -> Deferred[JSON]:
        """Call the API at *path*, such as ``/statuses/update`` (without ``.json``), or at a URL.

        *args* are the query, *post_args* the form of a POST.

        :raises ProviderError: when the provider answers an error or no JSON.
        """
        whole = path.startswith(("http:", "https:"))
        url = path if whole else f"{self._TWITTER_BASE_URL}{path}.json"
        return self._api_request(url, positional, keywords)

    def _oauth_consumer_token(self) -> Token:
        handler = self._handler
        handler.require_setting("twitter_consumer_key", "Twitter OAuth")
        handler.require_setting("twitter_consumer_secret", "Twitter OAuth")
        return {
            "key": handler.settings["twitter_consumer_key"],
            "secret": handler.settings["twitter_consumer_secret"],
        }

    async def _oauth_get_user_future(self, access_token: dict[str, str]) -> JSON:
        user = await self.twitter_request("/account/verify_credentials", access_token=access_token)
        if isinstance(user, dict):
            user["username"] = user.get("screen_name")
        return user
