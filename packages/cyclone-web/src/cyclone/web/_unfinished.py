"""Requests that wait for their answer, and those that will never get one.

Only requests whose handler returned without an answer are in here. Three things end the wait of a
client that would else look at an empty page for ever:

- the handler is gone (collected, because nothing refers to it any more: a callback failed, a
  Deferred was dropped): 500 at once;
- ``handler_timeout`` has passed: 503, and the handler is cancelled;
- ``warn_unfinished_after`` has passed: one line in the log that names class, URL and age.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, Self, cast

from cyclone.httputil import HTTPHeaders

from ._log import application_log
from ._observation import note_status

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from cyclone.httpserver import HTTPRequest

    from ._application import Application
    from ._handler import RequestHandler

DEBUG_WARN_AFTER = 10.0
_PAGE = (
    b"<html><title>500: Internal Server Error</title><body>500: Internal Server Error</body></html>"
)


class OpenRequest(weakref.ref["RequestHandler"]):
    """One request whose answer is open: a weak reference to its handler, and what is known of it.

    All in one object, since there may be many of them and the collector looks at each.
    """

    __slots__ = (
        "_class",
        "_key",
        "_requests",
        "client_left",
        "request",
        "started",
        "timeout",
        "warned",
    )

    def __new__(
        cls, handler: RequestHandler, requests: OpenRequests, timeout: float | None
    ) -> Self:
        return super().__new__(cls, handler, _handler_gone)

    def __init__(
        self, handler: RequestHandler, requests: OpenRequests, timeout: float | None
    ) -> None:
        self._requests = requests
        self._key = id(handler)
        self._class = type(handler)
        self.request: HTTPRequest = handler.request
        self.started = requests.monotonic()
        self.timeout = timeout
        self.warned = False
        #: The handler was told that its client is gone: it owes no answer.
        self.client_left = False

    @property
    def handler_name(self) -> str:
        """The handler's class."""
        return f"{self._class.__module__}.{self._class.__qualname__}"

    @property
    def handler(self) -> RequestHandler | None:
        """The handler, while it lives."""
        return self()

    def tell_client_left(self) -> None:
        """For the connection: its client went away."""
        handler = self()
        if handler is not None:
            handler._client_connection_lost()

    def age(self, now: float) -> float:
        """Seconds since the handler returned."""
        return now - self.started

    def log(self, message: str, now: float) -> None:
        """One line: *message*, and which handler, which URL, how old."""
        application_log.error(
            message + ": {handler} for {method} {uri} ({remote_ip}), open for {age:.1f}s",
            handler=self.handler_name,
            method=self.request.method,
            uri=self.request.uri,
            remote_ip=self.request.remote_ip,
            age=self.age(now),
        )


def _handler_gone(entry: weakref.ref[RequestHandler]) -> None:
    if isinstance(entry, OpenRequest):
        entry._requests.handler_gone(entry)


class OpenRequests:
    """The open requests of one application."""

    def __init__(self, application: Application) -> None:
        settings = application.settings
        self._application = weakref.ref(application)
        self._warn_after: float | None = settings.get(
            "warn_unfinished_after", DEBUG_WARN_AFTER if settings.get("debug") else None
        )
        self._timeout: float | None = settings.get("handler_timeout")
        self._entries: dict[int, OpenRequest] = {}
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[OpenRequest]:
        """What is open now, oldest first."""
        return list(self._entries.values())

    def add(self, handler: RequestHandler) -> OpenRequest | None:
        """Watch a handler that returned without an answer, unless it is to stay open."""
        key = id(handler)
        entry = self._entries.get(key)
        timeout = handler.handler_timeout
        if entry is not None or timeout == 0:
            return entry
        entry = OpenRequest(handler, self, self._timeout if timeout is None else timeout)
        self._entries[key] = entry
        if self._timer is None and (self._warn_after or entry.timeout):
            self._schedule()
        return entry

    def discard(self, handler: RequestHandler) -> None:
        """The handler has its answer, or took the transport."""
        self._entries.pop(id(handler), None)
        if not self._entries and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def client_left(self, handler: RequestHandler) -> None:
        """The handler was told that its client went away."""
        entry = self._entries.get(id(handler))
        if entry is not None:
            entry.client_left = True

    def handler_gone(self, entry: OpenRequest) -> None:
        """The handler of an open request was collected: nothing can finish the request any more.

        That is noticed in the middle of anything, even in another thread: the answer waits for the
        reactor's next turn.
        """
        if self._entries.get(entry._key) is not entry:
            return
        del self._entries[entry._key]
        if self._application() is None:
            return
        reactor: Any = self._reactor()
        soon = getattr(reactor, "callFromThread", None)
        if soon is not None:
            soon(self._answer_for_gone, entry)
        else:
            reactor.callLater(0, self._answer_for_gone, entry)

    def _answer_for_gone(self, entry: OpenRequest) -> None:
        connection = entry.request.connection
        if connection.closed or connection.request is not entry.request:
            return
        if entry.client_left:
            connection.abort()
            return
        if getattr(connection.transport, "disconnecting", False):
            return  # the handler answered past the framework, and hung up
        entry.log(
            "A request will never be finished: its handler is gone, because a callback failed or a "
            "Deferred was dropped",
            self.monotonic(),
        )
        note_status(entry.request, 500)
        headers = HTTPHeaders({"Content-Type": "text/html; charset=UTF-8"})
        connection.write_response(entry.request, 500, None, headers, _PAGE)

    # --- the sweep ------------------------------------------------------------------------------

    def monotonic(self) -> float:
        """The application's time: tests give it a clock after it was made."""
        application = self._application()
        return time.monotonic() if application is None else application.monotonic()

    def _reactor(self) -> IReactorTime:
        application = self._application()
        if application is not None:
            return cast("IReactorTime", application.reactor)
        from twisted.internet import reactor

        return cast("IReactorTime", reactor)

    def _schedule(self) -> None:
        limits = [limit for limit in (self._warn_after, self._timeout) if limit]
        limits += [entry.timeout for entry in self._entries.values() if entry.timeout]
        if limits:
            interval = min(1.0, max(0.05, min(limits) / 4))
            self._timer = self._reactor().callLater(interval, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now = self.monotonic()
        for entry in self.entries():
            age = entry.age(now)
            if entry.timeout and age >= entry.timeout:
                self._time_out(entry, now)
            elif self._warn_after and age >= self._warn_after and not entry.warned:
                entry.warned = True
                entry.log("A request is not finished", now)
        if self._entries and self._timer is None:
            self._schedule()

    def _time_out(self, entry: OpenRequest, now: float) -> None:
        handler = entry.handler
        if handler is None:
            return
        entry.log("A request took too long", now)
        self.discard(handler)
        handler._time_out_request()
