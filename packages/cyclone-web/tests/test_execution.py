"""Running handlers of every kind, to their end or to their client's."""

# mypy: allow-untyped-calls

from __future__ import annotations

import contextvars
import gc
import logging
import os
import weakref
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

import pytest
from twisted.internet import defer
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from cyclone.web import Application, HTTPError, RequestHandler, StaticFileHandler, asynchronous

# --- kinds of handlers --------------------------------------------------------------------


class Waiting:
    """Deferreds that a test fires."""

    def __init__(self) -> None:
        self.deferreds: list[Deferred[Any]] = []

    def new(self) -> Deferred[Any]:
        deferred: Deferred[Any] = Deferred()
        self.deferreds.append(deferred)
        return deferred


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


def plain(waiting: Waiting) -> Callable[[Any], Any]:
    def get(self: RequestHandler) -> None:
        self.write("done")

    return get


def coroutine(waiting: Waiting) -> Callable[[Any], Any]:
    async def get(self: RequestHandler) -> None:
        self.write(await waiting.new())

    return get


def deferred(waiting: Waiting) -> Callable[[Any], Any]:
    def get(self: RequestHandler) -> Deferred[Any]:
        return waiting.new().addCallback(self.write)

    return get


def inline(waiting: Waiting) -> Callable[[Any], Any]:
    @inlineCallbacks
    def get(self: RequestHandler) -> Generator[Deferred[Any], Any, None]:
        self.write((yield waiting.new()))

    return get


def asynchronously(waiting: Waiting) -> Callable[[Any], Any]:
    @asynchronous
    def get(self: RequestHandler) -> None:
        def done(result: str) -> None:
            self.write(result)
            self.finish()

        waiting.new().addCallbacks(done, self._handle_deferred_failure)

    return get


def asynchronous_inline(waiting: Waiting) -> Callable[[Any], Any]:
    @asynchronous
    @inlineCallbacks
    def get(self: RequestHandler) -> Generator[Deferred[Any], Any, None]:
        self.finish((yield waiting.new()))

    return get


def async_callback(waiting: Waiting) -> Callable[[Any], Any]:
    @asynchronous
    def get(self: RequestHandler) -> None:
        def done(prefix: str, result: Any) -> None:
            if isinstance(result, BaseException):
                raise result
            self.finish(result)

        wrapped = self.async_callback(done, "prefix")
        assert wrapped is not None
        waiting.new().addCallbacks(wrapped, lambda failure: wrapped(failure.value))

    return get


def undecorated(waiting: Waiting) -> Callable[[Any], Any]:
    def get(self: RequestHandler) -> Generator[Deferred[Any], Any, None]:
        self.write((yield waiting.new()))

    return get


KINDS = [
    coroutine,
    deferred,
    inline,
    asynchronously,
    asynchronous_inline,
    async_callback,
    pytest.param(undecorated, marks=pytest.mark.filterwarnings("ignore::DeprecationWarning")),
]


def handler_of(kind: Callable[[Waiting], Any], waiting: Waiting) -> type[RequestHandler]:
    return type("Kind", (RequestHandler,), {"get": kind(waiting)})


def test_f_24_f_26_a_plain_function(serve: Any, waiting: Waiting) -> None:
    assert serve([("/", handler_of(plain, waiting))]).fetch("GET", "/").body == b"done"


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("x"), 500), (HTTPError(404), 404)], ids=["error", "http"]
)
def test_f_26_failure_of_a_plain_function(serve: Any, error: Exception, status: int) -> None:
    class Failing(RequestHandler):
        def get(self) -> None:
            raise error

    assert serve([("/", Failing)]).fetch("GET", "/").status == status


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_f_26_success(serve: Any, waiting: Waiting, kind: Any) -> None:
    client = serve([("/", handler_of(kind, waiting))])
    connection = client.start("GET", "/")
    assert connection.received == b""
    assert len(client.app.open_requests()) == 1
    waiting.deferreds[0].callback("done")
    (response,) = connection.responses()
    assert (response.status, response.body) == (200, b"done")
    assert client.app.open_requests() == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    ("error", "status"), [(ValueError("x"), 500), (HTTPError(404), 404)], ids=["error", "http"]
)
def test_f_26_failure(
    serve: Any, waiting: Waiting, kind: Any, error: Exception, status: int
) -> None:
    connection = serve([("/", handler_of(kind, waiting))]).start("GET", "/")
    waiting.deferreds[0].errback(error)
    (response,) = connection.responses()
    assert response.status == status


