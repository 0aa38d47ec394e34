"""The overview's GoogleHandler, with what it leaves to the reader: the cookie, and a page.

Google's own OpenID 2.0 service ended in 2015. The handler works with any provider of the protocol:

    OPENID_ENDPOINT=https://provider.example/openid python examples/auth_google.py
"""

import os

import cyclone.auth
import cyclone.web
from cyclone.escape import xhtml_escape


class GoogleHandler(cyclone.web.RequestHandler, cyclone.auth.GoogleMixin):
    _OPENID_ENDPOINT = os.environ.get("OPENID_ENDPOINT", cyclone.auth.GoogleMixin._OPENID_ENDPOINT)

    @cyclone.web.asynchronous
    def get(self):
        if self.get_argument("openid.mode", None):
            self.get_authenticated_user(self.async_callback(self._on_auth))
            return
        self.authenticate_redirect()

    def _on_auth(self, user):
        if not user:
            self.authenticate_redirect()
            return
        self.set_secure_cookie("user", user["email"], httponly=True, samesite="Lax")
        self.redirect("/")


class MainHandler(cyclone.web.RequestHandler):
    def get_current_user(self):
        return self.get_secure_cookie("user")

    @cyclone.web.authenticated
    def get(self):
        self.write("Hello, " + xhtml_escape(self.current_user))


application = cyclone.web.Application(
    [(r"/", MainHandler), (r"/login", GoogleHandler)],
    cookie_secret="8c1a0c5be7f14f2da0c9b7cb7c2c5a11",
    login_url="/login",
)

if __name__ == "__main__":
    from twisted.internet import reactor

    reactor.listenTCP(8888, application, interface="127.0.0.1")
    reactor.run()
