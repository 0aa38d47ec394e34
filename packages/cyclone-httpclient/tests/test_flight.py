"""A fetch from call to result over real sockets: redirects, credentials, limits, callbacks."""

from __future__ import annotations

import contextvars
import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest
import trustme
from httpclient_support import (
    Received,
    Reply,
    failure,
    new_client,
    ok,
    options_of,
    reactor_test,
    redirect,
    serving,
    turn,
    until,
)
from twisted.internet.defer import CancelledError, Deferred

from cyclone.httpclient import (
    CookieJar,
    HTTPClientError,
    HTTPProtocolError,
    HTTPRequest,
    HTTPResponse,
    HTTPResponseTooLargeError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
)
from cyclone.httputil import HTTPHeaders, current_request


@reactor_test
async def test_a_get() -> None:
    answer = ok(b"hello", "X-A: 1", "X-A: 2", "Content-Type: text/plain")
    async with serving(answer) as server, new_client() as client:
        response = await client.fetch(server.url + "/p?q=1")
        assert (response.code, response.reason, response.body) == (200, "OK", b"hello")
        assert response.headers.get("Content-Type") == "text/plain"
        assert response.headers.get_list("X-A") == ["1", "2"]
        assert response.effective_url == server.url + "/p?q=1"
        assert response.request_time is not None
        assert response.request_time >= 0
        assert all(value >= 0 for value in response.time_info.values())
        request = server.requests[0]
        assert (request.method, request.target) == ("GET", "/p?q=1")
        assert request.header("Host") == f"127.0.0.1:{server.port}"
        assert request.header("User-Agent") == "Cyclone/2"
        assert "gzip" in (request.header("Accept-Encoding") or "")
        assert request.header("Content-Length") is None


@reactor_test
async def test_what_the_request_that_is_served_sends_along() -> None:
    class Serving:
        def log_fields(self) -> dict[str, str]:
            return {}

        def outgoing_headers(self) -> dict[str, str]:
            return {"traceparent": "00-1-2-01", "X-Request-ID": "theirs"}

    def start() -> Deferred[HTTPResponse]:
        current_request.set(Serving())
        return client.fetch(url, headers={"X-Request-ID": "mine"})

    def answer(request: Received) -> bytes:
        return redirect("/next") if request.target == "/" else ok()

    async with serving(answer) as server, new_client() as client:
        url = server.url + "/"
        await contextvars.copy_context().run(start)
        await client.fetch(server.url + "/next")
        sent = [(r.header("traceparent"), r.header("X-Request-ID")) for r in server.requests]
        assert sent == [("00-1-2-01", "mine")] * 2 + [(None, None)]


@reactor_test
async def test_connections_are_kept_and_used_again() -> None:
    async with serving(ok()) as server, new_client() as client:
        for _ in range(5):
            await client.fetch(server.url)
        assert server.accepted == 1
        assert [request.connection for request in server.requests] == [1] * 5


@pytest.mark.parametrize("status", [199 + 105, 400, 404, 500, 599])
@reactor_test
async def test_a_status_outside_2xx_raises_unless_told_otherwise(status: int) -> None:
    answer = ok(b"" if status == 304 else b"body", status=f"{status} Reason")
    async with serving(answer) as server, new_client() as client:
        error = await failure(client.fetch(server.url), HTTPClientError)
        assert (error.code, error.status_code, error.message) == (status, status, "Reason")
        assert error.response is not None
        response = await client.fetch(server.url, raise_error=False)
        assert response.error is not None
        assert response.code == status


# Redirects: the table of the Fetch standard (CL-05)

TABLE = [
    (code, method, *after)
    for code in (301, 302, 303, 307, 308)
    for method, after in {
        "GET": ("GET", False),
        "HEAD": ("HEAD", False),
        "POST": ("GET", False) if code in (301, 302, 303) else ("POST", True),
        "PUT": ("GET", False) if code == 303 else ("PUT", True),
        "DELETE": ("GET", False) if code == 303 else ("DELETE", False),
        "PATCH": ("GET", False) if code == 303 else ("PATCH", True),
    }.items()
]


@pytest.mark.parametrize(
    ("code", "method", "then", "keeps_body"),
    TABLE,
    ids=[f"CL-05-{code}-{method}" for code, method, *_ in TABLE],
)
@reactor_test
async def test_redirect_methods(code: int, method: str, then: str, keeps_body: bool) -> None:
    def answer(request: Received) -> bytes:
        if request.target == "/a":
            reply = redirect("/b", f"{code} Moved")
            return reply.removesuffix(b"moved") if method == "HEAD" else reply
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    body = b"data" if method in ("POST", "PUT", "PATCH") else None
    async with serving(answer) as server, new_client() as client:
        headers = {"Content-Type": "text/x", "X-Mine": "1"} if body else {"X-Mine": "1"}
        response = await client.fetch(server.url + "/a", method=method, body=body, headers=headers)
        last = server.requests[-1]
        assert response.code == 200
        assert (last.method, last.target) == (then, "/b")
        assert last.body == (b"data" if keeps_body else b"")
        assert last.header("X-Mine") == "1"
        assert last.header("Content-Type") == ("text/x" if keeps_body else None)
        assert server.accepted == 1


