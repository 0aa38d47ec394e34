"""The table of routes."""

from __future__ import annotations

import pytest

from cyclone.cli._errors import StartError
from cyclone.cli._routes import route_lines
from cyclone.httpserver import HTTPServer
from cyclone.web import Application, RedirectHandler, RequestHandler, RuleRouter, url


def test_table() -> None:
    application = Application(
        [
            url(r"/", RequestHandler, name="main"),
            (r"/old/(.*)", RedirectHandler, {"url": "/{0}"}),
            (r"/api/.*", RuleRouter([(r"/api/x", RequestHandler)])),
        ]
    )
    application.add_handlers(r"example\.com", [(r"/", RequestHandler)])
    rows = [line.split() for line in route_lines(application)]
    handler = "cyclone.web._handler.RequestHandler"
    assert rows == [
        ["HOST", "PATTERN", "HANDLER", "NAME"],
        [r"example\.com$", "/", handler],
        ["/", handler, "main"],
        ["/old/(.*)", "cyclone.web._redirects.RedirectHandler"],
        ["/api/.*$", "/api/x", handler],
    ]


def test_no_routes() -> None:
    assert route_lines(Application()) == ["no routes"]
    with pytest.raises(StartError, match="no routes"):
        route_lines(HTTPServer(lambda request: None))
