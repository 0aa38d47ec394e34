"""cyclone.auth."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, assert_type

from twisted.internet.defer import Deferred, inlineCallbacks

import cyclone.web
from cyclone.auth import (
    AuthError,
    BasicAuthMixin,
    FacebookGraphMixin,
    GoogleOAuth2Mixin,
    OAuth2Mixin,
    OpenIdMixin,
    TwitterMixin,
    basic_auth,
    fixed_credentials,
    hash_password,
    verify_password,
)


class Google(cyclone.web.RequestHandler, GoogleOAuth2Mixin):
    async def get(self) -> None:
        if self.get_argument("code", None):
            access = await self.get_authenticated_user(
                redirect_uri="https://example.com/", code=self.get_argument("code")
            )
            user = await self.oauth2_request(
                "https://www.example.com/userinfo", access_token=access["access_token"]
            )
            self.set_secure_cookie("user", user["name"])
        else:
            self.authorize_redirect(
                redirect_uri="https://example.com/",
                client_id=self.get_google_oauth_settings()["key"],
                scope=["profile", "email"],
                response_type="code",
                extra_params={"prompt": "consent"},
            )


class Facebook(cyclone.web.RequestHandler, FacebookGraphMixin):
    async def get(self) -> None:
        user = await self.get_authenticated_user(
            redirect_uri="/auth",
            client_id=self.settings["facebook_api_key"],
            client_secret=self.settings["facebook_secret"],
            code=self.get_argument("code"),
        )
        await self.facebook_request(
            "/me/feed", post_args={"message": "x"}, access_token=user["access_token"]
        )


class Twitter(cyclone.web.RequestHandler, TwitterMixin):
    async def get(self) -> None:
        if self.get_argument("oauth_token", None):
            user = await self.get_authenticated_user()
            self.write(user["username"])
        else:
            await self.authorize_redirect()


class OpenId(cyclone.web.RequestHandler, OpenIdMixin):
    _OPENID_ENDPOINT = "https://example.com/openid"

    @inlineCallbacks
    def get(self) -> Generator[Deferred[Any], Any, None]:
        user = yield self.get_authenticated_user()
        self.write(user)


class Own(cyclone.web.RequestHandler, OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "https://example.com/authorize"
    _OAUTH_ACCESS_TOKEN_URL = "https://example.com/token"

    async def get(self) -> None:
        try:
            self.authorize_redirect(redirect_uri="/auth", client_id="x")
        except AuthError as error:
            assert_type(error.status_code, int)


class Admin(cyclone.web.RequestHandler, BasicAuthMixin):
    @basic_auth("here", fixed_credentials({"anna": hash_password("x")}))
    def get(self) -> None:
        assert_type(verify_password(None, "x"), bool)
