"""Cookies, plain and signed."""

from cyclone.web import Application, RequestHandler


class PlainHandler(RequestHandler):
    def get(self) -> None:
        if not self.get_cookie("mycookie"):
            self.set_cookie("mycookie", "myvalue")
            self.write("Your cookie was not set yet!")
        else:
            self.write("Your cookie was set!")


class SignedHandler(RequestHandler):
    def get(self) -> None:
        value = self.get_secure_cookie("mysigned")
        if not value:
            self.set_secure_cookie("mysigned", "signed value")
            self.write("Your cookie was not set yet!")
        else:
            self.write(b"Your cookie was " + value)


application = Application(
    [(r"/", PlainHandler), (r"/signed", SignedHandler)],
    cookie_secret="Ib8Zh2mEr0rTn4vuQ1yLk9Xw6sGd3pFc",
)
