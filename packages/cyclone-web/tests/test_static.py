import gzip
import hashlib
import os
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import deferLater

from cyclone.web import HTTPError, RequestHandler, StaticFileHandler, _static, _static_ready

ROBOTS = b"User-agent: *\nDisallow: /\n"
HASH = hashlib.sha512(ROBOTS).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder to serve, and one beside it that must never be."""
    folder = tmp_path / "static"
    (folder / "dir").mkdir(parents=True)
    (folder / "robots.txt").write_bytes(ROBOTS)
    (folder / "dir" / "index.html").write_text("index\n")
    (folder / ".hidden").write_text("hidden")
    (tmp_path / "static_secret").mkdir()
    (tmp_path / "static_secret" / "x").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "static_secret" / "x")
    (folder / "linkdir").symlink_to(tmp_path / "static_secret")
    (folder / "nowhere").symlink_to(tmp_path / "missing")
    os.mkfifo(folder / "fifo")
    StaticFileHandler.reset()
    return folder


@pytest.fixture
def client(serve: Any, root: Path) -> Any:
    return serve(static_path=str(root))


def test_a_file(client: Any) -> None:
    for path in ("/robots.txt", "/static/robots.txt", "/static/dir/../robots.txt"):
        response = client.fetch("GET", path)
        assert (response.status, response.body) == (200, ROBOTS)
    headers = response.headers
    assert headers["Content-Type"] == "text/plain"
    assert headers["Etag"] == f'"{HASH}"'
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["X-Content-Type-Options"] == "nosniff"  # ST-18
    assert "Last-Modified" in headers
    assert "Cache-Control" not in headers
    assert "Vary" not in headers


def test_a_version_is_cached_for_long(client: Any) -> None:
    headers = client.fetch("GET", "/robots.txt?v=1").headers
    assert headers["Cache-Control"] == "max-age=315360000"
    assert "Expires" in headers


def test_head(client: Any) -> None:
    response = client.fetch("HEAD", "/static/robots.txt")
    assert (response.status, response.body, response.headers["Content-Length"]) == (200, b"", "26")
    response = client.fetch("HEAD", "/static/robots.txt", headers={"Range": "bytes=1-4"})
    assert (response.status, response.headers["Content-Length"]) == (206, "4")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/static/missing", 404, id="missing"),
        pytest.param("/static/../static_secret/x", 403, id="ST-01-sibling"),
        pytest.param("/static/%2e%2e/static_secret/x", 403, id="ST-01-encoded"),
        pytest.param("/static/..%2fstatic_secret/x", 403, id="ST-01-encoded-slash"),
        pytest.param("/static/..%5cstatic_secret%5cx", 404, id="ST-01-backslash"),
        pytest.param("/static/....//static_secret/x", 404, id="ST-01-dots"),
        pytest.param("/static//etc/passwd", 403, id="ST-01-absolute"),
        pytest.param("/static/%00", 404, id="ST-01-nul"),
        pytest.param("/static/%ff", 400, id="ST-01-utf8"),
        pytest.param("/static/link", 403, id="ST-02-file"),
        pytest.param("/static/linkdir/x", 403, id="ST-02-folder"),
        pytest.param("/static/linkdir", 403, id="ST-02-oracle"),
        pytest.param("/static/nowhere", 403, id="ST-02-dangling"),
        pytest.param("/static/../exists", 403, id="ST-03"),
        pytest.param("/static/fifo", 403, id="ST-04"),
        pytest.param("/static/dir", 403, id="a-folder"),
        pytest.param("/static/dir/", 403, id="a-folder/"),
        pytest.param("/static/" + "a" * 300, 404, id="long-name"),
        pytest.param("/static/", 403, id="the-root"),
    ],
)
def test_refused(client: Any, path: str, status: int) -> None:
    response = client.fetch("GET", path)
    assert response.status == status
    assert b"secret" not in response.body
    assert client.fetch("GET", path).body == response.body


def test_a_file_replaced_by_a_link_is_refused(client: Any, root: Path) -> None:
    """ST-02: what was found good once is looked at again."""
    assert client.fetch("GET", "/static/robots.txt").status == 200
    (root / "robots.txt").unlink()
    (root / "robots.txt").symlink_to(root.parent / "static_secret" / "x")
    assert client.fetch("GET", "/static/robots.txt").status == 403


def test_links_inside_and_to_allowed_folders(serve: Any, root: Path) -> None:
    (root / "inner").symlink_to(root / "robots.txt")
    (root.parent / "way").symlink_to(root)
    outside = str(root.parent / "static_secret")
    routes = [
        ("/d/(.*)", StaticFileHandler, {"path": root}),
        ("/w/(.*)", StaticFileHandler, {"path": str(root.parent / "way")}),
        (
            "/s/(.*)",
            StaticFileHandler,
            {"path": str(root), "allowed_symlink_directory": str(root.parent)},
        ),
        (
            "/l/(.*)",
            StaticFileHandler,
            {"path": str(root), "allowed_symlink_directory": [str(root), outside]},
        ),
        ("/o/(.*)", StaticFileHandler, {"path": str(root), "allowed_symlink_directory": [outside]}),
    ]
    client = serve(routes)
    got = {
        path: client.fetch("GET", path).status
        for path in (
            "/d/inner",
            "/d/link",
            "/w/robots.txt",
            "/s/link",
            "/s/linkdir/x",
            "/l/link",
            "/l/robots.txt",
            "/o/robots.txt",
        )
    }
    assert got == {
        "/d/inner": 200,
        "/d/link": 403,
        "/w/robots.txt": 200,
        "/s/link": 200,
        "/s/linkdir/x": 200,
        "/l/link": 200,
        "/l/robots.txt": 200,
        "/o/robots.txt": 403,
    }
    assert client.fetch("GET", "/s/../static_secret/x").status == 403


def test_hidden_files(serve: Any, root: Path) -> None:
    client = serve(
        [
            ("/a/(.*)", StaticFileHandler, {"path": str(root)}),
            ("/b/(.*)", StaticFileHandler, {"path": str(root), "hide_dotfiles": True}),
        ]
    )
    assert client.fetch("GET", "/a/.hidden").status == 200
    assert client.fetch("GET", "/b/.hidden").status == 404  # ST-18


# --- default_filename -----------------------------------------------------------------------


def test_default_filename(serve: Any, root: Path) -> None:
    client = serve(static_path=str(root), static_handler_args={"default_filename": "index.html"})
    assert client.fetch("GET", "/static/dir/").body == b"index\n"
    response = client.fetch("GET", "/static/dir")
    assert (response.status, response.headers["Location"]) == (301, "/static/dir/")
    assert client.fetch("GET", "/static/link_missing").status == 404
    assert client.fetch("GET", "/static/linkdir").status == 403  # ST-02: no redirect tells of it
    (root / "dir" / "index.html").unlink()
    (root / "dir" / "index.html").symlink_to(root.parent / "static_secret" / "x")
    assert client.fetch("GET", "/static/dir/").status == 403
    (root / "dir" / "index.html").unlink()
    assert client.fetch("GET", "/static/dir/").status == 404


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("//evil.com/%2e%2e/dir", 403, None),
        ("//evil.com/../dir", 403, None),
        ("//evil.com/..{root}/dir", 403, None),
        ("/{root}/dir", 403, None),
        ("//{root}/dir", 403, None),
        ("/\\evil.com/..", 403, None),
        ("/\\evil.com/../dir", 403, None),
        ("/\\/evil.com/../../dir", 403, None),
        ("/\t/evil.com/../dir", 400, None),
        ("/%5cnone", 404, None),
        ("/%5cevil", 301, "/%5cevil/"),
        ("/%5cevil.com/../dir", 301, "/%5cevil.com/../dir/"),
        ("/%09/../dir", 301, "/%09/../dir/"),
        ("/dir", 301, "/dir/"),
    ],
)
def test_st06_the_redirect_stays_on_the_host(
    serve: Any, root: Path, path: str, status: int, location: str | None
) -> None:
    """ST-06: also when the path leads to a folder that is there."""
    (root / "\\evil").mkdir()
    client = serve(
        static_path=str(root),
        static_url_prefix="/",
        static_handler_args={"default_filename": "index.html"},
    )
    connection = client.connect()
    connection.send(f"GET {path.format(root=root)} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
    response = connection.responses()[0]
    assert (response.status, response.headers.get("Location")) == (status, location)
    # As a browser reads it (WHATWG URL)
    seen = (location or "/").strip("".join(map(chr, range(33)))).replace("\\", "/")
    assert not seen.translate(dict.fromkeys(b"\t\r\n")).startswith("//")


HOSTILE_NAME = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("default", [None, "index.html"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/static/listed/", (403, 404)),
        ("/static/listed", (403, 301)),
        (f"/static/listed/{quote(HOSTILE_NAME)}", (200, 200)),
        (f"/static/listed/{quote(HOSTILE_NAME)}/", (200, 200)),
        (f"/static/listed/{quote(HOSTILE_NAME + 'x')}", (404, 404)),
        (f"/static/{quote(HOSTILE_NAME)}", (403, 301)),
        (f"/static/{quote(HOSTILE_NAME)}/", (403, 404)),
        (f"/static/../{quote(HOSTILE_NAME)}", (403, 403)),
    ],
)
def test_no_page_shows_the_name_of_a_file_RI_07(
    serve: Any, root: Path, path: str, status: tuple[int, int], default: str | None
) -> None:
    """RI-07: folders are not listed, errors and redirects repeat no name."""
    (root / "listed").mkdir()
    (root / "listed" / HOSTILE_NAME).write_text("content")
    (root / HOSTILE_NAME).mkdir()
    client = serve(static_path=str(root), static_handler_args={"default_filename": default})
    response = client.fetch("GET", path)
    assert response.status == status[default is not None]
    assert b"img" not in response.body
    assert b"index.html" not in response.body
    assert "<" not in response.headers.get("Location", "")


# --- conditional requests ---------------------------------------------------------------------


class Always(StaticFileHandler):
    """As programs do it that are being worked on: the browser is to have each change."""

    def should_return_304(self) -> bool:
        return False


@pytest.mark.parametrize("value", ["*", "the file's"])
def test_an_override_says_that_a_copy_is_stale(serve: Any, root: Path, value: str) -> None:
    client = serve([("/s/(.*)", Always, {"path": str(root)})])
    first = client.fetch("GET", "/s/robots.txt")
    headers = {"If-None-Match": first.headers["Etag"] if value != "*" else value}
    again = client.fetch("GET", "/s/robots.txt", headers=headers)
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["Content-Length"] == str(len(first.body))
    ranged = client.fetch("GET", "/s/robots.txt", headers={**headers, "Range": "bytes=0-1"})
    assert (ranged.status, ranged.body) == (206, first.body[:2])


def test_if_none_match_wins(client: Any) -> None:
    first = client.fetch("GET", "/robots.txt")
    modified = first.headers["Last-Modified"]

    def ask(**fields: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return client.fetch("GET", "/robots.txt", headers=headers)

    same = ask(If_None_Match=first.headers["Etag"])
    assert (same.status, same.body, "Content-Length" in same.headers) == (304, b"", False)
    assert same.headers["Etag"] == first.headers["Etag"]
    assert ask(If_None_Match='W/"x", W/' + first.headers["Etag"]).status == 304
    assert ask(If_None_Match='"other"', If_Modified_Since=modified).status == 200
    assert ask(If_Modified_Since=modified).status == 304
    assert ask(If_None_Match=first.headers["Etag"], Range="bytes=1-4").status == 304


@pytest.mark.parametrize(
    ("value", "status"),
    [
        pytest.param("xyz", 200, id="nonsense"),
        pytest.param("Fri, 01 Jan 1960 00:00:00 GMT", 200, id="before-1970"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 200, id="year-9999"),
        pytest.param("Fri, 01 Jan 2010 00:00:00 GMT, Fri, 01 Jan 2010 00:00:00 GMT", 200, id="two"),
        pytest.param("Mon, 99 Foo 2020 00:00:00 GMT", 200, id="no-date"),
    ],
)
def test_st15_if_modified_since(client: Any, value: str, status: int) -> None:
    assert client.fetch("GET", "/robots.txt", headers={"If-Modified-Since": value}).status == status


def test_if_modified_since_is_utc(client: Any, root: Path) -> None:
    changed = os.stat(root / "robots.txt").st_mtime
    for offset, status in ((-1, 200), (1, 304)):
        header = formatdate(changed + offset, usegmt=True)
        assert (
            client.fetch("GET", "/robots.txt", headers={"If-Modified-Since": header}).status
            == status
        )


# --- ranges -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "status", "body", "content_range"),
    [
        ("bytes=0-9", 206, b"User-agent", "bytes 0-9/26"),
        ("bytes=22-", 206, b": /\n", "bytes 22-25/26"),
        ("bytes=-4", 206, b": /\n", "bytes 22-25/26"),
        ("bytes=1-10000000", 206, ROBOTS[1:], "bytes 1-25/26"),
        ("bytes=0-", 200, ROBOTS, None),
        ("bytes=0-10000000", 200, ROBOTS, None),
        ("bytes=-1000000", 200, ROBOTS, None),
        ("asdf", 200, ROBOTS, None),
        ("bytes=-0", 416, b"", "bytes */26"),
        ("bytes=26", 416, b"", "bytes */26"),
        ("bytes=10-3", 416, b"", "bytes */26"),
    ],
)
def test_ranges(
    client: Any, header: str, status: int, body: bytes, content_range: str | None
) -> None:
    response = client.fetch("GET", "/robots.txt", headers={"Range": header})
    assert (response.status, response.body) == (status, body)
    assert response.headers.get("Content-Range") == content_range
    head = client.fetch("HEAD", "/robots.txt", headers={"Range": header})
    assert head.headers["Content-Length"] == response.headers["Content-Length"]


def test_several_ranges(client: Any) -> None:
    response = client.fetch("GET", "/robots.txt", headers={"Range": "bytes=0-1,-1"})
    kind, _, boundary = response.headers["Content-Type"].partition("; boundary=")
    assert (response.status, kind) == (206, "multipart/byteranges")
    parts = response.body.split(b"--" + boundary.encode())
    assert parts[1].endswith(b"\r\n\r\nUs\r\n")
    assert b"Content-Range: bytes 25-25/26\r\n" in parts[2]
    assert parts[3] == b"--\r\n"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (f'"{HASH}"', 206),
        (f'W/"{HASH}"', 200),  # ST-14
        ('"other"', 200),
        ("nonsense", 200),
        ("Fri, 01 Jan 2010 00:00:00 GMT", 200),
    ],
)
def test_if_range(client: Any, condition: str, status: int) -> None:
    headers = {"Range": "bytes=0-1", "If-Range": condition}
    assert client.fetch("GET", "/robots.txt", headers=headers).status == status


def test_if_range_by_date(client: Any) -> None:
    modified = client.fetch("GET", "/robots.txt").headers["Last-Modified"]
    headers = {"Range": "bytes=0-1", "If-Range": modified}
    assert client.fetch("GET", "/robots.txt", headers=headers).status == 206


# --- content types, versions ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.xml.gz", "application/gzip"),
        ("a.xml.bz2", "application/octet-stream"),
        ("a.css", "text/css"),
        ("a.unknown", "application/octet-stream"),
        ("noextension", "application/octet-stream"),
    ],
)
def test_content_types(client: Any, root: Path, name: str, content_type: str) -> None:
    (root / name).write_bytes(b"x")
    assert client.fetch("GET", f"/static/{name}").headers["Content-Type"] == content_type


def version(
    root: Path, path: str, handler: type[StaticFileHandler] = StaticFileHandler
) -> str | None:
    return handler.get_version({"static_path": str(root)}, path)


def test_versions(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert version(root, "robots.txt") == HASH
    (root / "robots.txt").write_text("other")
    assert version(root, "robots.txt") == hashlib.sha512(b"other").hexdigest()
    assert not caplog.records
    for path in ("dir", "missing", "fifo"):  # ST-10
        assert version(root, path) is None
    assert "is not a file" in caplog.text
    with pytest.raises(HTTPError) as info:
        version(root, "../static_secret/x")  # ST-10
    assert info.value.status_code == 403


def test_st10_versions_have_a_largest_file(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Small(StaticFileHandler):
        MAX_VERSION_CONTENT_SIZE = len(ROBOTS)

    assert version(root, "robots.txt", Small) == HASH
    Small.reset()
    Small.MAX_VERSION_CONTENT_SIZE -= 1
    assert version(root, "robots.txt", Small) is None
    assert "larger than" in caplog.text


def test_a_huge_file_is_not_read_for_a_version_ST_10(
    serve: Any, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """ST-10: the loop does not stand still for the 64 MB that would be hashed of it."""
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 30)

    class Page(RequestHandler):
        def get(self) -> None:
            self.write(self.static_url("huge"))

    begun = time.process_time()
    assert serve([("/page", Page)], static_path=str(root)).fetch("GET", "/page").text == (
        "/static/huge"
    )
    assert time.process_time() - begun < 0.05
    assert "larger than MAX_VERSION_CONTENT_SIZE" in caplog.text


@pytest.mark.parametrize(("more", "versioned"), [(-1, True), (0, True), (1, False)])
def test_the_largest_file_with_a_version_ST_10(root: Path, more: int, versioned: bool) -> None:
    """ST-10: whether its size is known before, or only when it is read."""

    class Small(StaticFileHandler):
        MAX_VERSION_CONTENT_SIZE = 1000

    class Own(Small):
        @classmethod
        def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> Any:
            return iter([b"x"] * (1000 + more))

    (root / "file").write_bytes(b"x" * (1000 + more))
    for handler in (Small, Own):
        handler.reset()
        assert (version(root, "file", handler) is not None) is versioned


def test_a_file_too_large_to_hash_has_a_tag_of_its_own(serve: Any, root: Path) -> None:
    class Small(StaticFileHandler):
        MAX_VERSION_CONTENT_SIZE = 1

    client = serve([("/(.*)", Small, {"path": str(root)})])
    etag = client.fetch("GET", "/robots.txt").headers["Etag"]
    assert HASH not in etag
    assert client.fetch("GET", "/robots.txt", headers={"If-None-Match": etag}).status == 304
    headers = {"Range": "bytes=0-1", "If-Range": etag}
    assert client.fetch("GET", "/robots.txt", headers=headers).status == 206


def test_a_hundred_thousand_names_ST_11() -> None:
    """ST-11: a program that makes URLs of what clients send remembers 10 000 of them, no more."""

    class Any_(StaticFileHandler):
        @classmethod
        def get_content_version(cls, abspath: str) -> str:
            return abspath

    Any_.reset()
    for number in range(100_000):
        assert version(Path("/nowhere"), str(number), Any_) == f"/nowhere/{number}"
    assert len(Any_._static_hashes) == 10_000
    assert "/nowhere/89999" not in Any_._static_hashes
    assert "/nowhere/90000" in Any_._static_hashes


def test_files_that_were_found_ST_11(serve: Any, root: Path) -> None:
    """ST-11: where they are is remembered of a bounded number, and kept answers have a bound."""
    client = serve(static_path=str(root))
    before = _static._MAX_RESOLVED, _static_ready.MAX_FILES, _static_ready.MAX_TOTAL
    assert before == (10_000, 2048, 16 * 1024 * 1024)
    old = time.time() - 10
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_static, "_MAX_RESOLVED", 5)
        patch.setattr(_static_ready, "MAX_FILES", 5)
        patch.setattr(_static_ready, "_QUIET_NS", -1)
        patch.setattr(_static, "_resolved", {})
        _static_ready.kept.forget()
        for number in range(20):
            (root / str(number)).write_text("x")
            os.utime(root / str(number), (old, old))
            for query in ("", "?v=1", "?other"):
                assert client.fetch("GET", f"/static/{number}{query}").text == "x"
            assert client.fetch("GET", f"/static/none{number}").status == 404
            assert len(_static._resolved) <= 5
            assert len(_static_ready.kept) <= 5
        assert len(_static._resolved) == 5
    _static_ready.kept.forget()


def test_st11_versions_are_bounded(root: Path) -> None:
    """ST-11: the one not used for longest goes first."""
    reads: list[str] = []

    class Limited(StaticFileHandler):
        MAX_CACHED_VERSIONS = 2

        @classmethod
        def get_content_version(cls, abspath: str) -> str:
            reads.append(os.path.basename(abspath))
            return super().get_content_version(abspath)

    Limited.reset()
    for name in "abc":
        (root / name).write_text(name)
    for name in "abacab":
        assert version(root, name, Limited) == hashlib.sha512(name.encode()).hexdigest()
    assert reads == ["a", "b", "c", "b"]
    assert len(Limited._static_hashes) == 2


def test_get_content(root: Path) -> None:
    content: Any = StaticFileHandler.get_content(str(root / "robots.txt"), 2, 6)
    assert b"".join(content) == ROBOTS[2:6]
    with pytest.raises(HTTPError):
        StaticFileHandler.get_content(str(root / "fifo"))


# --- compression ------------------------------------------------------------------------------


@pytest.fixture
def script(root: Path) -> Path:
    (root / "a.js").write_bytes(b"x" * 3000)
    (root / "a.js.gz").write_bytes(gzip.compress(b"x" * 3000))
    return root


def test_a_file_compressed_in_advance(client: Any, script: Path) -> None:
    plain = client.fetch("GET", "/static/a.js")
    packed = client.fetch("GET", "/static/a.js", headers={"Accept-Encoding": "gzip"})
    assert plain.body == gzip.decompress(packed.body)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert packed.headers["Etag"] != plain.headers["Etag"]  # ST-17
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    again = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["Etag"]}
    assert client.fetch("GET", "/static/a.js", headers=again).status == 304
    ranged = client.fetch(
        "GET", "/static/a.js", headers={"Accept-Encoding": "gzip", "Range": "bytes=0-1"}
    )
    assert (ranged.status, ranged.body, "Content-Encoding" in ranged.headers) == (
        206,
        b"xx",
        False,
    )  # RI-16


def test_it_can_be_switched_off(serve: Any, script: Path) -> None:
    client = serve([("/(.*)", StaticFileHandler, {"path": str(script), "precompressed": False})])
    response = client.fetch("GET", "/a.js", headers={"Accept-Encoding": "gzip"})
    assert ("Content-Encoding" in response.headers, "Vary" in response.headers) == (False, False)


def test_compressed_on_the_way_out(serve: Any, root: Path) -> None:
    client = serve(static_path=str(root), gzip=True)
    response = client.fetch("GET", "/robots.txt", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(response.body) == ROBOTS
    assert response.headers["Vary"] == "Accept-Encoding"
    assert response.headers["Etag"].startswith("W/")  # ST-17
    (root / "large.txt").write_bytes(b"y" * 250_000)
    response = client.fetch("GET", "/static/large.txt", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(response.body) == b"y" * 250_000


# --- large files ------------------------------------------------------------------------------


def test_a_large_file_in_pieces(client: Any, root: Path) -> None:
    data = bytes(range(256)) * 900
    (root / "large").write_bytes(data)
    response = client.fetch("GET", "/static/large")
    assert (response.body == data, response.headers["Content-Length"]) == (True, str(len(data)))
    response = client.fetch("GET", "/static/large", headers={"Range": "bytes=1-200000,-9"})
    assert data[1:200001] in response.body
    assert len(response.body) == int(response.headers["Content-Length"])


def open_files() -> int:
    """How many there are, where the system tells."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