@pytest.mark.parametrize("where", ["prepare", "get"])
@pytest.mark.parametrize("waits", [False, True], ids=["at-once", "later"])
def test_f_22_a_generator_exit_of_the_program_is_answered(
    serve: Any, waiting: Waiting, where: str, waits: bool
) -> None:
    """What Python throws into a coroutine that it collects is not."""

    async def ends(self: RequestHandler) -> None:
        if waits:
            await waiting.new()
        raise GeneratorExit

    handler = type("Ends", (RequestHandler,), {"get": lambda self: None, where: ends})
    connection = serve([("/", handler)]).start("GET", "/")
    if waits:
        waiting.deferreds[0].callback(None)
    (response,) = connection.responses()
    assert response.status == 500


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_f_26_cancelled(serve: Any, waiting: Waiting, kind: Any) -> None:
    connection = serve([("/", handler_of(kind, waiting))]).start("GET", "/")
    waiting.deferreds[0].cancel()
    (response,) = connection.responses()
    assert response.status == 500


def test_an_undecorated_generator_runs_with_a_warning(serve: Any, waiting: Waiting) -> None:
    class Undecorated(RequestHandler):
        def get(self) -> Any:
            self.write((yield waiting.new()))

    with pytest.warns(DeprecationWarning, match="generator"):
        connection = serve([("/", Undecorated)]).start("GET", "/")
    waiting.deferreds[0].callback("done")
    assert connection.responses()[0].body == b"done"


