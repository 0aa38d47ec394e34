"""Users who log in with a form, and pages only they may see."""

from cyclone.escape import xhtml_escape
from cyclone.web import Application, RequestHandler, authenticated, is_safe_redirect

FORM = """<form action="/login" method="post">
{xsrf}
Name: <input type="text" name="name">
<input type="submit" value="Sign in">
</form>"""


class BaseHandler(RequestHandler):
    def get_current_user(self) -> bytes | None:
        return self.get_secure_cookie("user")


class MainHandler(BaseHandler):
    @authenticated
    def get(self) -> None:
        name = xhtml_escape(self.current_user)
        self.write("Hello, " + name)

    @authenticated
    def post(self) -> None:
        self.write("posted")


class LoginHandler(BaseHandler):
    def get(self) -> None:
        self.write(FORM.format(xsrf=self.xsrf_form_html()))

    def post(self) -> None:
        self.set_secure_cookie("user", self.get_argument("name"))
        target = self.get_argument("next", "/")
        self.redirect(target if is_safe_redirect(target) else "/")


application = Application(
    [(r"/", MainHandler), (r"/login", LoginHandler)],
    cookie_secret="Ib8Zh2mEr0rTn4vuQ1yLk9Xw6sGd3pFc",
    login_url="/login",
    xsrf_cookies=True,
)