class Shrinking(StaticFileHandler):
    """A handler whose file is cut short when its head is sent, or before it is opened."""

    def flush(self, include_footers: bool = False) -> Any:
        if self.absolute_path is not None:
            os.truncate(self.absolute_path, 10)
        return super().flush(include_footers)


def test_st16_a_file_that_shrinks_cuts_the_connection(
    serve: Any, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / "large").write_bytes(b"z" * 200_000)
    """ST-16."""
    before = open_files()
    connection = serve([("/(.*)", Shrinking, {"path": str(root)})]).start("GET", "/large")
    assert open_files() == before
    assert connection.closed
    assert not connection.responses()[0].complete
    assert "became shorter" in caplog.text


def test_a_file_replaced_before_it_is_opened_is_served_whole(serve: Any, root: Path) -> None:
    class Replaced(StaticFileHandler):
        times = 0

        def set_extra_headers(self, path: str) -> None:
            Replaced.times += 1
            if Replaced.times == 1:
                (root / "new").write_bytes(b"new content")
                (root / "new").rename(root / "robots.txt")

    client = serve([("/(.*)", Replaced, {"path": str(root)})])
    response = client.fetch("GET", "/robots.txt")
    assert (response.body, response.headers["Content-Length"]) == (b"new content", "11")
    assert response.headers["Etag"] == f'"{hashlib.sha512(b"new content").hexdigest()}"'


