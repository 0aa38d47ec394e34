"""Routes in every shape."""

from __future__ import annotations

import re
from typing import Any, assert_type

from store import Database

from cyclone.httpserver import HTTPRequest
from cyclone.web import (
    Application,
    FallbackHandler,
    HostMatches,
    PathMatches,
    RedirectHandler,
    RequestHandler,
    Rule,
    StaticFileHandler,
    URLSpec,
    WSGIContainer,
    url,
)
from cyclone.web.routing import AnyMatches, ReversibleRouter, Router, RuleRouter


class Plain(RequestHandler):
    def get(self) -> None:
        self.write("x")


class Stored(RequestHandler):
    def initialize(self, db: Database, limit: int = 10) -> None:
        self.db = db
        self.limit = limit


db = Database()
plain = [(r"/", Plain), (r"/a", Stored)]
mixed = [(r"/", Plain), (r"/a", Stored, {"db": db}), url(r"/b", Plain, name="b")]
pairs: list[tuple[str, type[RequestHandler]]] = [(r"/", Plain)]
rules: list[Rule] = [url(r"/", Plain), Rule(AnyMatches(), Plain)]
unions: list[
    URLSpec | tuple[str, type[RequestHandler]] | tuple[str, type[RequestHandler], dict[str, Any]]
] = [(r"/", Plain)]
untyped: list[Any] = []

Application(plain)
Application(mixed)
Application(pairs)
Application(rules)
Application(unions)
Application(untyped)
Application(((r"/", Plain), (r"/a", Stored)))
Application(
    [
        *plain,
        (r"/", Plain),
        (r"/a", Stored, {"db": db}),
        (r"/a", Stored, {"db": db, "limit": 3}, "stored"),
        (r"/b", Plain, None, "plain"),
        (re.compile(r"/c"), Plain),
        (r"/d", "package.module.Handler"),
        url(r"/e", Stored, {"db": db}, name="e"),
        URLSpec(r"/f", "package.module.Handler", name="f"),
        Rule(PathMatches(r"/g"), Stored, {"db": db}, "g"),
        (HostMatches(r"www\.example\.com"), [(r"/", Plain), (r"/a", Stored, {"db": db})]),
        (r"/static/(.*)", StaticFileHandler, {"path": "static"}),
        (r"/old", RedirectHandler, {"url": "/new", "permanent": False}),
        (PathMatches("/api/.*"), Application([(r"/api/x", Plain)])),
        (r"/wsgi.*", FallbackHandler, {"fallback": WSGIContainer(lambda environ, start: [])}),
    ]
)


class OwnRouter(ReversibleRouter):
    def find_handler(self, request: HTTPRequest, **kwargs: Any) -> Any:
        return None

    def reverse_url(self, name: str, *args: Any, **kwargs: Any) -> str | None:
        return f"/{name}"


router: Router = RuleRouter([Rule(PathMatches("/own"), OwnRouter()), (r"/b", Application(plain))])
application = Application(plain)
application.add_handlers(r".*\.example\.com", mixed)
assert_type(application.reverse_url("b", 1), str)
