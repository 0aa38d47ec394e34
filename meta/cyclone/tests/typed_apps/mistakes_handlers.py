"""What a type checker has to find: the lines that end in ``# expect: CODE``."""

from __future__ import annotations

from typing import Any

import cyclone.web
from cyclone.web import RequestHandler, authenticated, stream_request_body


class Mistakes(RequestHandler):
    async def get(self) -> None:
        self.set_status("404")  # expect: arg-type
        self.set_status(404, 3)  # expect: arg-type
        self.set_header("X", None)  # expect: arg-type
        self.set_header(3, "x")  # expect: arg-type
        self.add_header("X", object())  # expect: arg-type
        self.write(3)  # expect: arg-type
        self.write(None)  # expect: arg-type
        self.finish(3)  # expect: arg-type
        self.redirect(None)  # expect: arg-type
        self.redirect("/", permanent="yes")  # expect: arg-type
        self.send_error("404")  # expect: arg-type
        self.set_cookie("a", 3)  # expect: arg-type
        self.set_cookie("a", "b", expires_days="3")  # expect: arg-type
        self.set_cookie("a", "b", samesite=True)  # expect: arg-type
        self.set_secure_cookie("a", 3)  # expect: arg-type
        self.render(3)  # expect: arg-type
        self.reverse_url(3)  # expect: arg-type
        self.static_url(b"x")  # expect: arg-type
        self.flush("x")  # expect: arg-type
        self.wrte("x")  # expect: attr-defined
        self.current_usr = 3  # of the handler's own
        self.locale.transalte("x")  # expect: attr-defined
        self.application.listn(3)  # expect: attr-defined
        raise cyclone.web.HTTPError("404")  # expect: arg-type

    def post(self) -> None:
        number: int = self.get_argument("a")  # expect: assignment
        text: str = self.get_argument("a", None)  # expect: assignment
        text = self.get_argument("a", type=int)  # expect: assignment
        text = self.get_arguments("a")  # expect: assignment
        text = self.get_secure_cookie("a")  # expect: assignment
        text = self.get_cookie("a")  # expect: assignment
        text = self.render_string("x.html")  # expect: assignment
        text = self.xsrf_token  # expect: assignment
        text = self.request.files["x"][0].body  # expect: assignment
        number = self.request.headers["x"]  # expect: assignment
        print(number, text)
        self.get_argument(3)  # expect: call-overload
        self.get_argument("a", 3)  # expect: call-overload
        self.get_argument("a", defualt="x")  # expect: call-overload
        print(self.request.metod)  # expect: attr-defined
        self.request.body.encode()  # expect: attr-defined


class Overrides(RequestHandler):
    def set_default_headers(self) -> str:  # expect: override
        return ""

    def write_error(self, status_code: str, **kwargs: Any) -> None:  # expect: override
        pass

    def get_login_url(self) -> int:  # expect: override
        return 3

    def on_finish(self, more: int) -> None:  # expect: override
        pass

    def prepare(self) -> int:  # expect: override
        return 3

    def data_received(self, chunk: str) -> None:  # expect: override
        pass


@authenticated  # expect: type-var
def no_method(number: int) -> None:
    pass


@stream_request_body
class NoHandler:  # expect: type-var
    pass


print(cyclone.web.nothing)  # expect: attr-defined
