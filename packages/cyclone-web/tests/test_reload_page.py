"""The page that loads itself again: the script in it, and the stream it listens to."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from cyclone.web import RequestHandler, _reload_page
from cyclone.web._autoreload import Reloader
from cyclone.web._reload_page import EVENTS_PATH, SCRIPT_PATH, ReloadPageTransform, install

Serve = Callable[..., Any]
TAG = f'<script src="{SCRIPT_PATH}"></script>\n'


class Page(RequestHandler):
    def get(self, what: str) -> None:
        if what == "error":
            raise ZeroDivisionError
        if what == "flushed":
            self.write("<body>")
            self.flush()
        if what == "text":
            self.set_header("Content-Type", "text/plain")
        self.write("<BODY>page</BODY></html>" if what != "fragment" else "<p>part</p>")


class Template(RequestHandler):
    def get(self) -> None:
        self.render("page.html")


@pytest.fixture
def reloader() -> Reloader:
    return Reloader(lambda: None)


@pytest.fixture
def client(serve: Serve, reloader: Reloader, tmp_path: Path) -> Any:
    (tmp_path / "page.html").write_text("<html><body>template</body></html>")
    client = serve(
        [("/template", Template), ("/(.*)", Page)],
        debug=True,
        autoreload=False,
        serve_traceback=False,  # which is plain text
        template_path=tmp_path,
        static_path=tmp_path / "static",
        compress_response=True,
    )
    client.fetch(uri="/")  # routes are kept from now on
    install(client.app, reloader)
    return client


def test_without_it_nothing_is_there(serve: Serve) -> None:
    client = serve([("/(page)", Page)], debug=True, autoreload=False, reload_page=True)
    assert client.app.transforms == []
    assert client.fetch(uri="/page").text == "<BODY>page</BODY></html>"
    assert client.fetch(uri=EVENTS_PATH).status == 404


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/page", 200, f"<BODY>page{TAG}</BODY></html>"),
        ("/template", 200, f"<html><body>template{TAG}</body></html>"),
        ("/text", 200, "<BODY>page</BODY></html>"),
        ("/fragment", 200, "<p>part</p>"),
        ("/flushed", 200, "<body><BODY>page</BODY></html>"),
        ("/error", 500, None),
    ],
)
def test_the_script_is_added_to_whole_pages(
    client: Any, path: str, status: int, body: str | None
) -> None:
    response = client.fetch(uri=path)
    assert response.status == status
    if body is not None:
        assert response.text == body
    assert ("Etag" in response.headers) == (path in ("/text", "/fragment"))
    assert (TAG in response.text) == (path in ("/page", "/template", "/error"))


def test_a_page_kept_without_the_script_is_sent_anew(client: Any) -> None:
    fields = {"If-None-Match": "*", "Accept": "text/html,*/*;q=0.8"}
    assert client.fetch(uri="/page", headers=fields).status == 200
    assert client.fetch(uri="/text", headers={"If-None-Match": "*"}).status == 304


def test_the_script(client: Any) -> None:
    response = client.fetch(uri=SCRIPT_PATH)
    assert response.headers["Content-Type"] == "text/javascript; charset=UTF-8"
    assert f'EventSource("{EVENTS_PATH}")' in response.text
    assert client.fetch(uri="/_cyclone/reloadxjs").text == f"<BODY>page{TAG}</BODY></html>"


def states(stream: Any) -> list[str]:
    (response,) = stream.responses()
    assert response.headers["Content-Type"] == "text/event-stream"
    return re.findall(r"^data: (\w+-\d+)$", response.text, re.MULTILINE)


def test_a_change_is_told(client: Any, reloader: Reloader, clock: Clock) -> None:
    stream = client.start(uri=EVENTS_PATH)
    (before,) = states(stream)
    reloader.pages_changed()
    _, after = states(stream)
    assert before != after
    assert states(client.start(uri=EVENTS_PATH)) == [after]
    clock.advance(1)
    assert not stream.responses()[0].complete


def test_each_process_has_its_own_state(serve: Serve) -> None:
    found = set()
    for _ in range(2):
        client = serve()
        install(client.app, Reloader(lambda: None))
        found.update(states(client.start(uri=EVENTS_PATH)))
    assert len(found) == 2


def test_streams_end_with_the_server(client: Any, clock: Clock) -> None:
    stream = client.start(uri=EVENTS_PATH)
    client.app.stop(25)
    clock.advance(1)
    assert stream.responses()[0].complete
    assert stream.closed


def test_a_page_that_is_left_is_forgotten(client: Any, reloader: Reloader, clock: Clock) -> None:
    stream = client.start(uri=EVENTS_PATH)
    rule = client.app.default_router.rules[0]
    pages = rule.target_kwargs["pages"]
    assert len(pages) == 1
    stream.lose()
    assert len(pages) == 0
    reloader.pages_changed()
    assert len(states(client.start(uri=EVENTS_PATH))) == 1


def test_streams_are_bounded(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_reload_page, "MAX_PAGES", 2)
    streams = [client.start(uri=EVENTS_PATH) for _ in range(3)]
    assert [stream.responses()[0].complete for stream in streams] == [True, False, False]


def test_streams_are_not_logged(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client.fetch(uri=SCRIPT_PATH)
    client.start(uri=EVENTS_PATH).lose()
    assert not [record for record in caplog.records if record.name == "cyclone.access"]


@pytest.mark.parametrize(
    ("settings", "folders"),
    [
        ({"static_path": "s", "template_path": "t", "debug": True}, {"s", "t"}),
        ({"static_path": "s", "template_path": "t"}, {"s"}),
        ({}, set()),
    ],
    ids=["debug", "templates-restart", "none"],
)
def test_folders(
    serve: Serve, reloader: Reloader, settings: dict[str, Any], folders: set[str]
) -> None:
    application = serve([], **settings).app
    install(application, reloader)
    install(application, reloader)
    assert application.transforms == [ReloadPageTransform]
    assert reloader.page_folders == folders
    assert len(reloader.page_hooks) == 1
