"""How many connections are accepted: a bound, and what happens when file descriptors run out.

Twisted answers EMFILE by accepting and closing whatever waits. Here accepting pauses before it
comes to that: the kernel keeps new clients waiting in the backlog while those that are connected
are served. A descriptor number near the limit shows that descriptors are scarce whoever uses
them, because the kernel always hands out the lowest free number.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ._connection import HTTPConnection
    from ._server import HTTPServer

#: Accepting goes on at most so many seconds after it was paused for want of descriptors.
PAUSE: Final = 1.0
#: At most one log line about it in so many seconds.
QUIET: Final = 10.0
#: Connections accepted in one turn of the reactor, at most: a bound is passed by fewer than that.
BATCH: Final = 8
#: Clients the kernel keeps waiting to be accepted; it has a limit of its own (``somaxconn``).
BACKLOG: Final = 2048
_TWISTED_BACKLOG: Final = 50


def open_files_limit() -> int | None:
    """The soft limit of open files, or None if there is none (or no such thing)."""
    try:
        import resource
    except ImportError:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


class AcceptGate:
    """Pauses and resumes the listening ports of a server."""

    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        limit = open_files_limit()
        reserve = 0 if limit is None else min(128, limit // 2)
        wanted = server.server_options.max_connections
        self.max_connections: int | None = (
            (limit and limit - reserve) if wanted is None else (wanted or None)
        )
        self._last_descriptor = None if limit is None else limit - min(32, limit // 8)
        self._refuses = server.server_options.refuse_when_full
        self.ports: set[Any] = set()
        self.paused: bool = False
        self._last_log = float("-inf")
        #: While descriptors are scarce, when to look again.
        self._starved_until = float("-inf")

    def add(self, port: Any) -> None:
        """A listening port of ours."""
        if port is not None and port not in self.ports:
            self.ports.add(port)
            port.numberAccepts = BATCH

    def sweep(self) -> None:
        """About once a second: Twisted's batches only shrink, see `accepted`."""
        for port in self.ports:
            port.numberAccepts = BATCH

    def find(self, readers: Iterable[Any]) -> None:
        """Learn of the ports that were made with this server as their factory."""
        for reader in readers:
            factory = getattr(reader, "factory", None)
            while factory is not None and factory is not self._server:
                factory = getattr(factory, "wrappedFactory", None)
            if factory is self._server and reader not in self.ports:
                self.add(reader)
                _lengthen_backlog(reader)

    def full(self) -> bool:
        """Whether accepting stops because the bound on connections is reached."""
        limit = self.max_connections
        if limit is None or self._refuses:
            return False
        return len(self._server.open_connections) >= limit

    def accepted(self, connection: HTTPConnection) -> None:
        """A connection was made; is it the last one for now?"""
        transport = connection.transport
        transport = getattr(transport, "transport", transport)
        port = getattr(transport, "server", None)
        if port is not None:
            if port not in self.ports:
                self.add(port)
            # Twisted accepts 20 more next time if it accepted as many as this attribute says,
            # and else as many as it did: so the batch never grows
            port.numberAccepts = 0
        limit = self.max_connections
        if self._refuses and limit is not None and len(self._server.open_connections) > limit:
            self._log("connections are refused", "as many as allowed")
            connection.turn_away()
        if self.full():
            self._pause("as many connections as allowed")
        elif self._last_descriptor is not None and port is not None:
            descriptor = transport.fileno()
            if isinstance(descriptor, int) and descriptor >= self._last_descriptor:
                self._starved_until = self._server.monotonic() + PAUSE
                self._pause("file descriptors run out")

    def _pause(self, reason: str) -> None:
        if not self.paused:
            self.paused = True
            for port in self.ports:
                port.stopReading()
            self._server.sweeper.add_task(self._try_again)
        self._log("accepting paused", reason)

    def _log(self, what: str, reason: str) -> None:
        now = self._server.monotonic()
        if now >= self._last_log + QUIET:
            self._last_log = now
            self._server.log_full(what, reason)

    def _try_again(self, now: float) -> bool:
        """With each sweep: can accepting go on? Whether to ask again."""
        if self.paused and (now < self._starved_until or self.full()):
            return True
        self.resume()
        return False

    def freed(self) -> None:
        """A connection is gone."""
        if self.paused and not self.full() and self._starved_until == float("-inf"):
            self.resume()

    def forget(self) -> None:
        """Not paused any more, or not for us to say."""
        self.paused = False
        self._starved_until = float("-inf")
        self._server.sweeper.drop_task(self._try_again)

    def resume(self) -> None:
        """Accept again."""
        if not self.paused:
            return
        self.forget()
        for port in self.ports:
            if getattr(port, "connected", True) and not getattr(port, "disconnecting", False):
                port.startReading()


def _lengthen_backlog(port: Any) -> None:
    """Give a port that was made with Twisted's default, 50, the backlog our own have.

    More than 50 clients may well connect within one turn of the reactor; those who find no place
    try again a second later. A socket somebody else set up (it has no ``port``) is left as it is.
    """
    if (
        getattr(port, "backlog", None) == _TWISTED_BACKLOG
        and getattr(port, "port", None) is not None
    ):
        port.socket.listen(BACKLOG)