@pytest.mark.parametrize("value", [1, "text", object(), []])
def test_anything_else_is_an_error(
    serve: Any, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    class Odd(RequestHandler):
        def get(self) -> Any:
            return value

    assert serve([("/", Odd)]).fetch("GET", "/").status == 500
    assert "must return None or something awaitable" in caplog.text


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("prepared", [True, False])
def test_what_a_coroutine_returns_goes_nowhere(
    serve: Any, caplog: pytest.LogCaptureFixture, debug: bool, prepared: bool
) -> None:
    class Returning(RequestHandler):
        def prepare(self) -> Any:
            return defer.succeed(None) if prepared else None

        async def get(self) -> Any:
            return {"a": 1}

        async def post(self) -> Any:
            self.write("sent")
            return {"a": 1}

    client = serve([("/", Returning)], debug=debug, autoreload=False)
    assert client.fetch("POST", "/", body="").body == b"sent"
    assert "goes nowhere" not in caplog.text
    assert client.fetch("GET", "/").body == b""
    message = "Returning.get() returned an object of type dict, which goes nowhere"
    assert (message in caplog.text) == debug


def test_asynchronous_success_does_not_finish(serve: Any, waiting: Waiting) -> None:
    handlers: list[RequestHandler] = []

    class Open(RequestHandler):
        @asynchronous
        async def get(self) -> None:
            handlers.append(self)
            await waiting.new()

    connection = serve([("/", Open)]).start("GET", "/")
    waiting.deferreds[0].callback(None)
    assert connection.received == b""
    handlers[0].finish("later")
    assert connection.responses()[0].body == b"later"


# --- prepare ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [coroutine, deferred, inline], ids=lambda kind: kind.__name__)
def test_prepare_is_waited_for(serve: Any, waiting: Waiting, kind: Any) -> None:
    def get(self: RequestHandler) -> None:
        self.write(" then get")

    handler = type("P", (RequestHandler,), {"prepare": kind(waiting), "get": get})
    connection = serve([("/", handler)]).start("GET", "/")
    assert connection.received == b""
    waiting.deferreds[0].callback("prepared")
    assert connection.responses()[0].body == b"prepared then get"


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("end", ["finish", "redirect", "send_error", "raise"])
def test_an_end_in_prepare(serve: Any, is_async: bool, end: str) -> None:
    called: list[str] = []

    class Ending(RequestHandler):
        def prepare(self) -> Any:
            return self.end_later() if is_async else self.end()

        async def end_later(self) -> None:
            await defer.succeed(None)
            self.end()

        def end(self) -> None:
            if end == "finish":
                self.finish("early")
            elif end == "redirect":
                self.redirect("/elsewhere")
            elif end == "send_error":
                self.send_error(403)
            else:
                raise HTTPError(409)

        def get(self) -> None:
            called.append("get")

    response = serve([("/", Ending)]).fetch("GET", "/")
    expected = {"finish": 200, "redirect": 302, "send_error": 403, "raise": 409}
    assert response.status == expected[end]
    assert called == []


def test_both_async(serve: Any, waiting: Waiting) -> None:
    class Both(RequestHandler):
        async def prepare(self) -> None:
            self.write(await waiting.new())

        async def get(self) -> None:
            self.write(await waiting.new())

    connection = serve([("/", Both)]).start("GET", "/")
    waiting.deferreds[0].callback("a")
    waiting.deferreds[1].callback("b")
    assert connection.responses()[0].body == b"ab"


# --- the end ------------------------------------------------------------------------------


def test_on_finish_runs_once_after_the_answer(serve: Any) -> None:
    ends: list[tuple[int, bytes]] = []

    class Ending(RequestHandler):
        def get(self) -> None:
            self.write("x")

        def on_finish(self) -> None:
            ends.append((self.get_status(), connection.written[-1:]))

    client = serve([("/", Ending)])
    connection = client.connect()
    client.start("GET", "/", connection=connection)
    assert len(ends) == 1
    assert ends[0][0] == 200


def test_notify_finish(serve: Any, waiting: Waiting) -> None:
    fired: list[object] = []

    class Telling(RequestHandler):
        async def get(self) -> None:
            self.notifyFinish().addBoth(fired.append)
            self.notifyFinish().addBoth(fired.append)
            await waiting.new()

    client = serve([("/", Telling)])
    client.start("GET", "/")
    waiting.deferreds[0].callback(None)
    assert fired == [None, None]
    fired.clear()
    client.start("GET", "/").lose()
    assert len(fired) == 2
    assert all(isinstance(reason, str) for reason in fired)
    waiting.deferreds[1].callback(None)


def test_f_24_an_overridden_finish_is_called(serve: Any) -> None:
    class Own(RequestHandler):
        def get(self) -> None:
            self.write("body")

        def finish(self, chunk: Any = None) -> Deferred[None]:
            self.set_header("X-Own", "1")
            return super().finish(chunk)

    assert serve([("/", Own)]).fetch("GET", "/").headers["X-Own"] == "1"


def test_each_request_has_a_context_of_its_own(serve: Any, waiting: Waiting) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="clean")

    class Setting(RequestHandler):
        def prepare(self) -> None:
            self.write(variable.get() + " ")
            variable.set(self.get_argument("v"))

        async def get(self) -> None:
            await waiting.new()
            self.write(variable.get())

    client = serve([("/", Setting)])
    first, second = client.start("GET", "/?v=1"), client.start("GET", "/?v=2")
    waiting.deferreds[1].callback(None)
    waiting.deferreds[0].callback(None)
    assert first.responses()[0].body == b"clean 1"
    assert second.responses()[0].body == b"clean 2"
    assert variable.get() == "clean"


# --- the client goes away -----------------------------------------------------------------


class Slow(RequestHandler):
    waiting: Any = None
    events: Any = None

    def initialize(self, waiting: Waiting, events: list[str]) -> None:
        self.waiting = waiting
        self.events = events

    async def get(self) -> None:
        try:
            self.write(await self.waiting.new())
        except defer.CancelledError:
            self.events.append("cancelled")
            raise

    def on_connection_close(self) -> None:
        self.events.append("closed")

    def on_finish(self) -> None:
        self.events.append("finished")