# --- subclasses -------------------------------------------------------------------------------


class FromNowhere(StaticFileHandler):
    """Serves what is no file, and puts the version into the name."""

    @classmethod
    def make_static_url(
        cls, settings: dict[str, Any], path: str, include_version: bool = True
    ) -> str:
        name, extension = os.path.splitext(path)
        return f"/static/{name}.{cls.get_version(settings, path)}{extension}"

    def parse_url_path(self, url_path: str) -> str:
        name, _, extension = url_path.split(".")
        return f"{name}.{extension}"

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        return "nowhere:" + path

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        return absolute_path

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes | Iterator[bytes]:
        assert abspath == "nowhere:foo.txt"
        return b"bar"[start:end] if start is not None else b"bar"

    def get_content_size(self) -> int:
        return 3

    def get_modified_time(self) -> None:
        return None

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        return "42"


def test_content_that_is_no_file(serve: Any) -> None:
    client = serve(static_path="dummy", static_handler_class=FromNowhere)
    response = client.fetch("GET", "/static/foo.42.txt")
    assert (response.body, response.headers["Content-Type"]) == (b"bar", "text/plain")
    assert "Last-Modified" not in response.headers
    response = client.fetch("GET", "/static/foo.42.txt", headers={"Range": "bytes=1-1"})
    assert (response.status, response.body) == (206, b"a")
    response = client.fetch("GET", "/static/foo.42.txt", headers={"Range": "bytes=0-0,2-2"})
    assert b"\r\n\r\nb\r\n" in response.body
    assert b"\r\n\r\nr\r\n" in response.body


