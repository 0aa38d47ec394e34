"""Twisted producers that write a response body at the client's pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._output import OutputSide


class ProducerAdapter:
    """Pauses a push producer while the client is slow; asks a pull producer for more when not.

    A pull producer is asked once a turn of the reactor, so that a fast client starves nobody.
    """

    __slots__ = ("_asked", "_connection", "_producer", "_streaming")

    def __init__(self, connection: OutputSide, producer: Any, streaming: bool) -> None:
        self._connection = connection
        self._producer = producer
        self._streaming = streaming
        self._asked: Any = None

    def start(self) -> None:
        """Begin; a pull producer is asked for its first piece."""
        if not self._streaming:
            self._ask_later()
        elif self._connection._outlet is not None:
            self._producer.pauseProducing()

    def pause(self) -> None:
        """The transport has enough."""
        if self._streaming:
            self._producer.pauseProducing()

    def resume(self) -> None:
        """The client has taken everything."""
        if self._streaming:
            self._producer.resumeProducing()
        else:
            self._ask_later()

    def _ask_later(self) -> None:
        if self._asked is None:
            self._asked = self._connection.server.reactor.callLater(0, self._ask)

    def _ask(self) -> None:
        self._asked = None
        self._producer.resumeProducing()
        if self._connection._producer is self and self._connection._outlet is None:
            self._ask_later()

    def stop(self) -> None:
        """The producer is done."""
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    def lost(self) -> None:
        """The client is gone."""
        self.stop()
        self._producer.stopProducing()
