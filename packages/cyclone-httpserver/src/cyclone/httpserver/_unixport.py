"""A listening UNIX socket that somebody else made, and may share with other processes.

Twisted's own port for it makes the file writable for everybody, shortens the backlog to 50, and at
its end shuts the socket down and removes the file, for all who share it.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp, unix


class AdoptedUNIXPort(unix.Port):
    """Accepts connections, and leaves the rest to who made the socket."""

    _shouldShutdown = False

    def startListening(self) -> None:
        """Accept: the socket listens already."""
        taken: Any = self._preexistingSocket
        self._preexistingSocket = None
        tcp._reservedFD.reserve()  # type: ignore[no-untyped-call]
        factory: Any = self.factory
        factory.doStart()
        self.connected = True
        self.socket = taken
        self.fileno = taken.fileno  # type: ignore[method-assign]
        self.startReading()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any) -> None:
        """The end of this port, not of the socket."""
        tcp.Port.connectionLost(self, reason)  # type: ignore[no-untyped-call]