def test_content_in_pieces(serve: Any) -> None:
    class Pieces(FromNowhere):
        @classmethod
        def get_content(
            cls, abspath: str, start: int | None = None, end: int | None = None
        ) -> Iterator[bytes]:
            yield b"b"
            yield b"ar"

    assert (
        serve(static_path="dummy", static_handler_class=Pieces)
        .fetch("GET", "/static/foo.1.txt")
        .body
        == b"bar"
    )


class ManyRoots(StaticFileHandler):
    """Looks in several folders, and has an initialize() of its own."""

    def initialize(self, path: list[str]) -> None:
        self.root = tuple(os.path.abspath(p) + os.path.sep for p in path)
        self.default_filename = None

    @classmethod
    def get_absolute_path(cls, root: Any, path: str) -> str:
        for folder in root:
            candidate = os.path.abspath(os.path.join(folder, path))
            if os.path.exists(candidate):
                return candidate
        return os.path.abspath(os.path.join(root[0], path))

    def validate_absolute_path(self, root: Any, absolute_path: str) -> str | None:
        for candidate in self.root:
            if (absolute_path + os.path.sep).startswith(candidate):
                root = candidate
                break
        return super().validate_absolute_path(root, absolute_path)


def test_many_roots(serve: Any, root: Path) -> None:
    other = root.parent / "other"
    other.mkdir()
    (other / "two.txt").write_text("two")
    (other / "internal").symlink_to(root / "robots.txt")
    client = serve([("/(.*)", ManyRoots, {"path": [str(root), str(other)]})])
    got = {
        path: client.fetch("GET", path).status
        for path in ("/robots.txt", "/two.txt", "/internal", "/link", "/x")
    }
    assert got == {"/robots.txt": 200, "/two.txt": 200, "/internal": 403, "/link": 403, "/x": 404}


