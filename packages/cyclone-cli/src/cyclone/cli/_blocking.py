"""Who blocks the reactor? A thread that looks, for debug mode."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from types import FrameType
from typing import Any

from cyclone.web import RequestHandler

log = logging.getLogger("cyclone.general")

#: Seconds the reactor may be busy with one thing before it is told of.
LIMIT = 0.1


class BlockingWatch:
    """Logs each time the reactor's thread does not come back for longer than ``limit`` seconds.

    The line names the handler that ran, and where it was. `start` is called in that thread.
    """

    def __init__(self, reactor: Any, limit: float = LIMIT) -> None:
        self._reactor = reactor
        self._limit = limit
        self._seen = time.monotonic()
        self._where: str | None = None
        self._thread_id = 0
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin; the thread ends with the reactor."""
        self._thread_id = threading.get_ident()
        self._tick()
        threading.Thread(target=self._run, name="cyclone-blocking", daemon=True).start()
        self._reactor.addSystemEventTrigger("before", "shutdown", self._stopped.set)

    def _tick(self) -> None:
        """In the reactor: we are back."""
        now = time.monotonic()
        where, self._where = self._where, None
        if where is not None:
            log.warning("the reactor was blocked for %.2f s by %s", now - self._seen, where)
        self._seen = now
        if not self._stopped.is_set():
            self._reactor.callLater(self._limit / 4, self._tick)

    def _run(self) -> None:
        """In the thread: look."""
        while not self._stopped.wait(self._limit / 4):
            if self._where is None and time.monotonic() - self._seen > self._limit:
                frame = sys._current_frames().get(self._thread_id)
                if frame is not None:
                    self._where = describe(frame)


def describe(frame: FrameType) -> str:
    """Where the thread is: the handler's method if there is one on the stack, and the line."""
    inner = traceback.extract_stack(frame, limit=1)[-1]
    place = f"{inner.filename}:{inner.lineno} in {inner.name}"
    found: FrameType | None = frame
    while found is not None:
        this = found.f_locals.get("self")
        module = found.f_globals.get("__name__", "")
        if isinstance(this, RequestHandler) and not module.startswith("cyclone.web."):
            name = f"{type(this).__qualname__}.{found.f_code.co_name}"
            return f"{name} (line {found.f_lineno}), at {place}"
        found = found.f_back
    return place