def test_f_21_the_handler_is_told_and_goes_on(
    serve: Any, waiting: Waiting, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[str] = []
    connection = serve([("/", Slow, {"waiting": waiting, "events": events})]).start("GET", "/")
    connection.lose()
    assert events == ["closed"]
    waiting.deferreds[0].callback("too late")
    assert events == ["closed", "finished"]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.parametrize("how", ["setting", "attribute"])
def test_f_21_the_handler_is_cancelled_on_request(
    serve: Any, waiting: Waiting, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    events: list[str] = []

    class Cancelled(Slow):
        cancel_on_disconnect = True if how == "attribute" else None

    settings = {"cancel_on_disconnect": True} if how == "setting" else {}
    handlers = [("/", Cancelled, {"waiting": waiting, "events": events})]
    connection = serve(handlers, **settings).start("GET", "/")
    connection.lose()
    assert events == ["closed", "cancelled", "finished"]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_the_attribute_goes_before_the_setting(serve: Any, waiting: Waiting) -> None:
    events: list[str] = []

    class Kept(Slow):
        cancel_on_disconnect = False

    handlers = [("/", Kept, {"waiting": waiting, "events": events})]
    serve(handlers, cancel_on_disconnect=True).start("GET", "/").lose()
    assert events == ["closed"]


def test_f_20_the_client_leaves_in_the_middle_of_the_answer(
    serve: Any, waiting: Waiting, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[str] = []

    class Streaming(Slow):
        async def get(self) -> None:
            self.write("part")
            await self.flush()
            await self.waiting.new()
            self.write("more")
            await self.flush()
            events.append("never")

    handlers = [("/", Streaming, {"waiting": waiting, "events": events})]
    connection = serve(handlers).start("GET", "/")
    connection.lose()
    waiting.deferreds[0].callback(None)
    assert events == ["closed", "finished"]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_f_22_a_broken_on_connection_close(
    serve: Any, waiting: Waiting, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Slow):
        def on_connection_close(self) -> None:
            raise ValueError("broken close")

    events: list[str] = []
    serve([("/", Broken, {"waiting": waiting, "events": events})]).start("GET", "/").lose()
    assert "broken close" in caplog.text
    waiting.deferreds[0].callback("late")
    assert events == ["finished"]


def test_f_27_an_abandoned_handler_is_collected(serve: Any) -> None:
    handlers: list[weakref.ref[RequestHandler]] = []

    class Abandoned(RequestHandler):
        async def get(self) -> None:
            handlers.append(weakref.ref(self))
            await Deferred()

        def on_connection_close(self) -> None:
            pass

    connection = serve([("/", Abandoned)]).start("GET", "/")
    gc.collect()
    assert handlers[0]() is not None
    connection.lose()
    gc.collect()
    assert handlers[0]() is None


def test_an_answered_handler_is_collected_without_the_collector(serve: Any) -> None:
    handlers: list[weakref.ref[RequestHandler]] = []

    class Plain(RequestHandler):
        def get(self) -> None:
            handlers.append(weakref.ref(self))
            self.write("x")

    client = serve([("/", Plain)])
    gc.disable()
    try:
        client.fetch("GET", "/")
        assert handlers[0]() is None
    finally:
        gc.enable()


def test_no_keep_alive(serve: Any) -> None:
    class Closing(RequestHandler):
        no_keep_alive = True

        def get(self) -> None:
            self.write("bye")

    connection = serve([("/", Closing)]).start("GET", "/")
    (response,) = connection.responses()
    assert response.headers["Connection"] == "close"
    assert connection.closed


def test_pipelined_requests_are_answered_in_order(serve: Any, waiting: Waiting) -> None:
    class Order(RequestHandler):
        async def get(self) -> None:
            if self.get_argument("n") == "1":
                await waiting.new()
            self.write(self.get_argument("n"))

    client = serve([("/", Order)])
    connection = client.start("GET", "/?n=1")
    client.start("GET", "/?n=2", connection=connection)
    client.start("GET", "/?n=3", connection=connection)
    assert connection.received == b""
    waiting.deferreds[0].callback(None)
    assert [response.body for response in connection.responses()] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("first_fails", [False, True], ids=["answered", "failed"])
def test_cn_01_a_failure_is_not_told_as_a_consequence_of_an_earlier_request(
    serve: Any, waiting: Waiting, caplog: pytest.LogCaptureFixture, first_fails: bool
) -> None:
    class Failing(RequestHandler):
        async def get(self) -> None:
            if self.get_argument("n") == "1":
                await waiting.new()
                if not first_fails:
                    return
            raise ValueError(self.get_argument("n"))

    client = serve([("/", Failing)])
    connection = client.start("GET", "/?n=1")
    client.start("GET", "/?n=2", connection=connection)
    waiting.deferreds[0].callback(None)
    assert [each.status for each in connection.responses()][1] == 500
    errors: list[Any] = [each.exc_info[1] for each in caplog.records if each.exc_info]
    assert [str(error) for error in errors] == (["1", "2"] if first_fails else ["2"])
    assert [error.__context__ for error in errors] == [None] * len(errors)


# --- after the end ------------------------------------------------------------------------


def fails_later(waiting: Waiting) -> Callable[[Any], Any]:
    async def get(self: RequestHandler) -> None:
        await waiting.new()
        raise ValueError("of the program")

    return get


def streams(waiting: Waiting) -> Callable[[Any], Any]:
    async def get(self: RequestHandler) -> None:
        for _ in range(3):
            self.write("piece")
            await self.flush()

    return get


def is_refused(waiting: Waiting) -> Callable[[Any], Any]:
    def get(self: RequestHandler) -> None:
        raise HTTPError(403)

    return get


def fails(waiting: Waiting) -> Callable[[Any], Any]:
    def get(self: RequestHandler) -> None:
        raise ValueError("of the program")

    return get


def uses_much(waiting: Waiting) -> Callable[[Any], Any]:
    def get(self: RequestHandler) -> None:
        self.set_secure_cookie("a", "b")
        self.set_header("X", self.get_argument("x", "y"))
        self.request.notifyFinish()
        self.write({"form": self.xsrf_form_html()})

    return get


@pytest.mark.parametrize(
    "kind",
    [
        plain,
        coroutine,
        deferred,
        inline,
        fails_later,
        streams,
        is_refused,
        fails,
        uses_much,
        "/file/test_execution.py",
        "/nowhere",
    ],
)
def test_a_finished_request_leaves_no_cycle(kind: Any, waiting: Waiting) -> None:
    """Its objects die when it ends: they must not wait for the collector, nor set it off."""
    get = kind(waiting) if callable(kind) else plain(waiting)
    path = "/" if callable(kind) else kind
    application = Application(
        [
            ("/", type("Kind", (RequestHandler,), {"get": get})),
            ("/file/(.*)", StaticFileHandler, {"path": os.path.dirname(__file__)}),
        ],
        cookie_secret="a secret of thirty-two characters",
        reactor=Clock(),
    )
    transports = [StringTransport() for _ in range(410)]
    connections = [application.buildProtocol(None) for _ in transports]

    def serve(number: int) -> None:
        connections[number].makeConnection(transports[number])
        connections[number].dataReceived(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while waiting.deferreds:
            waiting.deferreds.pop().callback("done")

    for number in range(10):
        serve(number)
    gc.collect()
    gc.disable()
    try:
        for number in range(10, 410):
            serve(number)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
    finally:
        gc.set_debug(0)
        gc.enable()
        found = Counter(type(each).__name__ for each in gc.garbage)
        gc.garbage.clear()
    assert all(transport.value().startswith(b"HTTP/1.1 ") for transport in transports)
    # What other tests left is here too, but not once for each request
    assert max(found.values(), default=0) < 400, found