def test_get_may_be_wrapped(serve: Any, root: Path) -> None:
    class Wrapped(StaticFileHandler):
        async def get(self, path: str, include_body: bool = True) -> None:
            await super().get("robots.txt", include_body)

        def set_extra_headers(self, path: str) -> None:
            self.set_header("X-Path", path)

        def get_cache_time(self, path: str, modified: Any, mime_type: str) -> int:
            return 60

    response = serve([("/(.*)", Wrapped, {"path": str(root)})]).fetch("GET", "/anything")
    assert (response.body, response.headers["X-Path"]) == (ROBOTS, "robots.txt")
    assert response.headers["Cache-Control"] == "max-age=60"


class Dropping(StaticFileHandler):
    """Calls ours as Cyclone 1.3 did: what is returned is lost."""

    def get(self, path: str, *args: Any, **kwargs: Any) -> Any:
        StaticFileHandler.get(self, path, *args, **kwargs)


class Passing(StaticFileHandler):
    def get(self, path: str, *args: Any, **kwargs: Any) -> Any:
        return super().get(path, *args, **kwargs)


class Yielding(StaticFileHandler):
    @inlineCallbacks
    def get(self, path: str, *args: Any, **kwargs: Any) -> Any:
        yield super().get(path, *args, **kwargs)


