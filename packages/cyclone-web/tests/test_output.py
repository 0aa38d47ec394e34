"""The body of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Protocol

from cyclone.httpserver import StreamClosedError
from cyclone.web import HTTPError, OutputTransform, RequestHandler


def acting(act: Callable[[Any], object]) -> type[RequestHandler]:
    class Acting(RequestHandler):
        def get(self) -> None:
            act(self)

    return Acting


@pytest.mark.parametrize(
    ("chunk", "body"),
    [("caf\xe9", "caf\xe9".encode()), (b"\xff", b"\xff"), ("", b""), ({"a": "</b>"}, None)],
)
def test_write(serve: Any, chunk: Any, body: bytes | None) -> None:
    response = serve([("/", acting(lambda handler: handler.write(chunk)))]).fetch("GET", "/")
    if body is None:
        assert json.loads(response.body) == chunk
        assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert b"</" not in response.body
    else:
        assert response.body == body
    assert int(response.headers["Content-Length"]) == len(response.body)


def test_an_encoder_put_in_the_place_of_ours(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs for Tornado replace ``escape.json_encode``, to write dates and the like."""
    monkeypatch.setattr("cyclone.escape.json_encode", lambda value: f"mine: {sorted(value)}")
    page = acting(lambda handler: handler.write({"b": object(), "a": 1}))
    assert serve([("/", page)]).fetch("GET", "/").body == b"mine: ['a', 'b']"


@pytest.mark.parametrize("chunk", [None, 1, ["a"], ("a",), {1}, bytearray(b"a"), object()])
def test_other_types_are_refused(serve: Any, chunk: Any) -> None:
    def act(handler: RequestHandler) -> None:
        with pytest.raises(TypeError, match="write"):
            handler.write(chunk)
        handler.write("refused")

    assert serve([("/", acting(act))]).fetch("GET", "/").body == b"refused"


def test_subclasses_of_text_and_bytes(serve: Any) -> None:
    class Text(str):
        __slots__ = ()

    class Bytes(bytes):
        pass

    def act(handler: RequestHandler) -> None:
        handler.write(Text("a"))
        handler.write(Bytes(b"b"))

    assert serve([("/", acting(act))]).fetch("GET", "/").body == b"ab"


def test_lists_by_request(serve: Any) -> None:
    class Lists(RequestHandler):
        serialize_lists = True

        def get(self) -> None:
            self.write([1, {"a": 2}])

    assert json.loads(serve([("/", Lists)]).fetch("GET", "/").body) == [1, {"a": 2}]


def test_finish_takes_a_last_chunk(serve: Any) -> None:
    def act(handler: RequestHandler) -> None:
        handler.write("a")
        fired: list[object] = []
        handler.finish({"b": 1}).addCallback(fired.append)
        assert fired == [None]

    assert serve([("/", acting(act))]).fetch("GET", "/").body == b'a{"b": 1}'


def test_f_24_writing_and_finishing_after_the_end(serve: Any) -> None:
    def act(handler: RequestHandler) -> None:
        handler.finish("done")
        with pytest.raises(RuntimeError, match="write"):
            handler.write("more")
        with pytest.raises(RuntimeError, match="twice"):
            handler.finish()

    assert serve([("/", acting(act))]).fetch("GET", "/").body == b"done"


AFTER_THE_END: dict[str, Callable[[RequestHandler], object]] = {
    "finish": lambda handler: handler.finish(),
    "finish with a chunk": lambda handler: handler.finish("more"),
    "write": lambda handler: handler.write("more"),
    "flush": lambda handler: handler.flush(),
    "redirect": lambda handler: handler.redirect("/elsewhere"),
    "send_error": lambda handler: handler.send_error(500),
    "HTTPError": lambda handler: _raise(HTTPError(400)),
    "render": lambda handler: handler.render_string("none.html"),
}


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", AFTER_THE_END)
def test_f_24_what_a_handler_does_too_late(
    serve: Any, caplog: pytest.LogCaptureFixture, name: str, streamed: bool
) -> None:
    """The answer stays as it is, the fault is logged once, and the connection goes on."""

    def act(handler: RequestHandler) -> None:
        handler.write("done")
        if streamed:
            handler.flush()
        handler.finish()
        AFTER_THE_END[name](handler)

    client = serve([("/", acting(act)), ("/next", acting(lambda handler: handler.write("next")))])
    connection = client.start("GET", "/")
    client.start("GET", "/next", connection=connection)
    first, second = connection.responses()
    assert (first.status, first.body) == (200, b"done")
    assert (second.status, second.body) == (200, b"next")
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    # Nothing is left to flush of an answer that was streamed, and an HTTPError is no fault
    harmless = name == "HTTPError" or (name == "flush" and streamed)
    assert len(errors) == (0 if harmless else 1)


