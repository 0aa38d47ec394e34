from typing import Any

import pytest

from cyclone.web import RedirectHandler, RequestHandler, addslash, is_safe_redirect, removeslash
from cyclone.web._redirects import is_protocol_relative


class Remove(RequestHandler):
    @removeslash
    def get(self) -> None:
        self.write("removed")

    post = head = get


class Add(RequestHandler):
    @addslash
    async def get(self) -> None:
        self.write("added")

    post = head = get


SLASHES = [
    ("/removeslash/?", Remove),
    ("/addslash/?", Add),
    ("/+rem.*", Remove),
    ("/+add.*", Add),
    ("/", Remove),
    (r"/\\.*", Add),
]


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("GET", "/removeslash/", 301, "/removeslash"),
        ("HEAD", "/removeslash/?foo=bar", 301, "/removeslash?foo=bar"),
        ("GET", "/removeslash", 200, None),
        ("POST", "/removeslash/", 404, None),
        ("POST", "/removeslash", 200, None),
        ("GET", "/", 200, None),
        ("GET", "/addslash", 301, "/addslash/"),
        ("GET", "/addslash?foo=bar", 301, "/addslash/?foo=bar"),
        ("GET", "/addslash/", 200, None),
        ("POST", "/addslash", 404, None),
    ],
)
def test_slashes(serve: Any, method: str, path: str, status: int, location: str | None) -> None:
    response = serve(SLASHES).fetch(method, path)
    assert (response.status, response.headers.get("Location")) == (status, location)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("//evil.com", 403),
        ("///evil.com", 403),
        ("//evil.com/", 403),
        ("//evil.com//", 403),
        ("///evil.com/x/", 403),
        ("//", 403),
        ("/\\evil.com", 403),
        ("/\\evil.com/", 403),
        ("/\\/evil.com", 403),
        ("/\t/evil.com", 400),
        ("/\t/evil.com/", 400),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_st07_slashes_stay_on_the_host(serve: Any, method: str, path: str, status: int) -> None:
    """ST-07: no redirect to what a browser would take for another host."""
    handler: Any = Remove if path.endswith("/") else Add
    connection = serve([("/.*", handler)]).connect()
    connection.send(f"{method} {path} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
    response = connection.responses()[0]
    assert (response.status, response.headers.get("Location")) == (status, None)


REDIRECTS = [
    ("/src", RedirectHandler, {"url": "/dst"}),
    ("/src2", RedirectHandler, {"url": "/dst2?foo=bar"}),
    ("/temporary", RedirectHandler, {"url": "/dst", "permanent": False}),
    (r"/any/(.*)", RedirectHandler, {"url": "{0}"}),
    (r"/moved(.*)", RedirectHandler, {"url": "https://example.com{0}"}),
    (r"/(.*)/target", RedirectHandler, {"url": "/{0}/destination"}),
    (r"/hostless/(.*)", RedirectHandler, {"url": "https://{0}"}),
    (r"/schemeonly/(.*)", RedirectHandler, {"url": "https:{0}"}),
    (r"/named/(?P<x>.*)", RedirectHandler, {"url": "/n/{x}"}),
    (r"/under/(.*)", RedirectHandler, {"url": "/{0}/b"}),
    (r"/x(.*)", RedirectHandler, {"url": "https://x{0}"}),
    (r"/(.*?)/(.*?)/(.*)", RedirectHandler, {"url": "/{1}/{0}/{2}"}),
]


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/a%20b/target", 301, "/a%20b/destination"),
        ("/src", 301, "/dst"),
        ("/temporary", 302, "/dst"),
        ("/src?foo=bar", 301, "/dst?foo=bar"),
        ("/src2?foo2=bar2", 301, "/dst2?foo=bar&foo2=bar2"),
        ("/a/b/c", 301, "/b/a/c"),
        ("/a/example.com/b", 301, "/example.com/a/b"),
        ("/ok/target?x=1", 301, "/ok/destination?x=1"),
        ("/a/b/target", 301, "/a/b/destination"),
        ("/moved/x", 301, "https://example.com/x"),
        ("/any/foo/bar", 301, "foo/bar"),
        ("/named/v", 301, "/n/v"),
        ("/any/%C3%A9", 301, "\xc3\xa9"),
        ("/any/%22%3E%3Cscript%3E", 301, '"><script>'),
        ("/under/evil.com", 301, "/evil.com/b"),
        ("/x/evil.com", 301, "https://x/evil.com"),
        ("/x%2F@evil.com", 301, "https://x/@evil.com"),
        ("/x%3F@evil.com", 301, "https://x?@evil.com"),
    ],
)
def test_redirects(serve: Any, path: str, status: int, location: str) -> None:
    response = serve(REDIRECTS).fetch("GET", path)
    assert (response.status, response.headers["Location"]) == (status, location)
    assert response.body == b""  # RI-06: no page repeats the target


@pytest.mark.parametrize(
    "path",
    [
        "/a//example.com/a/b",
        "/a/%5Cexample.com/b",
        "/a/%09/example.com/b",
        "/a////example.com/b",
        "/a/%2F%2F%5Cexample.com/b",
        "/%2Fevil.com/target",
        "/%5C%5Cevil.com/target?x=1",
        "/any/%0Afoo",
        "/any/a%00b",
        "/any/%2F%2F%5B?x=1",
        "/hostless/evil.com",
        "/hostless//evil.com",
        "/schemeonly/evil.com?x=1",
        "/schemeonly////evil.com",
        "/moved.evil.com/x",
        "/moved@evil.com/x",
        "/moved:8080/x",
        "/any/https://evil.com/",
        "/any/%5C%5Cevil.com/",
        "/any////evil.com/",
        "/any/javascript:alert(1)",
        "/under//evil.com",
        "/under/%09/evil.com",
        "/under/%5Cevil.com",
        "/schemeonly/x",
        "/schemeonly/%5C%5Cevil.com",
        "/x.evil.com",
        "/x@evil.com",
        "/x:80@evil",
        "/x%5C@evil.com",
        "/x%5C%5C@evil.com/",
    ],
)
def test_st08_scheme_and_host_do_not_come_from_the_client(serve: Any, path: str) -> None:
    """ST-08: read as browsers do, and as RFC 3986 has it."""
    response = serve(REDIRECTS).fetch("GET", path)
    assert response.status == 400
    assert "Location" not in response.headers


@pytest.mark.parametrize("url", ["/", "/a?b=//c#d", "/a//b", "/%2F"])
def test_st09_safe(url: str) -> None:
    """ST-09."""
    assert is_safe_redirect(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "//evil",
        "/\\evil",
        "\\/evil",
        "https:evil",
        "https://evil",
        "/\t/evil",
        " //evil",
        "/\n",
        "/a\\b",
        "javascript:1",
        "///evil",
    ],
)
def test_st09_unsafe(url: str) -> None:
    """ST-09."""
    assert not is_safe_redirect(url)


def test_protocol_relative() -> None:
    assert is_protocol_relative("\x01 /\t\\evil")
    assert not is_protocol_relative("/a//b")
