"""What bounds a connection, and who it works for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from types import TracebackType


class Limits(NamedTuple):
    """The limits of a connection: sizes in bytes, times in seconds; None or 0 turns one off."""

    max_message_size: int = 10 * 1024 * 1024
    #: Messages that arrived and were not taken yet; past it, nothing more is read.
    max_queue_size: int = 1024 * 1024
    #: Output that waits for a slow reader: from the first on a writer is told to wait ...
    write_high_water: int = 65536
    #: ... and a writer that does not wait loses the connection at the second.
    max_buffer_size: int | None = 8 * 1024 * 1024
    ping_interval: float | None = None
    #: None: as ``ping_interval``.
    ping_timeout: float | None = None
    #: From our close frame to the peer's.
    close_timeout: float = 10.0
    #: Without the peer taking any byte of what waits for it.
    write_timeout: float | None = 60.0

    def pong_timeout(self) -> float:
        """How long a pong may take; 0: for ever."""
        interval = self.ping_interval or 0.0
        if self.ping_timeout is None:
            return interval
        return min(self.ping_timeout, interval)


class Delegate(Protocol):
    """Who a connection works for: a `WebSocketHandler` or a `WebSocketClientConnection`."""

    def on_message(self, message: str | bytes) -> Any:
        """A message arrived; the next one waits for what this returns."""

    def on_ping(self, data: bytes) -> Any:
        """A ping arrived."""

    def on_pong(self, data: bytes) -> Any:
        """A pong arrived."""

    def on_ws_connection_close(
        self, close_code: int | None = None, close_reason: str | None = None
    ) -> None:
        """The connection is gone; called once, the last call."""

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """A callback raised."""


class Home(Protocol):
    """The server that wants to know of its connections."""

    def connection_lost(self, connection: Any) -> None:
        """The connection is gone."""
