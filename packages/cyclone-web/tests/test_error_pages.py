"""From an exception to an answer and a line in the log."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

import pytest
from twisted.internet import defer
from twisted.internet.defer import Deferred

from cyclone.httputil import HTTPInputError
from cyclone.web import (
    Finish,
    HTTPAuthenticationRequired,
    HTTPError,
    OutputTransform,
    RequestHandler,
)


def raising(error: BaseException) -> type[RequestHandler]:
    class Raising(RequestHandler):
        def get(self) -> None:
            self.write("discarded")
            raise error

    return Raising


# --- the page -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("secret"), 500, "500: Internal Server Error"),
        (HTTPError(404), 404, "404: Not Found"),
        (HTTPError(404, "secret"), 404, "404: Not Found"),
        (HTTPError(418, reason="Pot <b>"), 418, "418: Unknown"),
        (HTTPError(403, reason="Go 'away' & never"), 403, "403: Go &#x27;away&#x27; &amp; never"),
        (HTTPError(599), 599, "599: Unknown"),
        pytest.param(HTTPInputError("secret"), 400, "400: Bad Request", id="input-error"),
        pytest.param(asyncio.CancelledError(), 500, "500: Internal Server Error", id="cancelled"),
        pytest.param(defer.CancelledError(), 500, "500: Internal Server Error", id="cancelled-d"),
        pytest.param(GeneratorExit(), 500, "500: Internal Server Error", id="generator-exit"),
        pytest.param(StopIteration(), 500, "500: Internal Server Error", id="stop-iteration"),
        pytest.param(RecursionError(), 500, "500: Internal Server Error", id="recursion"),
        pytest.param(MemoryError(), 500, "500: Internal Server Error", id="memory"),
        pytest.param(SystemExit(1), 500, "500: Internal Server Error", id="system-exit"),
        pytest.param(KeyboardInterrupt(), 500, "500: Internal Server Error", id="interrupt"),
    ],
)
def test_f_22_the_default_page(serve: Any, error: BaseException, status: int, line: str) -> None:
    response = serve([("/", raising(error))]).fetch("GET", "/")
    assert response.status == status
    assert response.text == f"<html><title>{line}</title><body>{line}</body></html>"


def test_the_traceback_is_shown_on_request_only(serve: Any) -> None:
    handlers = [("/", raising(ValueError("<why>")))]
    shown = serve(handlers, serve_traceback=True).fetch("GET", "/?cookie=secret")
    assert shown.headers["Content-Type"].startswith("text/plain")
    assert "ValueError: <why>" in shown.text
    assert "secret" not in shown.text
    assert "ValueError" not in serve(handlers).fetch("GET", "/").text


def test_finish_is_no_error(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Finishing(RequestHandler):
        def get(self) -> None:
            self.set_status(401)
            self.set_header("WWW-Authenticate", 'Basic realm="a"')
            if self.get_argument("chunk", None):
                raise Finish({"a": 1})
            self.write("kept")
            raise Finish

    client = serve([("/", Finishing)])
    response = client.fetch("GET", "/")
    assert (response.status, response.body) == (401, b"kept")
    assert client.fetch("GET", "/?chunk=1").body == b'{"a": 1}'
    assert not [record for record in caplog.records if record.name == "cyclone.application"]


def test_headers_of_an_error(serve: Any) -> None:
    handlers = [
        ("/auth", raising(HTTPAuthenticationRequired(realm="here"))),
        ("/later", raising(HTTPError(503, headers={"Retry-After": "9"}))),
    ]
    client = serve(handlers)
    response = client.fetch("GET", "/auth")
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="here"'
    assert client.fetch("GET", "/later").headers["Retry-After"] == "9"


def test_send_error_by_hand(serve: Any) -> None:
    class Sending(RequestHandler):
        def get(self) -> None:
            self.write("lost")
            self.set_header("X-Lost", "1")
            self.send_error(409, reason="Taken")

    response = serve([("/", Sending)]).fetch("GET", "/")
    assert (response.status, response.reason) == (409, "Taken")
    assert "X-Lost" not in response.headers
    assert "lost" not in response.text


def test_a_reason_may_be_for_write_error_alone(serve: Any) -> None:
    class Sending(RequestHandler):
        def get(self) -> None:
            self.send_error(409, reason={"taken": "by you"})

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.finish(kwargs["reason"])

    response = serve([("/", Sending)]).fetch("GET", "/")
    assert (response.status, response.reason) == (409, "Conflict")
    assert response.json() == {"taken": "by you"}


@pytest.mark.parametrize("status", [204, 304])
def test_errors_without_a_body(serve: Any, status: int) -> None:
    response = serve([("/", raising(HTTPError(status)))]).fetch("GET", "/")
    assert (response.status, response.body) == (status, b"")


# --- pages of one's own -------------------------------------------------------------------


def test_overrides_that_name_their_keywords_get_no_others(serve: Any) -> None:
    class Handler(RequestHandler):
        def send_error(self, status_code: int = 500, exc_info: Any = None) -> None:  # type: ignore[override]
            super().send_error(status_code, exc_info=exc_info)

        def write_error(self, status_code: int, exc_info: Any = None) -> None:  # type: ignore[override]
            self.write(f"{status_code} {exc_info[1]}")

        def get(self) -> None:
            raise ValueError("no")

    response = serve([("/", Handler)]).fetch("GET", "/")
    assert (response.code, response.body) == (500, b"500 no")


def test_write_error_gets_the_exception_both_ways(serve: Any) -> None:
    class Own(RequestHandler):
        def get(self) -> None:
            raise ValueError("why")

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            typ, value, tb = kwargs["exc_info"]
            assert typ is ValueError
            assert isinstance(tb, TracebackType)
            assert kwargs["exception"] is value
            self.write(f"{status_code} {value} {self._reason}")

    response = serve([("/", Own)]).fetch("GET", "/")
    assert response.text == "500 why Internal Server Error"


def test_write_error_may_be_async(serve: Any) -> None:
    waiting: Deferred[str] = Deferred()

    class Own(RequestHandler):
        def get(self) -> None:
            raise ValueError

        async def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.write(await waiting)

    connection = serve([("/", Own)]).start("GET", "/")
    assert connection.received == b""
    waiting.callback("the page")
    (response,) = connection.responses()
    assert (response.status, response.body) == (500, b"the page")


async def fail_later() -> None:
    raise ValueError("in the page")


@pytest.mark.parametrize("is_async", [False, True])
def test_f_22_a_broken_error_page(
    serve: Any, caplog: pytest.LogCaptureFixture, is_async: bool
) -> None:
    class Own(RequestHandler):
        def get(self) -> None:
            raise HTTPError(403)

        def write_error(self, status_code: int, **kwargs: Any) -> Any:
            self.write("half")
            if is_async:
                return fail_later()
            raise ValueError("in the page")

    response = serve([("/", Own)]).fetch("GET", "/")
    assert response.status == 403
    assert response.body == b""
    assert "Uncaught exception in write_error" in caplog.text


def test_get_error_html_is_still_used(serve: Any) -> None:
    class Old(RequestHandler):
        def get(self) -> None:
            raise HTTPError(403)

        def get_error_html(self, status_code: int, **kwargs: Any) -> str:
            return f"old {status_code} {kwargs['exception'].status_code}"

    with pytest.warns(DeprecationWarning, match="get_error_html"):
        response = serve([("/", Old)]).fetch("GET", "/")
    assert (response.status, response.text) == (403, "old 403 403")


# --- once the head is out -----------------------------------------------------------------


@pytest.mark.parametrize("length", [None, 100], ids=["chunked", "length"])
def test_ri_11_an_error_after_the_head_cuts_the_connection(
    serve: Any, caplog: pytest.LogCaptureFixture, length: int | None
) -> None:
    finished: list[str] = []

    class Late(RequestHandler):
        def get(self) -> None:
            if length:
                self.set_header("Content-Length", length)
            self.write("0123456789")
            self.flush()
            raise ValueError

        def on_finish(self) -> None:
            finished.append("once")

    connection = serve([("/", Late)]).start("GET", "/")
    assert connection.closed
    assert b"0123456789" in connection.received
    assert not connection.received.endswith(b"0\r\n\r\n")
    assert b"500" not in connection.received
    assert finished == ["once"]
    assert "Cannot send error response after headers written" in caplog.text


# --- at every stage -----------------------------------------------------------------------


class Broken(RequestHandler):
    stage = ""

    def initialize(self, **kwargs: Any) -> None:
        self.stage = kwargs.get("stage", "")
        self.fail("initialize")

    def fail(self, stage: str) -> None:
        if self.stage == stage:
            raise ValueError(f"broken {stage}")

    def prepare(self) -> Any:
        self.fail("prepare")
        return self.prepare_later() if self.stage == "prepare-async" else None

    async def prepare_later(self) -> None:
        await defer.succeed(None)
        self.fail("prepare-async")

    def get(self) -> Any:
        self.write("written")
        self.fail("get")
        if self.stage in ("coroutine", "after-wait"):
            return self.get_later()
        if self.stage == "deferred":
            return defer.fail(ValueError("broken deferred"))
        return None

    async def get_later(self) -> None:
        self.fail("coroutine")
        await defer.succeed(None)
        self.fail("after-wait")

    def compute_etag(self) -> str | None:
        self.fail("compute_etag")
        return super().compute_etag()

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        self.fail("decode_argument")
        return super().decode_argument(value, name)

    def log_exception(self, *exc_info: Any) -> None:
        self.fail("log_exception")
        super().log_exception(*exc_info)


@pytest.mark.parametrize(
    "stage",
    [
        "initialize",
        "prepare",
        "prepare-async",
        "get",
        "coroutine",
        "after-wait",
        "deferred",
        "compute_etag",
        "decode_argument",
    ],
)
def test_f_22_one_500_whatever_the_stage(
    serve: Any, caplog: pytest.LogCaptureFixture, stage: str
) -> None:
    client = serve([(r"/(?P<unused>)", Broken, {"stage": stage}), ("/next", Fine)])
    connection = client.start("GET", "/")
    (response,) = connection.responses()
    assert response.status == 500
    assert "written" not in response.text
    errors = [r for r in caplog.records if r.name == "cyclone.application"]
    assert len(errors) == 1
    assert errors[0].exc_info is not None
    assert client.fetch("GET", "/next").status == 200


class Fine(RequestHandler):
    def get(self) -> None:
        self.write("fine")


def test_f_22_a_broken_init(serve: Any) -> None:
    class BrokenInit(RequestHandler):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise ValueError

    assert serve([("/", BrokenInit)]).fetch("GET", "/").status == 500


def test_keywords_without_an_initialize(serve: Any) -> None:
    assert serve([("/", Fine, {"a": 1})]).fetch("GET", "/").status == 500


class BrokenEnd(RequestHandler):
    def get(self) -> None:
        if self.get_argument("explicit", None):
            self.finish("sent")
        else:
            self.write("sent")

    def on_finish(self) -> None:
        raise ValueError("broken on_finish")


@pytest.mark.parametrize("path", ["/", "/?explicit=1"])
def test_f_22_a_broken_on_finish(serve: Any, caplog: pytest.LogCaptureFixture, path: str) -> None:
    response = serve([("/", BrokenEnd)]).fetch("GET", path)
    assert (response.status, response.body) == (200, b"sent")
    assert "broken on_finish" in caplog.text


def test_f_22_a_broken_log_function(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    finished: list[str] = []

    class Telling(Fine):
        def on_finish(self) -> None:
            finished.append("yes")

    def log(handler: RequestHandler) -> None:
        raise ValueError("broken log")

    response = serve([("/", Telling)], log_function=log).fetch("GET", "/")
    assert response.status == 200
    assert finished == ["yes"]
    assert "broken log" in caplog.text


def test_f_22_a_broken_log_exception(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Logging(RequestHandler):
        def get(self) -> None:
            raise HTTPError(403)

        def log_exception(self, *exc_info: Any) -> None:
            raise ValueError

    assert serve([("/", Logging)]).fetch("GET", "/").status == 403
    assert "Error in exception logger" in caplog.text


class BrokenTransform(OutputTransform):
    def transform_first_chunk(self, *args: Any) -> Any:
        raise ValueError("broken transform")


def test_f_22_a_broken_transform(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    response = serve([("/", Fine)], transforms=[BrokenTransform]).fetch("GET", "/")
    assert response.status == 500
    assert "500: Internal Server Error" in response.text


def test_f_22_broken_default_headers(serve: Any) -> None:
    class Defaults(RequestHandler):
        def set_default_headers(self) -> None:
            raise ValueError

        def get(self) -> None:
            pass

    assert serve([("/", Defaults)]).fetch("GET", "/").status == 500


# --- the log ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "logger", "level", "text"),
    [
        (HTTPError(404), None, None, None),
        (HTTPError(404, "no %s", "x"), "cyclone.general", "WARNING", "404 GET / (127.0.0.1): no x"),
        (ValueError("why"), "cyclone.application", "ERROR", "Uncaught exception GET / (127.0.0.1)"),
    ],
)
def test_what_is_logged(
    serve: Any,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    logger: str | None,
    level: str | None,
    text: str | None,
) -> None:
    serve([("/", raising(error))]).fetch("GET", "/")
    records = [r for r in caplog.records if r.name != "cyclone.access"]
    if logger is None:
        assert records == []
        return
    (record,) = records
    assert (record.name, record.levelname) == (logger, level)
    assert text is not None
    assert record.getMessage().startswith(text)
    assert (record.exc_info is not None) == (level == "ERROR")


def test_lg_01_what_is_logged_stays_on_its_line(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    serve([("/", raising(HTTPError(400, "a\nb\x1b[31m")))]).fetch("GET", "/")
    (record,) = [r for r in caplog.records if r.name == "cyclone.general"]
    assert "\n" not in record.getMessage()
    assert "\x1b" not in record.getMessage()


def test_log_exception_can_be_overridden(serve: Any) -> None:
    seen: list[Any] = []

    class Own(RequestHandler):
        def get(self) -> None:
            raise ValueError

        def log_exception(
            self,
            typ: type[BaseException] | None,
            value: BaseException | None,
            tb: TracebackType | None,
        ) -> None:
            seen.append(typ)

    serve([("/", Own)]).fetch("GET", "/")
    assert seen == [ValueError]


# --- methods ------------------------------------------------------------------------------


class OnlyGet(RequestHandler):
    def get(self) -> None:
        self.write("got")


@pytest.mark.parametrize(
    "method",
    ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "FOO", "PREPARE", "_EXECUTE", "RENDER"]
    + ["FLUSH", "__INIT__", "On_Finish", "on_finish", "get", "Get", "DEFAULT", "TRACE"]
    + ["GET_ARGUMENT", "__CLASS__", "__DICT__", "SETTINGS", "request", "_"],
)
def test_hv_11_only_methods_that_are_defined(serve: Any, method: str) -> None:
    """HV-11: a method's name never gets to a helper of the class."""
    connection = serve([("/", OnlyGet)]).connect()
    connection.send(f"{method} / HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
    (response,) = connection.responses()
    assert response.status == 405
    assert response.headers["Allow"] == "GET"


def test_more_methods(serve: Any) -> None:
    class More(RequestHandler):
        SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND")

        def propfind(self) -> None:
            self.write("found")

    client = serve([("/", More)])
    assert client.fetch("PROPFIND", "/").body == b"found"
    assert client.fetch("GET", "/").headers["Allow"] == "PROPFIND"


def test_fewer_methods(serve: Any) -> None:
    class Fewer(RequestHandler):
        SUPPORTED_METHODS = ("POST",)

        def get(self) -> None:
            self.write("never")

    assert serve([("/", Fewer)]).fetch("GET", "/").status == 405


def test_default_takes_what_is_not_defined(serve: Any) -> None:
    class Default(RequestHandler):
        def default(self, *args: Any, **kwargs: Any) -> None:
            self.write(f"{self.request.method} {args}")

    client = serve([(r"/(\w*)", Default)])
    assert client.fetch("DELETE", "/a").body == b"DELETE ('a',)"


def test_head_by_setting(serve: Any) -> None:
    response = serve([("/", OnlyGet)], head_from_get=True).fetch("HEAD", "/")
    assert response.status == 200
    assert response.headers["Content-Length"] == "3"


@pytest.mark.parametrize(
    "wait",
    [
        pytest.param(lambda: asyncio.sleep(1), id="sleep"),
        pytest.param(lambda: asyncio.Event().wait(), id="event"),
        pytest.param(lambda: asyncio.Queue[int]().get(), id="queue"),
        pytest.param(lambda: asyncio.to_thread(str), id="thread"),
    ],
)
def test_asyncio_on_another_reactor_says_what_is_missing(
    serve: Any, caplog: pytest.LogCaptureFixture, wait: Any
) -> None:
    class Waiting(RequestHandler):
        async def get(self) -> None:
            await wait()

    assert serve([("/", Waiting)]).fetch("GET", "/").status == 500
    assert "asyncioreactor.install()" in caplog.text


def test_an_error_that_only_looks_like_it(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Looking(RequestHandler):
        def get(self) -> None:
            _ = self.create_future  # type: ignore[attr-defined]

    assert serve([("/", Looking)]).fetch("GET", "/").status == 500
    assert "asyncioreactor" not in caplog.text


def test_arguments_that_do_not_fit_name_the_route(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Plain(RequestHandler):
        def get(self) -> None:
            raise TypeError("its own")

    client = serve([(r"/own", Plain), (r"/(a)(b)", Plain)])
    assert client.fetch("GET", "/own").status == 500
    assert "groups" not in caplog.text
    assert client.fetch("GET", "/ab").status == 500
    assert (
        "The groups of the route's pattern are the arguments: PathMatches('/(a)(b)$')"
        in caplog.text
    )


def test_anyio_without_a_loop_is_told_of_the_reactor(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    error = type("NoEventLoopError", (RuntimeError,), {"__module__": "anyio._core._exceptions"})
    assert serve([("/", raising(error("none")))]).fetch("GET", "/").status == 500
    assert "cyclone run --reactor asyncio" in caplog.text
