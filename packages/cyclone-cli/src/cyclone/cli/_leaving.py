"""The end of a process that threads hold up: the reactor and Python wait for each of them."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger("cyclone.general")
#: Seconds that threads get in any case.
LEAST = 0.25
_LOOK_EVERY = 0.1


class Leaving:
    """Ends the process with ``exit_code()`` when its own end takes too long.

    ``before()`` is called first, for what the process would have cleaned up itself: in a thread,
    while the others are still busy.
    """

    def __init__(
        self,
        exit_code: Callable[[], int],
        before: Callable[[], object] = lambda: None,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._exit_code = exit_code
        self._before = before
        self._leave = leave
        self._limit: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def begun(self) -> bool:
        """Whether the end has begun."""
        return self._limit is not None

    def within(self, seconds: float) -> None:
        """The end begins now and may take so long; a later call can only make it shorter."""
        limit = time.monotonic() + max(seconds, LEAST)
        self._limit = limit if self._limit is None else min(limit, self._limit)
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="cyclone-end", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """The process goes on after all."""
        self._limit = None

    def _watch(self) -> None:
        # No event: it might be set by a signal handler that has interrupted its own setting
        while (limit := self._limit) is not None:
            left = limit - time.monotonic()
            if left <= 0:
                self._end()
                return
            time.sleep(min(left, _LOOK_EVERY))
        self._thread = None

    def _end(self) -> None:
        busy = [thread.name for thread in threading.enumerate() if _holds_up(thread)]
        if busy:
            log.warning("ending without the threads that are busy: %s", ", ".join(busy))
        else:
            log.warning("ending, though the program has not finished its shutdown")
        try:
            self._before()
        finally:
            self._leave(self._exit_code())


def _holds_up(thread: threading.Thread) -> bool:
    return not thread.daemon and thread is not threading.main_thread()
