"""What `cyclone check` finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cyclone.cli._check import check_application
from cyclone.cli._errors import StartError
from cyclone.httpserver import HTTPServer
from cyclone.web import Application, RequestHandler, url

SECRET = "fWq0nXPO1rA7b6Bv9yL3kJ2hG5dS8cTz"


class Page(RequestHandler):
    def get(self) -> None: ...


class Silent(RequestHandler):
    pass


def found(handlers: Any = (), **settings: Any) -> list[str]:
    return [str(one) for one in check_application(Application(list(handlers), **settings))]


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        ({"debug": True}, "warning: debug is on: not for the public"),
        ({"serve_traceback": True}, "warning: serve_traceback is on: not for the public"),
        ({"cookie_secret": "short"}, "warning: cookie_secret is short (5 bytes)"),
        ({"cookie_secret": "ab" * 40}, "warning: cookie_secret is easy to guess"),
        (
            {"cookie_secret": {1: 5}, "key_version": 1},
            "error: cookie_secret 1 is neither text nor bytes",
        ),
        ({"cookie_secret": {1: "x"}, "key_version": 1}, "warning: cookie_secret 1 is short"),
        ({"cookie_secret": {1: SECRET}}, "error: cookie_secret has versions"),
        ({"static_path": 5}, "error: static_path is 5, which is no path"),
        ({"cookie_secret": SECRET}, "warning: xsrf_cookies is off"),
        ({"cookie_secret": SECRET}, "warning: signed values of version 1"),
        ({"login_url": "/login"}, "warning: login_url without cookie_secret"),
        ({"login_url": "/login"}, "error: login_url: no route takes '/login'"),
        ({"xheaders": True}, "warning: xheaders without trusted_downstream"),
        ({"autoescape": None}, "warning: autoescape is off"),
        ({"template_path": "/no/such"}, "error: template_path: there is no folder '/no/such'"),
        ({"static_path": "/no/such"}, "error: static_path: there is no folder '/no/such'"),
    ],
)
def test_settings(settings: dict[str, Any], finding: str) -> None:
    assert [one for one in found(**settings) if one.startswith(finding)]


def test_nothing_to_say() -> None:
    routes = [url(r"/", Page), url(r"/login", Page, name="login")]
    settings = {"cookie_secret": SECRET, "min_version": 2, "xsrf_cookies": True}
    assert found(routes, login_url="/login?x=1", **settings) == []


def test_templates(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text("{{ 1 }}")
    (tmp_path / ".hidden").write_text("{% nonsense %}")
    (tmp_path / "picture").write_bytes(b"\0{% nonsense %}")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "bad.html").write_text("\n{% nonsense %}")
    (tmp_path / "worse.html").write_text('{% extends "missing.html" %}')
    lines = found(template_path=str(tmp_path))
    assert [line.split(":")[1] for line in lines] == [
        " template worse.html",
        " template more/bad.html",
    ]
    assert "nonsense" in lines[1]


def test_routes() -> None:
    handlers = [
        url(r"/", Page, name="a"),
        url(r"/", Silent),
        url(r"/x", Page, name="a"),
    ]
    silent = f"{__name__}.Silent"
    assert found(handlers) == [
        f"warning: route / to {silent} is never reached",
        f"warning: {silent} (/) has no method for any request",
        "warning: 2 routes are called 'a'",
    ]


def test_routes_behind_a_wider_one() -> None:
    page = f"{__name__}.Page"
    handlers = [url(r"/a/(.*)", Page), url(r"/a/b", Page), url(r"/a/b.c", Page), url(r"/c", Page)]
    assert found(handlers) == [f"warning: route /a/b to {page} is never reached"]


def test_only_applications() -> None:
    with pytest.raises(StartError, match="nothing to check"):
        check_application(HTTPServer(lambda request: None))