# --- streamed answers ---------------------------------------------------------------------


def streaming(handler: RequestHandler) -> None:
    handler.write("a")
    handler.flush()
    handler.flush()
    handler.write("b")
    handler.write("c")
    handler.flush()
    handler.write("d")


def test_flush_makes_chunks(serve: Any) -> None:
    response = serve([("/", acting(streaming))]).fetch("GET", "/")
    assert response.raw.endswith(b"1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\n")
    assert "Etag" not in response.headers


def test_ri_17_flush_to_http_1_0(serve: Any) -> None:
    connection = serve([("/", acting(streaming))]).start("GET", "/", version="HTTP/1.0")
    assert connection.closed
    assert b"Transfer-Encoding" not in connection.received
    assert connection.received.endswith(b"\r\n\r\nabcd")


def test_flush_to_head(serve: Any) -> None:
    class Head(RequestHandler):
        def head(self) -> None:
            streaming(self)

    response = serve([("/", Head)]).fetch("HEAD", "/")
    assert response.raw.endswith(b"\r\n\r\n")


def test_flush_waits_and_fails_with_the_client(serve: Any) -> None:
    failures: list[object] = []

    class Slow(RequestHandler):
        async def get(self) -> None:
            self.write("a")
            await self.flush()
            await Deferred()

    def act(handler: RequestHandler) -> None:
        handler._auto_finish = False
        handler.write("a")
        handler.flush()
        handler.notifyFinish().addCallback(lambda _: later(handler))

    def later(handler: RequestHandler) -> None:
        handler.write("b")
        handler.flush().addErrback(lambda failure: failures.append(failure.value))

    connection = serve([("/", acting(act))]).start("GET", "/")
    connection.lose()
    assert len(failures) == 1
    assert isinstance(failures[0], StreamClosedError)


# --- statuses without a body, HEAD --------------------------------------------------------


@pytest.mark.parametrize("status", [204, 304])
def test_ri_09_no_body_no_entity_headers(serve: Any, status: int) -> None:
    response = serve([("/", acting(lambda handler: handler.set_status(status)))]).fetch("GET", "/")
    assert response.status == status
    assert not {"Content-Type", "Content-Length", "Transfer-Encoding"} & set(response.headers)
    assert response.raw.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
def test_ri_09_a_body_where_none_may_be(serve: Any, status: int) -> None:
    def act(handler: RequestHandler) -> None:
        handler.set_status(status)
        handler.write("body")

    assert serve([("/", acting(act))]).fetch("GET", "/").status == 500


@pytest.mark.parametrize(("length", "missing"), [(3, "more data"), (100, "90 bytes less")])
def test_ri_09_a_wrong_content_length_cuts_the_connection(
    serve: Any, caplog: pytest.LogCaptureFixture, length: int, missing: str
) -> None:
    def act(handler: RequestHandler) -> None:
        handler.set_header("Content-Length", length)
        handler.write("0123456789")

    connection = serve([("/", acting(act))]).start("GET", "/")
    assert connection.closed
    assert connection.received == b""
    assert f"Tried to write {missing}" in caplog.text


def test_head_keeps_the_length(serve: Any) -> None:
    class Head(RequestHandler):
        def head(self) -> None:
            self.write("12345")

    response = serve([("/", Head)]).fetch("HEAD", "/")
    assert response.headers["Content-Length"] == "5"
    assert response.raw.endswith(b"\r\n\r\n")
    assert "Etag" in response.headers


# --- transforms ---------------------------------------------------------------------------


