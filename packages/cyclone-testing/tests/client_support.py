"""An application with a handler of each kind, and the results of Deferreds that have fired."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.python.failure import Failure

from cyclone.sse import SSEHandler
from cyclone.web import Application, RequestHandler, asynchronous, stream_request_body


def outcome(deferred: Deferred[Any]) -> Any:
    """What a Deferred has fired with: its result, or raises its failure."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    assert found, "the Deferred has not fired"
    if isinstance(found[0], Failure):
        found[0].raiseException()
    return found[0]


class Echo(RequestHandler):
    """Says what it was asked."""

    def get(self) -> None:
        request = self.request
        self.write(
            {
                "method": request.method,
                "uri": request.uri,
                "version": request.version,
                "protocol": request.protocol,
                "host": request.host,
                "remote_ip": request.remote_ip,
                "arguments": {name: self.get_arguments(name) for name in request.arguments},
                "files": {
                    name: [[file["filename"], file["body"].decode()] for file in files]
                    for name, files in request.files.items()
                },
                "body": request.body.decode("latin-1"),
                "header": request.headers.get("X-Test"),
            }
        )

    post = put = delete = patch = options = get


class Head(RequestHandler):
    def head(self) -> None:
        self.set_header("X-Answer", "head")


class Cookies(RequestHandler):
    def get(self) -> None:
        self.set_secure_cookie("signed", "value")
        self.set_cookie("plain", self.get_cookie("plain", "0") + "1")
        self.write(self.get_secure_cookie("signed") or b"none")

    def delete(self) -> None:
        self.clear_cookie("plain")


class Redirect(RequestHandler):
    def get(self, status: str) -> None:
        self.redirect("/echo?from=" + status, status=int(status))

    post = get


class Round(RequestHandler):
    def get(self) -> None:
        self.redirect("/round")


class Waits(RequestHandler):
    """Waits for what the test fires."""

    waiting: ClassVar[list[Deferred[str]]] = []
    gone: ClassVar[list[str]] = []

    async def get(self) -> None:
        deferred: Deferred[str] = Deferred()
        self.waiting.append(deferred)
        self.write(await deferred)

    def on_connection_close(self) -> None:
        self.gone.append("gone")


class Old(RequestHandler):
    @inlineCallbacks
    def get(self) -> Generator[Any, Any, None]:
        self.write((yield succeed("inline")))


class Open(RequestHandler):
    """Streams what the test writes."""

    current: Open

    @asynchronous
    def get(self) -> None:
        type(self).current = self
        self.write("first")
        self.flush()


class Broken(RequestHandler):
    def get(self) -> None:
        raise ZeroDivisionError


class Aborts(RequestHandler):
    async def get(self) -> None:
        self.write("part")
        await self.flush()
        self.request.connection.abort()


@stream_request_body
class Upload(RequestHandler):
    def prepare(self) -> None:
        self.size = 0

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def put(self) -> None:
        self.write(str(self.size))


def make_app(**settings: Any) -> Application:
    """The application."""
    settings.setdefault("cookie_secret", "secret")
    return Application(
        [
            ("/echo", Echo),
            ("/head", Head),
            ("/cookies", Cookies),
            (r"/redirect/(\d+)", Redirect),
            ("/round", Round),
            ("/waits", Waits),
            ("/old", Old),
            ("/open", Open),
            ("/broken", Broken),
            ("/aborts", Aborts),
            ("/upload", Upload),
        ],
        **settings,
    )


class News(SSEHandler):
    current: News
    left = 0

    def bind(self) -> None:
        type(self).current = self
        self.sendEvent("one", event="greeting", eid=1, retry=1000)
        self.sendEvent("two\nlines")
        if self.last_event_id:
            self.sendEvent({"last": self.last_event_id})

    def unbind(self) -> None:
        type(self).left += 1
