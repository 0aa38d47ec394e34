"""A worker process: serves on the sockets it inherits until its supervisor says stop, or dies."""

from __future__ import annotations

import faulthandler
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

from cyclone.httpserver import HTTPRequest, HTTPServer

from ._balance import Balance, Counts
from ._channel import CONTROL, FIRST_SOCKET, STATUS, EndOfPipe, say
from ._drain import is_draining
from ._errors import StartError
from ._options import RunOptions
from ._serve import Serving
from ._sockets import from_descriptor

#: The environment variable that holds what a worker has to know.
VARIABLE = "CYCLONE_WORKER"


def task(options: RunOptions, number: int, tls: list[bool], *, counts: bool = False) -> str:
    """The value of `VARIABLE` for a worker: its options, number, and the kinds of its sockets.

    ``counts``: whether the descriptor behind those of the sockets is that of `Counts`.
    """
    told = {"options": options.to_json(), "number": number, "tls": tls, "counts": counts}
    return json.dumps(told)


def main() -> int:
    """Run a worker; returns its exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the supervisor, too
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    faulthandler.enable()  # the supervisor aborts a worker that hangs: show where
    told = json.loads(os.environ.pop(VARIABLE))
    options = RunOptions.from_json(told["options"])
    os.set_inheritable(CONTROL, False)
    os.set_inheritable(STATUS, False)
    os.set_blocking(STATUS, False)
    os.set_blocking(CONTROL, False)
    listeners = [
        from_descriptor(FIRST_SOCKET + index, tls=tls) for index, tls in enumerate(told["tls"])
    ]
    counts = FIRST_SOCKET + len(listeners) if told["counts"] else None
    if counts is not None:
        os.set_inheritable(counts, False)
    serving = Serving(
        options,
        listeners,
        on_ready=lambda urls: _ready(serving, counts),
        on_drained=lambda cut: say(f"drained {cut}"),
        stop_signals=[signal.SIGTERM],
        worker=told["number"],
    )
    try:
        serving.load()
        return serving.run()
    except StartError as error:
        say(f"failed {error}")
        return error.exit_code


def _ready(serving: Serving, counts: int | None) -> None:
    """Begin to watch the supervisor, and to show it signs of life."""
    reactor: Any = serving.reactor
    if counts is not None and serving.server is not None:
        workers = Counts(serving.options.workers or 1, counts)
        Balance(serving.server, workers, serving.worker or 0, is_draining).start()
    pipe = EndOfPipe(CONTROL, lambda: serving.stop("the supervisor is gone"))
    reactor.addReader(pipe)
    if serving.server is not None and serving.options.max_requests is not None:
        count_requests(serving.server, serving.options, lambda: say("spent"))
    say("ready")
    timeout = serving.options.worker_timeout
    if timeout:
        _beat(reactor, max(0.05, min(5.0, timeout / 5)))


def count_requests(server: HTTPServer, options: RunOptions, spent: Callable[[], object]) -> None:
    """Call ``spent()`` after as many requests as the options say, and again after as many more."""
    limit = (options.max_requests or 1) + random.randint(0, options.max_requests_jitter)
    answer, receive = server.request_callback, server.headers_received
    had = 0

    def count() -> None:
        nonlocal had
        had += 1
        if had % limit == 0:
            spent()

    def counted(request: HTTPRequest) -> object:
        try:
            return answer(request)
        finally:
            count()

    def received(request: HTTPRequest) -> Any:
        receiver = None if receive is None else receive(request)
        if receiver is not None:  # the callback will not be called
            count()
        return receiver

    server.request_callback = counted
    if receive is not None:
        server.headers_received = received


def _beat(reactor: Any, interval: float) -> None:
    say("beat")
    reactor.callLater(interval, _beat, reactor, interval)


if __name__ == "__main__":
    sys.exit(main())
