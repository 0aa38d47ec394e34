"""Classes of applications, and settings."""

from __future__ import annotations

from typing import Any

from store import Database

import cyclone.web


class Home(cyclone.web.RequestHandler):
    application: MyApplication

    def get(self) -> None:
        count: int = self.application.visits
        self.write(str(count))


class MyApplication(cyclone.web.Application):
    def __init__(self, db: Database) -> None:
        self.db = db
        self.visits = 0
        super().__init__([(r"/", Home)], default_host="example.com", db=db, debug=False)

    def log_request(self, handler: cyclone.web.RequestHandler) -> None:
        self.visits += 1
        super().log_request(handler)


class FromDictionary(cyclone.web.Application):
    def __init__(self) -> None:
        handlers = [(r"/", Home)]
        settings = {"xheaders": True, "gzip": True, "login_url": "/login"}
        cyclone.web.Application.__init__(self, handlers, **settings)


class FromMixedDictionary(cyclone.web.Application):
    def __init__(self) -> None:
        settings = dict(cookie_secret="x" * 32, autoescape=None, debug=True)  # noqa: C408
        super().__init__([(r"/", Home)], **settings)


class Transform(cyclone.web.OutputTransform):
    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        return chunk.upper()


def log_function(handler: cyclone.web.RequestHandler) -> None:
    print(handler.get_status())


def ui_method(handler: cyclone.web.RequestHandler, text: str) -> str:
    return handler.locale.translate(text)


def make_app(**settings: Any) -> cyclone.web.Application:
    return cyclone.web.Application(
        handlers=[],
        transforms=[Transform],
        error_handler=Home,
        log_function=log_function,
        ui_methods={"say": ui_method},
        **settings,
    )
