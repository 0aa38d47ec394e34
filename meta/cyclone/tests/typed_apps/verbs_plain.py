"""Methods that are plain functions."""

from __future__ import annotations

import datetime
from typing import assert_type

from twisted.internet.defer import Deferred

from cyclone.web import RequestHandler


class Article(RequestHandler):
    def get(self) -> None:
        self.set_status(200)
        self.set_status(404, "Not here")
        self.set_header("X-Count", 3)
        self.set_header("Last-Modified", datetime.datetime.now(datetime.UTC))
        self.add_header("Link", b"</a>")
        self.clear_header("X-Count")
        self.write("text")
        self.write(b"bytes")
        self.write({"a": 1})
        assert_type(self.get_status(), int)

    def post(self, article: str) -> None:
        self.finish({"id": article})

    def put(self, article: str, *, part: str | None = None) -> None:
        self.finish(part)

    def delete(self, *args: str, **kwargs: str) -> None:
        self.set_status(204)

    def head(self) -> None:
        self.clear()

    def options(self, *args: str) -> None:
        self.redirect("/", permanent=True)
        self.redirect("/other", status=303)

    def patch(self) -> Deferred[None]:
        return self.finish("done")


class Numbers(RequestHandler):
    serialize_lists = True

    def get(self, first: str = "1", last: str = "9") -> None:
        self.write([*range(int(first), int(last))])
