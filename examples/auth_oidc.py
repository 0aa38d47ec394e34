"""Log in with any OpenID Connect provider (Google, Keycloak, Microsoft, ...).

Register this application with the provider for http://127.0.0.1:8888/login and, after logging out,
http://127.0.0.1:8888/. Then

    OIDC_CLIENT_SECRET=... python examples/auth_oidc.py --issuer https://accounts.google.com \\
        --client-id ...

and open http://127.0.0.1:8888.
"""

import argparse
import logging
import os
import secrets

from cyclone.auth import AuthError, OpenIDConnectMixin
from cyclone.escape import json_decode, json_encode, xhtml_escape
from cyclone.web import Application, RequestHandler

LOGOUT = """<form action="/logout" method="post">{xsrf}<button>Log out</button></form>"""


class BaseHandler(RequestHandler):
    def get_current_user(self) -> dict[str, str] | None:
        user = self.get_secure_cookie("user")
        return json_decode(user) if user else None


class MainHandler(BaseHandler):
    def get(self) -> None:
        if not self.current_user:
            self.write('<title>Welcome</title><p><a href="/login">Log in</a></p>')
            return
        name = self.current_user["name"] or self.current_user["sub"]
        self.write(f"<title>Hello</title><p>Hello, {xhtml_escape(name)}.</p>")
        self.write(LOGOUT.format(xsrf=self.xsrf_form_html()))


class LoginHandler(BaseHandler, OpenIDConnectMixin):
    """Both ends of a login: the browser is sent away from here, and comes back to here."""

    async def get(self) -> None:
        if not self.get_argument("code", None) and not self.get_argument("error", None):
            await self.authorize_redirect()
            return
        try:
            user = await self.get_authenticated_user()
        except AuthError as error:
            self.set_status(error.status_code)
            self.write(f'<title>No login</title><p>{error}. <a href="/login">Try again</a></p>')
            return
        cookie = {"sub": user["sub"], "name": user.get("name"), "id_token": user["id_token"]}
        self.set_secure_cookie(
            "user", json_encode(cookie), httponly=True, samesite="Lax", expires_days=1
        )
        self.redirect("/")


class LogoutHandler(BaseHandler, OpenIDConnectMixin):
    """Ends the session here, and then at the provider."""

    async def post(self) -> None:
        user = self.current_user
        self.clear_cookie("user")
        await self.end_session_redirect(user["id_token"] if user else None)


def make_application(openid_connect: dict[str, str], cookie_secret: str) -> Application:
    """The application for one provider."""
    return Application(
        [(r"/", MainHandler), (r"/login", LoginHandler), (r"/logout", LogoutHandler)],
        openid_connect=openid_connect,
        cookie_secret=cookie_secret,
        login_url="/login",
        xsrf_cookies=True,
    )


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Log in with OpenID Connect")
    parser.add_argument("--issuer", required=True)
    parser.add_argument("--client-id", required=True)
    parser.add_argument("--port", type=int, default=8888)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    base = f"http://127.0.0.1:{options.port}/"
    application = make_application(
        {
            "issuer": options.issuer,
            "client_id": options.client_id,
            "client_secret": os.environ["OIDC_CLIENT_SECRET"],
            "redirect_uri": base + "login",
            "post_logout_redirect_uri": base,
        },
        os.environ.get("COOKIE_SECRET") or secrets.token_hex(32),
    )

    from twisted.internet import reactor

    reactor.listenTCP(options.port, application, interface="127.0.0.1")
    print(f"Log in at {base}", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
