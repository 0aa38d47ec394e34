"""A clock for the reactor that nobody can set."""

from __future__ import annotations

import time
from typing import Any


def steady(reactor: Any) -> Any:
    """Let *reactor* measure time by the monotonic clock; returns it.

    Twisted's reactors ask the wall clock. Set back, it would make each timer wait for so much
    longer: no pings, no comments in event streams, no signs of life of a worker, which is ended for
    that (F-41). The new clock begins at the wall clock's time, for whoever takes it for that.
    """
    begin = time.time() - time.monotonic()
    reactor.seconds = lambda: begin + time.monotonic()
    return reactor
