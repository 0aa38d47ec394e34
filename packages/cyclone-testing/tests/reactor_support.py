"""What takes a turn of the reactor."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred


def later(seconds: float = 0, value: Any = None) -> Deferred[Any]:
    from twisted.internet import reactor, task

    return task.deferLater(reactor, seconds, lambda: value)


async def coroutine() -> str:
    await later()
    return "coroutine"
