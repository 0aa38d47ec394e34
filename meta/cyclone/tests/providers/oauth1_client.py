"""A client of the OAuth 1.0a provider: Twitter's mixin, and the generic one with Cyclone's habits.

python oauth1_client.py PROVIDER
"""

import sys
from typing import Any

import cyclone.web
from cyclone.auth import AuthError, OAuthMixin, TwitterMixin

PROVIDER = sys.argv[1]


class JSONErrors(cyclone.web.RequestHandler):
    """Answers an AuthError with its text."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1]
        kind = "auth" if isinstance(error, AuthError) else "crash"
        self.finish({"error": str(error), "kind": kind})


class TwitterHandler(JSONErrors, TwitterMixin):
    _OAUTH_REQUEST_TOKEN_URL = PROVIDER + "/request_token"
    _OAUTH_ACCESS_TOKEN_URL = PROVIDER + "/access_token"
    _OAUTH_AUTHORIZE_URL = PROVIDER + "/authorize"
    _OAUTH_AUTHENTICATE_URL = PROVIDER + "/authenticate"
    _TWITTER_BASE_URL = PROVIDER + "/api"

    async def get(self) -> None:
        if self.get_argument("oauth_token", None):
            user = await self.get_authenticated_user()
            posted = await self.twitter_request(
                "/statuses/update",
                user["access_token"],
                post_args={"status": "Grüße & 100% = 1+1", "a b": ""},
                include="é ü",
            )
            self.finish({**user, "posted": posted["echo"]})
        elif self.get_argument("once", None):
            await self.authenticate_redirect(callback_uri="/twitter")
        else:
            await self.authorize_redirect(callback_uri="/twitter")


class PlainHandler(JSONErrors, OAuthMixin):
    """A service of its own, in the style of Cyclone 1.3."""

    _OAUTH_REQUEST_TOKEN_URL = PROVIDER + "/request_token"
    _OAUTH_ACCESS_TOKEN_URL = PROVIDER + "/access_token"
    _OAUTH_AUTHORIZE_URL = PROVIDER + "/authorize"

    @cyclone.web.asynchronous
    def get(self) -> Any:
        if self.get_argument("oauth_token", None):
            self.get_authenticated_user(self.async_callback(self._on_auth))
            return None
        return self.authorize_redirect("/plain")

    def _on_auth(self, user: Any) -> None:
        if user is None:
            raise cyclone.web.HTTPError(403, "no login")
        self.finish(user)

    def _oauth_consumer_token(self) -> dict[str, str]:
        return {"key": self.settings["twitter_consumer_key"], "secret": self.settings["secret"]}

    def _oauth_get_user(self, access_token: dict[str, str], callback: Any) -> None:
        callback({"key_length": len(access_token["key"])})


application = cyclone.web.Application(
    [(r"/twitter", TwitterHandler), (r"/plain", PlainHandler)],
    twitter_consumer_key="cyclone0client0of0tests0",
    twitter_consumer_secret="a secret, 100% & more",
    secret="a secret, 100% & more",
)

if __name__ == "__main__":
    from twisted.internet import reactor

    port: Any = reactor.listenTCP(0, application, interface="127.0.0.1")
    print(f"http://127.0.0.1:{port.getHost().port}", flush=True)
    reactor.run()
