"""A client of the OpenID provider that lets tests try what a browser alone cannot.

    python oidc_client.py PORT ISSUER

It answers in JSON: /login logs in, /refresh, /userinfo and /verify work with tokens given to them.
"""

import os
import sys
from typing import Any

from cyclone.auth import AuthError, OpenIDConnectMixin
from cyclone.web import Application, RequestHandler


class Handler(RequestHandler, OpenIDConnectMixin):
    """Answers an AuthError with its text."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1]
        kind = type(error).__name__ if isinstance(error, AuthError) else "crash"
        self.finish({"error": str(error), "kind": kind})


class LoginHandler(Handler):
    async def get(self) -> None:
        if self.get_argument("code", None) or self.get_argument("error", None):
            self.finish(await self.get_authenticated_user())
        else:
            scope = self.get_argument("scope", "openid profile email offline_access")
            more = {"prompt": "consent"} if "offline_access" in scope else {}
            await self.authorize_redirect(more, scope=scope.split())


class RefreshHandler(Handler):
    async def post(self) -> None:
        token = self.get_argument("refresh_token")
        self.finish(await self.openid_refresh(token, self.get_argument("sub")))


class UserinfoHandler(Handler):
    async def post(self) -> None:
        token = self.get_argument("access_token")
        self.finish(await self.openid_userinfo(token, self.get_argument("sub")))


class VerifyHandler(Handler):
    async def post(self) -> None:
        nonce = self.get_argument("nonce", None)
        self.finish(await self.verify_id_token(self.get_argument("token"), nonce))


def main() -> None:
    from twisted.internet import reactor

    port, issuer = int(sys.argv[1]), sys.argv[2]
    application = Application(
        [
            (r"/login", LoginHandler),
            (r"/refresh", RefreshHandler),
            (r"/userinfo", UserinfoHandler),
            (r"/verify", VerifyHandler),
        ],
        cookie_secret="a-cookie-secret-that-only-tests-use",
        openid_connect={
            "issuer": issuer,
            "client_id": "cyclone",
            "client_secret": "a-secret-of-the-tests",
            "redirect_uri": f"http://127.0.0.1:{port}/login",
            "leeway": float(os.environ.get("LEEWAY", "60")),
        },
    )
    reactor.listenTCP(port, application, interface="127.0.0.1")
    print(f"http://127.0.0.1:{port}", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
