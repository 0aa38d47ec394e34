"""FriendFeed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload
from urllib.parse import quote

from twisted.internet.defer import Deferred

from ._http import JSON
from ._oauth1 import OAuthMixin
from ._oauth1_signing import Token
from ._results import Callback


class FriendFeedMixin(OAuthMixin):
    """Log users in with a service that speaks FriendFeed's API 2 over OAuth 1.0.

    The public service ended in 2015; the class works against any server with this protocol, at the
    addresses that a subclass gives. For a service of today see :class:`OpenIDConnectMixin`.

    The settings ``friendfeed_consumer_key`` and ``friendfeed_consumer_secret`` hold the
    credentials.
    """

    _OAUTH_VERSION = "1.0"
    _OAUTH_REQUEST_TOKEN_URL = "https://friendfeed.com/account/oauth/request_token"
    _OAUTH_ACCESS_TOKEN_URL = "https://friendfeed.com/account/oauth/access_token"
    _OAUTH_AUTHORIZE_URL = "https://friendfeed.com/account/oauth/authorize"
    _OAUTH_NO_CALLBACKS = True
    _FRIENDFEED_BASE_URL = "https://friendfeed-api.com/v2"

    @overload
    def friendfeed_request(
        self,
        path: str,
        access_token: Token | None = None,
        post_args: Mapping[str, object] | None = None,
        **args: object,
    ) -> Deferred[JSON]: ...

    @overload
    def friendfeed_request(
        self,
        path: str,
        callback: Callback[JSON],
        access_token: Token | None = None,
        post_args: Mapping[str, object] | None = None,
        **args: object,
    ) -> Deferred[JSON]: ...

    def friendfeed_request(
        self, path: str, *positional: object, **keywords: object
    ) -> Deferred[JSON]:
        """Call the API at *path*, such as ``/entry``; *args* are the query, *post_args* a form.

        :raises ProviderError: when the service answers an error or no JSON.
        """
        return self._api_request(self._FRIENDFEED_BASE_URL + path, positional, keywords)

    def _oauth_consumer_token(self) -> Token:
        handler = self._handler
        handler.require_setting("friendfeed_consumer_key", "FriendFeed OAuth")
        handler.require_setting("friendfeed_consumer_secret", "FriendFeed OAuth")
        return {
            "key": handler.settings["friendfeed_consumer_key"],
            "secret": handler.settings["friendfeed_consumer_secret"],
        }

    async def _oauth_get_user_future(self, access_token: dict[str, str]) -> JSON:
        user = await self.friendfeed_request(
            "/feedinfo/" + quote(access_token.get("username", ""), safe=""),
            access_token=access_token,
            include="id,name,description",
        )
        if isinstance(user, dict):
            user["username"] = user.get("id")
        return user