class Shout(OutputTransform):
    def transform_first_chunk(self, status: Any, headers: Any, chunk: Any, finishing: Any) -> Any:
        headers["X-Transformed"] = str(finishing)
        return status, headers, chunk.upper()

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        return chunk.upper() + (b"!" if finishing else b"")


def test_transforms_see_whole_and_streamed_answers(serve: Any) -> None:
    whole = acting(lambda handler: handler.write("abc"))
    client = serve([("/", whole), ("/s", acting(streaming))], transforms=[Shout])
    response = client.fetch("GET", "/")
    assert (response.body, response.headers["X-Transformed"]) == (b"ABC", "True")
    response = client.fetch("GET", "/s")
    assert (response.body, response.headers["X-Transformed"]) == (b"ABCD!", "False")


# --- detach -------------------------------------------------------------------------------


def test_detach_gives_the_transport(serve: Any) -> None:
    finished: list[str] = []

    class Detaching(RequestHandler):
        def get(self) -> None:
            transport = self.detach()
            transport.write(b"raw bytes")

        def on_finish(self) -> None:
            finished.append("yes")

    connection = serve([("/", Detaching)]).start("GET", "/")
    assert connection.received == b"raw bytes"
    assert finished == []


def test_detach_hands_on_what_came_behind(serve: Any, clock: Any) -> None:
    got: list[bytes] = []

    class Raw(Protocol):
        def dataReceived(self, data: bytes) -> None:
            got.append(data)

    class DetachingTo(RequestHandler):
        def get(self) -> None:
            self._finished = True
            self.request.connection.detach(Raw())

    connection = serve([("/", DetachingTo)]).connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbehind")
    clock.settle()
    assert b"".join(got) == b"behind"


class Flushing(RequestHandler):
    """An override of ``flush()``, which Tornado calls for every answer."""

    def flush(self, include_footers: bool = False) -> Deferred[None]:
        self.set_header("X-Flush", str(include_footers))
        return super().flush(include_footers)

    def get(self, what: str) -> None:
        self.write("x")
        if what == "error":
            raise ValueError
        if what == "pieces":
            self.flush()
            self.write("y")
        if what == "finish":
            self.finish("y")


@pytest.mark.parametrize(
    ("what", "status", "footers", "length"),
    [
        ("plain", 200, "True", "1"),
        ("finish", 200, "True", "2"),
        ("pieces", 200, "False", None),
        ("error", 500, "True", "93"),
    ],
)
def test_an_override_of_flush_has_its_say(
    serve: Any, what: str, status: int, footers: str, length: str | None
) -> None:
    response = serve([("/(.*)", Flushing)]).fetch("GET", f"/{what}")
    assert (response.status, response.headers["X-Flush"]) == (status, footers)
    assert response.headers.get("Content-Length") == length


@pytest.mark.parametrize("fails", [False, True])
def test_an_override_of_flush_that_sends_nothing(serve: Any, fails: bool) -> None:
    class Silent(RequestHandler):
        def flush(self, include_footers: bool = False) -> Deferred[None]:
            if fails:
                raise ValueError
            return succeed(None)

        def get(self) -> None:
            self.write("x")

    assert serve([("/", Silent)]).fetch("GET", "/").status == (500 if fails else 200)


def test_finish_fails_with_the_client_for_those_who_wait(serve: Any) -> None:
    waiting: Deferred[None] = Deferred()
    seen: list[object] = []

    class Late(RequestHandler):
        async def get(self) -> None:
            await waiting
            try:
                await self.finish("x")
            except StreamClosedError as error:
                seen.append(error)

        def on_finish(self) -> None:
            seen.append("finished")

    connection = serve([("/", Late)]).start("GET", "/")
    connection.lose()
    waiting.callback(None)
    assert seen[0] == "finished"
    assert isinstance(seen[1], StreamClosedError)


def test_a_cookie_that_was_refused_leaves_no_trace(serve: Any) -> None:
    class Refused(RequestHandler):
        def get(self) -> None:
            with pytest.raises(ValueError, match="Invalid cookie"):
                self.set_cookie("a\r", "b")
            self.write("body")

    response = serve([("/", Refused)]).fetch("GET", "/")
    assert response.body == b"body"
    assert "Set-Cookie" not in response.headers
    assert response.headers["Content-Length"] == "4"
