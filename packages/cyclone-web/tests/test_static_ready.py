import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cyclone.web import RequestHandler, StaticFileHandler
from cyclone.web import _static_ready as ready

LONG_AGO_NS = 3_000_000_000


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    ready.kept.forget()
    yield
    ready.kept.forget()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose files count as old: their time of change cannot be set, so the clock is."""
    (tmp_path / "a.txt").write_text("content")
    (tmp_path / "b.txt").write_text("other")
    real = time.time_ns
    monkeypatch.setattr("cyclone.web._static_ready.time.time_ns", lambda: real() + LONG_AGO_NS)
    return tmp_path


@pytest.fixture
def client(serve: Any, root: Path) -> Any:
    return serve(static_path=str(root))


def test_a_second_answer_is_the_first(client: Any) -> None:
    first = client.fetch("GET", "/static/a.txt")
    assert len(ready.kept) == 1
    second = client.fetch("GET", "/static/a.txt")
    assert sorted(first.headers.get_all()) == sorted(second.headers.get_all())
    assert first.body == second.body == b"content"
    versioned = client.fetch("GET", "/static/a.txt?v=1")
    again = client.fetch("GET", "/static/a.txt?v=1")
    assert versioned.headers["Cache-Control"] == again.headers["Cache-Control"]
    assert "Expires" in again.headers
    assert "Expires" not in client.fetch("GET", "/static/a.txt").headers


def test_a_changed_file_is_sent_as_it_is(client: Any, root: Path) -> None:
    for _ in range(2):
        client.fetch("GET", "/static/a.txt")
    (root / "a.txt").write_text("CHANGED")
    assert client.fetch("GET", "/static/a.txt").body == b"CHANGED"
    (root / "new").write_text("renamed")
    (root / "new").rename(root / "a.txt")
    assert client.fetch("GET", "/static/a.txt").body == b"renamed"
    (root / "a.txt").unlink()
    assert client.fetch("GET", "/static/a.txt").status == 404
    (root / "a.txt").symlink_to("/etc/passwd")
    assert client.fetch("GET", "/static/a.txt").status == 403


def test_a_link_that_turns_is_followed(serve: Any, root: Path) -> None:
    for name in ("one", "two"):
        (root / name).mkdir()
        (root / name / "x").write_text(name)
    (root / "current").symlink_to("one")
    client = serve(static_path=str(root))
    assert [client.fetch("GET", "/static/current/x").body for _ in range(2)] == [b"one", b"one"]
    (root / "current").unlink()
    (root / "current").symlink_to("two")
    assert client.fetch("GET", "/static/current/x").body == b"two"


def test_what_asks_for_more_is_not_answered_from_here(client: Any) -> None:
    first = client.fetch("GET", "/static/a.txt")

    def ask(method: str = "GET", **headers: str) -> Any:
        return client.fetch(method, "/static/a.txt", headers=headers)

    assert ask(Range="bytes=0-1").status == 206
    assert ask(**{"If-None-Match": first.headers["Etag"]}).status == 304
    assert ask(**{"If-Modified-Since": first.headers["Last-Modified"]}).status == 304
    head = ask(method="HEAD")
    assert (head.body, head.headers["Content-Length"]) == (b"", "7")


def test_a_neighbour_that_comes_later_is_seen(client: Any, root: Path) -> None:
    packed = {"Accept-Encoding": "gzip"}
    assert "Content-Encoding" not in client.fetch("GET", "/static/a.txt", headers=packed).headers
    (root / "a.txt.gz").write_bytes(b"packed")
    response = client.fetch("GET", "/static/a.txt", headers=packed)
    assert (response.headers["Content-Encoding"], response.body) == ("gzip", b"packed")


def test_headers_of_ones_own_are_kept_out(serve: Any, root: Path) -> None:
    class Mine(StaticFileHandler):
        def prepare(self) -> None:
            self.set_header("X-Mine", self.request.uri)

    client = serve([("/(.*)", Mine, {"path": str(root)})])
    assert [client.fetch("GET", "/a.txt").headers["X-Mine"] for _ in range(3)] == ["/a.txt"] * 3


@pytest.mark.parametrize(
    "name", ["set_extra_headers", "get_cache_time", "get_content_type", "compute_etag"]
)
def test_a_class_with_hooks_makes_each_answer_anew(name: str) -> None:
    body = {name: lambda self, *args: None}
    mine: Any = type("Mine", (StaticFileHandler,), body)
    plain: Any = type("Plain", (StaticFileHandler,), {"on_finish": lambda self: None})
    assert (mine._may_be_ready, plain._may_be_ready) == (False, True)


def test_a_hook_of_a_mixin_counts() -> None:
    class Mixin(RequestHandler):
        def set_default_headers(self) -> None:
            self.set_header("X-Mixin", "1")

    class Mine(Mixin, StaticFileHandler):
        pass

    assert not Mine._may_be_ready


def test_routes_do_not_share_answers(serve: Any, root: Path) -> None:
    (root / ".a").write_text("hidden")
    (root / "link").symlink_to(root.parent)
    (root.parent / "outside.txt").write_text("outside")
    client = serve(
        [
            (
                "/all/(.*)",
                StaticFileHandler,
                {"path": str(root), "allowed_symlink_directory": [str(root.parent)]},
            ),
            ("/some/(.*)", StaticFileHandler, {"path": str(root), "hide_dotfiles": True}),
        ]
    )
    for _ in range(2):
        assert client.fetch("GET", "/all/.a").status == 200
        assert client.fetch("GET", "/some/.a").status == 404
        assert client.fetch("GET", "/all/link/outside.txt").status == 200
        assert client.fetch("GET", "/some/link/outside.txt").status == 403


def test_a_file_that_changed_just_now_is_not_kept(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("new")
    serve(static_path=str(tmp_path)).fetch("GET", "/static/a.txt")
    assert not ready.kept


def test_what_is_kept_has_bounds(client: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "MAX_FILES", 3)
    for number in range(10):
        assert client.fetch("GET", "/static/" + "./" * number + "a.txt").status == 200
        assert len(ready.kept) <= 3
    monkeypatch.setattr(ready, "MAX_TOTAL", 10)
    ready.kept.forget()
    client.fetch("GET", "/static/a.txt")
    client.fetch("GET", "/static/b.txt")
    assert ready.kept.size == 5
    client.fetch("GET", "/static/b.txt?v=1")
    assert ready.kept.size == sum(len(answer.content) for answer in ready.kept.values()) <= 10
    (root / "large").write_bytes(bytes(ready.MAX_FILE + 1))
    before = len(ready.kept)
    assert client.fetch("GET", "/static/large").status == 200
    assert len(ready.kept) == before
    assert os.stat(root / "large").st_size == ready.MAX_FILE + 1


def test_not_for_who_read_cookies_RI_14(serve: Any, root: Path) -> None:
    """RI-14: what prepare() learned from a cookie decides whether there is an answer at all."""

    class Members(StaticFileHandler):
        def prepare(self) -> None:
            if "member" not in self.request.cookies:
                self.send_error(403)

    client = serve([("/(.*)", Members, {"path": str(root)})])
    for cookie, status in (("member=1", 200), ("member=1", 200), ("a=1", 403)):
        response = client.fetch("GET", "/a.txt", headers={"Cookie": cookie})
        assert (response.status, response.headers["Vary"]) == (status, "Cookie")
