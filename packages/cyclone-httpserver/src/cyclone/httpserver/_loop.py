"""Which reactor serves: also for programs whose ``main()`` is run by asyncio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any

_NOT_ON_IT = (
    "an asyncio event loop runs here, but the reactor that was installed before, {name}, does not "
    "run on it: install no reactor before asyncio.run(), or run that reactor instead of the loop"
)


def current_reactor() -> Any:
    """The installed reactor.

    If none is installed and an asyncio event loop runs (``asyncio.run(main())``, Tornado's way to
    begin), Twisted's asyncio reactor is installed on that loop and started; it is shut down with
    the loop.
    """
    loop = asyncio._get_running_loop()
    if loop is not None and "twisted.internet.reactor" not in sys.modules:
        _start_on(loop)
    from twisted.internet import reactor

    return reactor


def check_running(reactor: Any) -> None:
    """RuntimeError if an asyncio event loop runs that the reactor knows nothing of."""
    loop = asyncio._get_running_loop()
    if loop is not None and not getattr(reactor, "running", True):
        raise RuntimeError(_NOT_ON_IT.format(name=type(reactor).__name__))


def _start_on(loop: asyncio.AbstractEventLoop) -> None:
    from twisted.internet import asyncioreactor

    asyncioreactor.install(loop)  # type: ignore[no-untyped-call]
    from twisted.internet import reactor as _reactor

    reactor: Any = _reactor
    reactor.startRunning(installSignalHandlers=False)
    # asyncio.run() closes the asynchronous generators that were begun before it closes the loop
    reactor.cyclone_end = end = _clear_at_the_end(reactor)
    loop.create_task(end.asend(None))


async def _clear_at_the_end(reactor: Any) -> AsyncGenerator[None, None]:
    """Close sockets and end threads, which the program would wait for.

    Not with the reactor's event "shutdown": that stops the loop, which asyncio will do itself.
    """
    try:
        yield
    finally:
        reactor.disconnectAll()
        if reactor.threadpool is not None:
            reactor.threadpool.stop()