SECRETS = {"AUTHORIZATION": "Bearer t", "cookie": "a=b", "Proxy-authorization": "x", "X-Keep": "1"}


@reactor_test
async def test_CL_02_CL_03_credentials_stay_on_their_origin() -> None:
    async with serving(ok()) as other, new_client() as client:

        def answer(request: Received) -> bytes:
            hop = {"/a": "/same", "/same": other.url + "/there", "/back": "/x"}
            return redirect(hop[request.target]) if request.target in hop else ok()

        async with serving(answer) as server:
            other.answer = lambda request: (
                redirect(server.url + "/end") if request.target == "/there" else ok()
            )
            await client.fetch(server.url + "/a", headers=SECRETS, cookies={"c": "d"})
            first, same, end = server.requests
            for request in (first, same):
                assert request.header("Authorization") == "Bearer t"
                assert request.header("Cookie") == "a=b; c=d"
                assert request.header("Proxy-Authorization") == "x"
            # gone on the other origin, and not back again on the first
            for request in (other.requests[0], end):
                for name in ("Authorization", "Cookie", "Proxy-Authorization"):
                    assert request.header(name) is None
                assert request.header("X-Keep") == "1"


# What a request is allowed to say to its own origin, by how it was told to.
TOLD: dict[str, tuple[dict[str, Any], str, list[tuple[str, str]]]] = {
    "headers": (
        {"headers": HTTPHeaders([("AUTHORIZATION", "Bearer t"), ("cookie", "a=b")])},
        "",
        [("Authorization", "Bearer t"), ("Cookie", "a=b")],
    ),
    "header twice": (
        {"headers": {"cOOKIE": ["a=b", "c=d"], "proxy-AUTHORIZATION": ["x", "y"]}},
        "",
        [("Cookie", "a=b, c=d"), ("Proxy-Authorization", "x, y")],
    ),
    "cookies (CL-03)": ({"cookies": {"a": "b"}}, "", [("Cookie", "a=b")]),
    "user name": (
        {"auth_username": "u", "auth_password": "p"},
        "",
        [("Authorization", "Basic dTpw")],
    ),
    "userinfo": ({}, "v:w@", [("Authorization", "Basic djp3")]),
}
# From where to where; whether that is the same origin.
MOVES = {
    "same": ("http://127.0.0.1:{one}", "http://127.0.0.1:{one}", True),
    "same, upper case": ("http://localhost:{one}", "HTTP://LOCALHOST:{one}", True),
    "host": ("http://127.0.0.1:{one}", "http://localhost:{one}", False),
    "port": ("http://127.0.0.1:{one}", "http://127.0.0.1:{two}", False),
    "https to http": ("https://localhost:{tls}", "http://localhost:{one}", False),
    "http to https": ("http://localhost:{one}", "https://localhost:{tls}", False),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A certificate for localhost, and the file of the authority that gave it."""
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(file))
    return options_of(ca.issue_cert("localhost")), file


@pytest.mark.parametrize(("first", "second", "same"), MOVES.values(), ids=list(MOVES))
@pytest.mark.parametrize(("told", "userinfo", "sent"), TOLD.values(), ids=list(TOLD))
@reactor_test
async def test_CL_02_CL_03_what_is_told_to_which_origin(
    authority: tuple[Any, Path],
    told: dict[str, Any],
    userinfo: str,
    sent: list[tuple[str, str]],
    first: str,
    second: str,
    same: bool,
) -> None:
    certificate, ca_certs = authority
    async with (
        serving(ok()) as one,
        serving(ok()) as two,
        serving(ok(), tls=certificate) as tls,
        new_client(defaults={"ca_certs": ca_certs}) as client,
    ):
        ports = {"one": one.port, "two": two.port, "tls": tls.port}
        home, away = first.format(**ports), second.format(**ports)
        hops = {"/": away + "/away", "/away": home + "/back"}
        seen: dict[str, Received] = {}

        def answer(request: Received) -> bytes:
            seen[request.target] = request
            return redirect(hops[request.target]) if request.target in hops else ok()

        one.answer = two.answer = tls.answer = answer
        await client.fetch(home.replace("://", "://" + userinfo) + "/", **told)
        for name, value in sent:
            assert seen["/"].header(name) == value
            for target in ("/away", "/back"):  # not restored on the way back
                assert seen[target].header(name) == (value if same else None), (target, name)


@reactor_test
async def test_CL_02_basic_credentials_and_userinfo_stay_on_their_origin() -> None:
    async with (
        serving(ok()) as other,
        new_client() as client,
        serving(redirect(other.url + "/x")) as server,
    ):
        await client.fetch(server.url, auth_username="u", auth_password="p")
        await client.fetch(f"http://v:w@127.0.0.1:{server.port}/")
        assert [request.header("Authorization") for request in server.requests] == [
            "Basic dTpw",
            "Basic djp3",
        ]
        assert [request.header("Authorization") for request in other.requests] == [None, None]


@pytest.mark.parametrize(
    "location",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "data:text/html,x",
        "javascript:alert(1)",
        "http://",
        "http:///nohost",
        "//",
        "http://127.1/",
    ],
)
@reactor_test
async def test_CL_06_redirects_to_other_schemes(location: str) -> None:
    async with serving(redirect(location)) as server, new_client(max_clients=1) as client:
        await failure(client.fetch(server.url), ValueError)
        server.answer = lambda _: ok()
        assert (await client.fetch(server.url)).body == b"ok"
        await until(lambda: len(server.open) == 1)


@reactor_test
async def test_CL_06_it_fails_as_soon_as_the_redirect_is_there() -> None:
    async with serving(None) as server, new_client() as client:
        failed: list[Any] = []
        client.fetch(server.url).addErrback(failed.append)
        await until(lambda: server.requests)
        connection, head = server.open[0], redirect("ftp://x/").partition(b"moved")[0]
        # Without its body: for that nobody waits
        connection.transport.write(head)
        await until(lambda: failed)
        assert isinstance(failed[0].value, ValueError)


@reactor_test
async def test_CL_07_a_loop_ends_with_the_last_response() -> None:
    async with serving(redirect("/again")) as server, new_client() as client:
        error = await failure(client.fetch(server.url), HTTPClientError)
        assert error.code == 302
        assert error.response is not None
        assert error.response.body == b"moved"
        assert len(server.requests) == 6
        error = await failure(client.fetch(server.url, max_redirects=1), HTTPClientError)
        assert len(server.requests) == 8


@pytest.mark.parametrize(("most", "hops"), [(None, 5), (0, 0), (1, 1), (1000, 1000)])
@reactor_test
async def test_CL_07_a_chain_of_a_thousand_hops(most: int | None, hops: int) -> None:
    def answer(request: Received) -> bytes:
        number = int(request.target[1:])
        return redirect(f"/{number + 1}") if number < 1000 else ok(b"arrived")

    async with serving(answer) as server, new_client() as client:
        options: Any = {} if most is None else {"max_redirects": most}
        response = await client.fetch(server.url + "/0", raise_error=False, **options)
        assert [request.target for request in server.requests] == [f"/{n}" for n in range(hops + 1)]
        assert response.effective_url == f"{server.url}/{hops}"
        if hops < 1000:
            assert (response.code, response.body) == (302, b"moved")
            assert response.headers["Location"] == f"/{hops + 1}"
        else:
            assert (response.code, response.body) == (200, b"arrived")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "/b"),
        ("b?x", "/dir/b?x"),
        ("../c", "/c"),
        ("//{host}/d", "/d"),
        ("?q", "/dir/a?q"),
        ("/b#frag", "/b"),
        ("/caf\u00c3\u00a9", "/caf%C3%A9"),
        ("/a b", "/a%20b"),
    ],
)
@reactor_test
async def test_CL_07_locations(location: str, target: str) -> None:
    async with serving(ok()) as server, new_client() as client:
        place = location.format(host=f"127.0.0.1:{server.port}")
        server.answer = lambda got: redirect(place) if got.target == "/dir/a" else ok()
        response = await client.fetch(server.url + "/dir/a#here")
        assert server.requests[-1].target == target
        assert response.effective_url.endswith("#frag" if "#" in location else "#here")


@reactor_test
async def test_CL_07_without_a_location_the_response_is_returned() -> None:
    async with serving(ok(b"x", status="302 Found")) as server, new_client() as client:
        error = await failure(client.fetch(server.url), HTTPClientError)
        assert error.code == 302
        for follow in (True, False):
            response = await client.fetch(server.url, raise_error=False, follow_redirects=follow)
            assert (response.code, response.body) == (302, b"x")


@reactor_test
async def test_CL_05_a_body_that_cannot_be_sent_twice() -> None:
    async def pieces() -> Any:
        yield b"once"

    async with serving(redirect("/b", "307 Moved")) as server, new_client() as client:
        error = await failure(
            client.fetch(server.url, method="POST", body=pieces()), HTTPClientError
        )
        assert error.code == 307
        assert len(server.requests) == 1


@reactor_test
async def test_CL_08_an_endless_redirect_body_is_not_read() -> None:
    def answer(request: Received) -> bytes:
        if request.target == "/a":
            head = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 99999999\r\n\r\n"
            return head + b"x" * 1000
        return ok()

    async with serving(answer) as server, new_client(max_clients=1) as client:
        assert (await client.fetch(server.url + "/a")).body == b"ok"
        assert [request.connection for request in server.requests] == [1, 2]
        await until(lambda: len(server.open) == 1)


# Bodies: limits, decoding, truncation

BOMB = zlib.compress(b"0" * 5_000_000)


def gzipped(body: bytes) -> bytes:
    return ok(gzip.compress(body), "Content-Encoding: gzip")


ENDLESS = b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 20_000
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        ok(b"x" * 10_001),
        ENDLESS,
        CHUNKED + b"2711\r\n" + b"x" * 10_001 + b"\r\n",
        gzipped(b"0" * 5_000_000),
        ok(BOMB, "Content-Encoding: deflate"),
        ok(gzip.compress(gzip.compress(b"0" * 5_000_000)), "Content-Encoding: gzip, gzip"),
        ok(gzip.compress(b"") * 600, "Content-Encoding: gzip"),
    ],
    ids=["length", "endless", "chunked", "gzip", "deflate", "twice", "empty-members"],
)
@reactor_test
async def test_CL_08_larger_than_max_body_size(data: bytes, streaming: bool) -> None:
    pieces: list[bytes] = []
    options: dict[str, Any] = {"streaming_callback": pieces.append} if streaming else {}
    async with serving(data) as server, new_client(max_clients=1) as client:
        error = await failure(
            client.fetch(server.url, max_body_size=10_000, **options), HTTPResponseTooLargeError
        )
        assert error.response is None or error.response.body == b""
        assert sum(map(len, pieces)) <= 10_000 + 65_536
        server.answer = lambda _: ok()
        assert (await client.fetch(server.url)).body == b"ok"


@pytest.mark.parametrize(("size", "fits"), [(9_999, True), (10_000, True), (10_001, False)])
@pytest.mark.parametrize("wrap", [ok, gzipped], ids=["plain", "gzip"])
@reactor_test
async def test_CL_08_the_limit_is_exact(size: int, fits: bool, wrap: Any) -> None:
    async with serving(wrap(b"x" * size)) as server, new_client(max_body_size=10_000) as client:
        if fits:
            assert len((await client.fetch(server.url)).body) == size
        else:
            await failure(client.fetch(server.url), HTTPResponseTooLargeError)


CUT = {
    "length": Reply(ok(b"x" * 10)[:-1], "close"),
    "chunked": Reply(CHUNKED + b"5\r\nab", "close"),
    "chunked-no-end": Reply(CHUNKED + b"2\r\nab\r\n", "close"),
    "gzip": Reply(ok(gzip.compress(b"hello" * 100)[:-5], "Content-Encoding: gzip")),
    "gzip-until-close": Reply(
        b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hi")[:-1], "close"
    ),
    "reset": Reply(b"HTTP/1.0 200 OK\r\n\r\npart", "abort"),
    "head": Reply(b"HTTP/1.1 200 OK\r\nContent-", "close"),
    "nothing": Reply(b"", "close"),
}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("reply", CUT.values(), ids=[f"CL-11-{name}" for name in CUT])
@reactor_test
async def test_cut_short_is_an_error(reply: Reply, streaming: bool) -> None:
    options: dict[str, Any] = {"streaming_callback": lambda _: None} if streaming else {}
    async with serving(reply) as server, new_client(max_clients=1) as client:
        await failure(client.fetch(server.url, **options), HTTPStreamClosedError)
        server.answer = lambda _: ok()
        assert (await client.fetch(server.url)).body == b"ok"


@reactor_test
async def test_CL_11_the_partial_body_is_there() -> None:
    async with serving(CUT["length"]) as server, new_client() as client:
        error = await failure(client.fetch(server.url), HTTPStreamClosedError)
        assert error.response is not None
        assert error.response.body == b"x" * 9
        assert error.response.error is error


@reactor_test
async def test_until_close_is_whole_when_the_peer_ends_it() -> None:
    async with (
        serving(Reply(b"HTTP/1.0 200 OK\r\n\r\nall", "close")) as server,
        new_client() as client,
    ):
        assert (await client.fetch(server.url)).body == b"all"


@reactor_test
async def test_decoding_hides_the_coding_and_can_be_turned_off() -> None:
    async with serving(gzipped(b"hello")) as server, new_client() as client:
        response = await client.fetch(server.url)
        assert response.body == b"hello"
        assert "Content-Encoding" not in response.headers
        assert response.headers["X-Consumed-Content-Encoding"] == "gzip"
        assert response.length == 5
        for options in ({"decompress_response": False}, {"use_gzip": False}):
            response = await client.fetch(server.url, **options)  # type: ignore[arg-type]
            assert gzip.decompress(response.body) == b"hello"
            assert server.requests[-1].header("Accept-Encoding") is None


@reactor_test
async def test_damaged_gzip() -> None:
    async with (
        serving(ok(b"nonsense", "Content-Encoding: gzip")) as server,
        new_client() as client,
    ):
        await failure(client.fetch(server.url), HTTPProtocolError)


@reactor_test
async def test_an_unknown_coding_is_left_alone() -> None:
    async with serving(ok(b"x", "Content-Encoding: new")) as server, new_client() as client:
        response = await client.fetch(server.url)
        assert (response.body, response.headers["Content-Encoding"]) == (b"x", "new")


@reactor_test
async def test_a_head_response_with_a_coding_has_no_body_to_decode() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
    async with serving(answer) as server, new_client() as client:
        response = await client.fetch(server.url, method="HEAD")
        assert (response.body, response.length) == (b"", 20)


# Callbacks


@reactor_test
async def test_streaming_callback_takes_the_body() -> None:
    pieces: list[bytes] = []
    async with serving(gzipped(b"hello" * 50_000)) as server, new_client() as client:
        response = await client.fetch(server.url, streaming_callback=pieces.append)
        assert b"".join(pieces) == b"hello" * 50_000
        assert max(map(len, pieces)) <= 65_536
        assert response.body == b""


@pytest.mark.parametrize("coded", [False, True])
@reactor_test
async def test_an_async_streaming_callback_slows_the_server_down(coded: bool) -> None:
    size = 8_000_000
    gate: Deferred[None] = Deferred()
    seen = 0

    async def take(data: bytes) -> None:
        nonlocal seen
        seen += len(data)
        if not gate.called:
            await gate

    def answer(request: Received) -> bytes:
        return gzipped(b"0" * size) if coded else ok(b"0" * size)

    async with serving(answer) as server, new_client() as client:
        fetching = client.fetch(server.url, streaming_callback=take)
        await until(lambda: seen)
        for _ in range(20):
            await turn(0.002)
        assert seen <= 65_536
        gate.callback(None)
        await fetching
        assert seen == size


@pytest.mark.parametrize("wrap", [ok, gzipped], ids=["plain", "gzip"])
@reactor_test
async def test_F_13_the_end_waits_for_the_callback(wrap: Any) -> None:
    events: list[str] = []

    async def take(data: bytes) -> None:
        await turn(0.01)
        events.append("taken")

    reply = Reply(wrap(b"x" * 100), "close")
    async with serving(reply) as server, new_client() as client:
        await client.fetch(server.url, streaming_callback=take)
        events.append("done")
        assert events == ["taken", "done"]


def boom(*_: object) -> None:
    raise ZeroDivisionError("mine")


async def async_boom(*_: object) -> None:
    await turn()
    raise ZeroDivisionError("mine")


def not_awaitable(*_: object) -> Any:
    return 42


@pytest.mark.parametrize("wrap", [ok, gzipped], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "options",
    [
        {"streaming_callback": boom},
        {"streaming_callback": async_boom},
        {"streaming_callback": not_awaitable},
        {"header_callback": boom},
    ],
    ids=["streaming", "async", "bad-result", "header"],
)
@reactor_test
async def test_CL_20_a_callback_that_fails(options: Any, wrap: Any) -> None:
    async with serving(wrap(b"x")) as server, new_client(max_clients=1) as client:
        error = await failure(client.fetch(server.url, **options), HTTPStreamClosedError)
        assert isinstance(error.__cause__, ZeroDivisionError | TypeError)
        assert (await client.fetch(server.url)).body == b"x"


@reactor_test
async def test_header_callback_gets_the_lines_of_the_last_response_only() -> None:
    lines: list[str] = []

    def answer(request: Received) -> bytes:
        return redirect("/b") if request.target == "/a" else ok(b"", "X-A: b")

    async with serving(answer) as server, new_client() as client:
        await client.fetch(server.url + "/a", header_callback=lines.append)
        assert lines == ["HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n", "X-A: b\r\n", "\r\n"]


@reactor_test
async def test_streaming_skips_the_body_of_a_redirect() -> None:
    pieces: list[bytes] = []

    def answer(request: Received) -> bytes:
        return redirect("/b") if request.target == "/a" else ok(b"end")

    async with serving(answer) as server, new_client() as client:
        await client.fetch(server.url + "/a", streaming_callback=pieces.append)
        assert pieces == [b"end"]


# Uploads


@reactor_test
async def test_body_producers() -> None:
    async def producer(write: Any) -> None:
        await write(b"12")
        await turn()
        await write(b"345")

    def plain(write: Any) -> Any:
        write(b"12")
        return write(b"345")

    async with serving(ok()) as server, new_client() as client:
        for function in (producer, plain):
            await client.fetch(server.url, method="POST", body_producer=function)
            assert server.requests[-1].header("Transfer-Encoding") == "chunked"
            assert server.requests[-1].body == b"12345"
            await client.fetch(
                server.url, method="PUT", body_producer=function, headers={"Content-Length": "5"}
            )
            assert server.requests[-1].header("Content-Length") == "5"
            assert server.requests[-1].header("Transfer-Encoding") is None
            assert server.requests[-1].body == b"12345"
        assert server.accepted == 1


@pytest.mark.parametrize("length", ["4", "6"])
@reactor_test
async def test_a_body_of_another_length_than_announced(length: str) -> None:
    async def producer(write: Any) -> None:
        await write(b"12345")

    async with serving(ok()) as server, new_client(max_clients=1) as client:
        headers = {"Content-Length": length}
        await failure(
            client.fetch(server.url, method="PUT", body_producer=producer, headers=headers),
            ValueError,
        )
        assert (await client.fetch(server.url)).body == b"ok"


@reactor_test
async def test_CL_20_a_body_producer_that_fails() -> None:
    async with serving(ok()) as server, new_client(max_clients=1) as client:
        for producer in (boom, async_boom):
            await failure(
                client.fetch(server.url, method="POST", body_producer=producer),
                ZeroDivisionError,
            )
        assert (await client.fetch(server.url)).body == b"ok"


@reactor_test
async def test_a_large_upload_waits_for_the_socket() -> None:
    produced = 0

    async def pieces() -> Any:
        nonlocal produced
        for _ in range(400):
            produced += 65_536
            yield b"x" * 65_536

    async with serving(ok()) as server, new_client() as client:
        server.swallow = True
        fetching = client.fetch(server.url, method="POST", body=pieces())
        await until(lambda: server.open)
        server.open[0].transport.pauseProducing()
        for _ in range(20):
            await turn(0.002)
        assert produced < 400 * 65_536
        server.open[0].transport.resumeProducing()
        await until(lambda: server.received_bytes > 400 * 65_536)
        server.open[0].transport.write(ok(b"thanks"))
        assert (await fetching).body == b"thanks"


@reactor_test
async def test_expect_100_continue() -> None:
    async with serving(ok()) as server, new_client() as client:
        server.on_expect = b"HTTP/1.1 100 Continue\r\n\r\n"
        response = await client.fetch(
            server.url, method="POST", body=b"data", expect_100_continue=True
        )
        assert response.body == b"ok"
        assert server.requests[0].body == b"data"
        assert server.requests[0].header("Expect") == "100-continue"


@reactor_test
async def test_CL_12_a_final_answer_instead_of_100() -> None:
    async with serving(ok()) as server, new_client(max_clients=1) as client:
        server.on_expect = ok(b"no", status="417 Expectation Failed")
        error = await failure(
            client.fetch(server.url, method="POST", body=b"data", expect_100_continue=True),
            HTTPClientError,
        )
        assert error.code == 417
        await client.fetch(server.url)
        assert [request.connection for request in server.requests] == [1, 2]


@reactor_test
async def test_CL_12_an_answer_before_the_upload_is_over() -> None:
    async def forever() -> Any:
        while True:
            yield b"x" * 65_536
            await turn()

    async with serving(ok()) as server, new_client(max_clients=1) as client:
        fetching = client.fetch(server.url + "/up", method="POST", body=forever())
        await until(lambda: server.received_bytes)
        server.open[0].transport.write(ok(b"", status="413 Too Large"))
        error = await failure(fetching, HTTPClientError)
        assert error.code == 413
        assert (await client.fetch(server.url)).body == b"ok"
        assert server.requests[-1].connection == 2


# The end of waiting


@pytest.mark.parametrize("reply", [None, ok(b"x" * 10)[:-1], b"HTTP/1.1 200"])
@reactor_test
async def test_F_36_request_timeout(reply: bytes | None) -> None:
    async with serving(ok()) as server, new_client(max_clients=1) as client:
        await client.fetch(server.url)
        server.answer = lambda _: reply
        error = await failure(client.fetch(server.url, request_timeout=0.05), HTTPTimeoutError)
        assert str(error) == "Timeout during request"
        assert (error.phase, error.option) == ("request", "request_timeout")
        assert (error.code, error.seconds) == (599, 0.05)
        server.answer = lambda _: ok()
        assert (await client.fetch(server.url)).body == b"ok"
        assert server.requests[-1].connection > 1


@reactor_test
async def test_the_queue_times_out() -> None:
    async with serving(None) as server, new_client(max_clients=1) as client:
        first = client.fetch(server.url)
        error = await failure(client.fetch(server.url, connect_timeout=0.02), HTTPTimeoutError)
        assert str(error) == "Timeout in request queue"
        assert (error.phase, error.option) == ("queue", "connect_timeout")
        error = await failure(client.fetch(server.url, request_timeout=0.02), HTTPTimeoutError)
        assert (error.phase, error.option) == ("queue", "request_timeout")
        first.cancel()
        await failure(first, CancelledError)


STAGES = {
    "headers": None,
    "body": ok(b"x" * 10)[:-1],
    "chunked": CHUNKED + b"5\r\nab",
}


@pytest.mark.parametrize("reply", STAGES.values(), ids=[f"F-37-{name}" for name in STAGES])
@reactor_test
async def test_cancelled(reply: bytes | None) -> None:
    async with serving(reply) as server, new_client(max_clients=1) as client:
        fetching = client.fetch(server.url + "/1")
        await until(lambda: server.requests)
        await turn(0.01)
        fetching.cancel()
        await failure(fetching, CancelledError)
        await until(lambda: not server.open)
        server.answer = lambda _: ok(b"second")
        response = await client.fetch(server.url + "/2")
        assert response.body == b"second"
        assert server.requests[-1].connection == 2


@reactor_test
async def test_F_37_cancelled_in_the_queue() -> None:
    async with serving(None) as server, new_client(max_clients=1) as client:
        first, second = client.fetch(server.url + "/1"), client.fetch(server.url + "/2")
        await until(lambda: server.requests)
        second.cancel()
        await failure(second, CancelledError)
        first.cancel()
        await failure(first, CancelledError)
        server.answer = lambda _: ok()
        await client.fetch(server.url + "/3")
        assert [request.target for request in server.requests] == ["/1", "/3"]


@reactor_test
async def test_F_37_cancelled_during_the_upload() -> None:
    async def forever() -> Any:
        while True:
            yield b"x" * 65_536
            await turn()

    async with serving(ok()) as server, new_client(max_clients=1) as client:
        fetching = client.fetch(server.url, method="POST", body=forever())
        await until(lambda: server.received_bytes)
        fetching.cancel()
        await failure(fetching, CancelledError)
        await until(lambda: not server.open)
        assert (await client.fetch(server.url)).body == b"ok"


@reactor_test
async def test_F_37_cancelled_in_a_streaming_callback() -> None:
    fetching: Deferred[HTTPResponse]
    calls: list[bytes] = []

    def take(data: bytes) -> None:
        calls.append(data)
        fetching.cancel()

    async with serving(gzipped(b"0" * 500_000)) as server, new_client(max_clients=1) as client:
        fetching = client.fetch(server.url, streaming_callback=take)
        await failure(fetching, CancelledError)
        assert len(calls) == 1
        server.answer = lambda _: ok()
        assert (await client.fetch(server.url)).body == b"ok"


@reactor_test
async def test_F_37_cancelled_between_hops() -> None:
    def answer(request: Received) -> bytes | None:
        return redirect("/b") if request.target == "/a" else None

    async with serving(answer) as server, new_client(max_clients=1) as client:
        fetching = client.fetch(server.url + "/a")
        await until(lambda: len(server.requests) == 2)
        fetching.cancel()
        await failure(fetching, CancelledError)
        await until(lambda: not server.open)


@reactor_test
async def test_CL_20_a_hundred_failures_leave_the_pool_free() -> None:
    bad: list[bytes | Reply | None] = [
        b"nonsense",
        Reply(b"", "close"),
        Reply(b"", "abort"),
        ok(b"x" * 10_000),
        redirect("ftp://x/"),
        ok(b"junk", "Content-Encoding: gzip"),
        ok(b"no", status="500 No"),
        None,
    ]
    count = 0

    def answer(_: Received) -> bytes | Reply | None:
        nonlocal count
        count += 1
        return bad[count % len(bad)]

    async with serving(answer) as server, new_client(max_clients=3, max_body_size=5000) as client:
        results: list[object] = []
        for _ in range(100):
            client.fetch(server.url, request_timeout=0.1).addBoth(results.append)
        await until(lambda: len(results) == 100)
        assert all(not isinstance(result, HTTPResponse) for result in results)
        server.answer = lambda _: ok()
        assert (await client.fetch(server.url)).body == b"ok"
        pool = client._pool
        assert pool is not None
        assert (pool.busy, pool.waiting) == (0, 0)


# Credentials


@reactor_test
async def test_basic_credentials() -> None:
    async with serving(ok()) as server, new_client() as client:
        for options in (
            {"auth_username": "\u00fcser", "auth_password": "p:w"},
            {"auth_username": "\u00fcser", "auth_password": "p:w", "auth_mode": "basic"},
        ):
            await client.fetch(server.url, **options)  # type: ignore[arg-type]
            assert server.requests[-1].header("Authorization") == "Basic w7xzZXI6cDp3"
        await failure(client.fetch(server.url, auth_username="a", auth_mode="ntlm"), ValueError)
        await failure(client.fetch(server.url, auth_username="a:b"), ValueError)
        await failure(client.fetch(server.url, auth_username="a", auth_password="\n"), ValueError)


CHALLENGE = 'WWW-Authenticate: Digest realm="r\\"x", nonce="n{n}", qop="auth", algorithm=SHA-256'


def digest_server(accept: int = 1, stale: bool = False) -> Any:
    def answer(request: Received) -> bytes:
        sent = request.header("Authorization") or ""
        if f'nonce="n{accept}"' in sent:
            return ok(b"in")
        tail = ", stale=true" if stale and sent else ""
        number = 1 if not sent else 2
        return ok(b"out", CHALLENGE.format(n=number) + tail, status="401 No")

    return answer


@reactor_test
async def test_digest() -> None:
    async with serving(digest_server()) as server, new_client() as client:
        response = await client.fetch(
            server.url + "/x?y", auth_username="u", auth_password="p", auth_mode="digest"
        )
        assert response.body == b"in"
        first, second = server.requests
        assert first.header("Authorization") is None
        sent = second.header("Authorization") or ""
        assert sent.startswith('Digest username="u", realm="r\\"x", nonce="n1", uri="/x?y"')
        assert server.accepted == 1


@pytest.mark.parametrize(("stale", "requests", "code"), [(True, 3, 200), (False, 2, 401)])
@reactor_test
async def test_digest_once_more_only_when_the_nonce_was_stale(
    stale: bool, requests: int, code: int
) -> None:
    async with serving(digest_server(2, stale)) as server, new_client() as client:
        response = await client.fetch(
            server.url, raise_error=False, auth_username="u", auth_password="p", auth_mode="digest"
        )
        assert (len(server.requests), response.code) == (requests, code)


@reactor_test
async def test_CL_18_a_challenge_from_another_origin_is_not_answered() -> None:
    async with (
        serving(digest_server()) as other,
        new_client() as client,
        serving(redirect(other.url)) as server,
    ):
        error = await failure(
            client.fetch(server.url, auth_username="u", auth_password="p", auth_mode="digest"),
            HTTPClientError,
        )
        assert error.code == 401
        assert len(other.requests) == 1
        assert other.requests[0].header("Authorization") is None


# Cookies


@reactor_test
async def test_cookies_of_a_jar_and_of_a_request() -> None:
    async with (
        serving(ok(b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2")) as server,
        new_client(cookie_jar=True) as client,
    ):
        await client.fetch(server.url)
        await client.fetch(server.url, cookies={"c": "3"}, headers={"Cookie": "d=4"})
        assert [request.header("Cookie") for request in server.requests] == [
            None,
            "d=4; c=3; a=1; b=2",
        ]
        async with new_client() as client:
            await client.fetch(server.url)
            await client.fetch(server.url)
            assert server.requests[-1].header("Cookie") is None
        jar = CookieJar()
        async with new_client(cookie_jar=jar) as client:
            await client.fetch(server.url)
            assert len(jar) == 2
            await failure(client.fetch(server.url, cookies={"a": "b; c=d"}), ValueError)


@reactor_test
async def test_a_cookie_set_by_a_redirect_goes_along() -> None:
    def answer(request: Received) -> bytes:
        if request.target == "/login":
            return redirect("/in", "302 Found", "Set-Cookie: s=1")
        return ok()

    async with serving(answer) as server, new_client(cookie_jar=True) as client:
        await client.fetch(server.url + "/login")
        assert server.requests[-1].header("Cookie") == "s=1"


# Requests that are refused before anything is sent (CL-01)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("/a b", {}),
        ("/\r\nX: y", {}),
        ("", {"method": "GET\r\nX:"}),
        ("", {"method": "GE T"}),
        ("", {"method": ""}),
        ("", {"headers": {"A": "b\rc"}}),
        ("", {"headers": {"A": "b\nc"}}),
        ("", {"headers": {"A": "b\x00"}}),
        ("", {"headers": {"A\r\nB": "c"}}),
        ("", {"headers": {"A B": "c"}}),
        ("", {"headers": {"A": ["b", "c\r\nd"]}}),
        ("", {"user_agent": "a\r\nb"}),
        ("", {"headers": {"Host": "a\r\nb"}}),
        ("", {"headers": {"Content-Length": "5"}}),
        ("", {"method": "POST", "body": b"x", "headers": {"Content-Length": "5"}}),
        ("", {"method": "POST", "body": b"x", "headers": {"Content-Length": "x"}}),
        ("", {"method": "POST", "body": b"x", "headers": {"Transfer-Encoding": "gzip"}}),
        (
            "",
            {
                "method": "POST",
                "body": b"x",
                "headers": {"Transfer-Encoding": "chunked", "Content-Length": "1"},
            },
        ),
        ("", {"method": "POST"}),
        ("", {"method": "GET", "body": b"x"}),
        ("", {"method": "BREW"}),
        ("", {"network_interface": "eth0"}),
    ],
)
@reactor_test
async def test_CL_01_refused_before_connecting(url: str, options: Any) -> None:
    async with serving(ok()) as server, new_client(max_clients=1) as client:
        await failure(client.fetch(server.url + url, **options), ValueError)
        await turn()
        assert server.accepted == 0


@reactor_test
async def test_a_request_object_is_not_changed_and_can_be_used_again() -> None:
    async with serving(ok()) as server, new_client() as client:
        request = HTTPRequest(server.url, method="POST", body="x", auth_username="u")
        before = dict(request.headers.get_all())
        for _ in range(2):
            response = await client.fetch(request)
            assert response.request is request
        assert dict(request.headers.get_all()) == before
        assert server.requests[0].raw == server.requests[1].raw
        assert server.requests[0].header("Content-Type") == "application/x-www-form-urlencoded"


@reactor_test
async def test_content_length_of_empty_bodies() -> None:
    async with serving(ok()) as server, new_client() as client:
        await client.fetch(server.url, method="POST", body=b"")
        assert server.requests[-1].header("Content-Length") == "0"
        await client.fetch(server.url, method="POST", allow_nonstandard_methods=True)
        assert server.requests[-1].header("Content-Length") == "0"
        await client.fetch(server.url, method="BREW", allow_nonstandard_methods=True)
        assert server.requests[-1].header("Content-Length") is None