class Forgetting(StaticFileHandler):
    @inlineCallbacks
    def get(self, path: str, *args: Any, **kwargs: Any) -> Any:
        yield
        super().get(path, *args, **kwargs)


class Waiting(StaticFileHandler):
    async def get(self, path: str, *args: Any, **kwargs: Any) -> None:
        await super().get(path, *args, **kwargs)


@pytest.mark.parametrize("handler", [Dropping, Passing, Yielding, Forgetting, Waiting])
class TestGetOverridden:
    @pytest.fixture
    def client(self, serve: Any, root: Path, handler: type[StaticFileHandler]) -> Any:
        (root / "large").write_bytes(bytes(200_000))
        return serve([("/(.*)", handler, {"path": str(root)})])

    def test_a_small_file(self, client: Any) -> None:
        response = client.fetch("GET", "/robots.txt")
        assert (response.status, response.body) == (200, ROBOTS)
        assert "Last-Modified" in response.headers

    def test_a_large_file(self, client: Any) -> None:
        response = client.fetch("GET", "/large")
        assert (response.status, response.body) == (200, bytes(200_000))

    @pytest.mark.parametrize("path", ["/missing", "/dir/../../static_secret/x"])
    def test_none(self, client: Any, path: str) -> None:
        assert client.fetch("GET", path).status in (403, 404)

    def test_what_is_awaited_fails(
        self, client: Any, handler: type[StaticFileHandler], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(self: StaticFileHandler) -> None:
            await deferLater(self.application.reactor, 0)
            raise HTTPError(503)

        monkeypatch.setattr(handler, "_hash_large_file", fail)
        assert client.fetch("GET", "/robots.txt").status == 503

    def test_what_is_awaited_takes_its_time(
        self, client: Any, handler: type[StaticFileHandler], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def wait(self: StaticFileHandler) -> None:
            await deferLater(self.application.reactor, 0)

        monkeypatch.setattr(handler, "_hash_large_file", wait)
        response = client.fetch("GET", "/robots.txt")
        assert (response.status, response.body) == (200, ROBOTS)
