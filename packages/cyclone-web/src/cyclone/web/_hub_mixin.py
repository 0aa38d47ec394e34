"""What lets a handler join the channels of a hub in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._handler import RequestHandler
    from ._hub import Hub
    from ._hub_channel import HubMessage

    _Base = RequestHandler
else:
    _Base = object

#: Seconds a long poll waits: less than the time a server gives its requests when it stops.
LONG_POLL = 20.0


class HubMixin(_Base):
    """Mix it into a handler, before the handler's class, and set ``hub`` in the settings.

    A handler with ``on_hub_message`` (WebSocket and SSE handlers have it) joins channels::

        class Chat(HubMixin, WebSocketHandler):
            def open(self):
                self.join("room")

    and leaves them by itself when its client goes away. A handler that answers once waits::

        class Updates(HubMixin, RequestHandler):
            async def get(self):
                after = self.get_query_argument("after", None)
                self.write_messages(await self.wait_for("room", after))
    """

    _hub_channels: set[str] | None = None

    @property
    def hub(self) -> Hub:
        """The hub: the setting ``hub``."""
        self.require_setting("hub", "the hub")
        hub: Hub = self.settings["hub"]
        return hub

    def join(self, channel: str, after: int | str | None = None) -> None:
        """Get what is published to *channel*, and before that what was kept from after *after*.

        Does nothing when the client has left already. A WebSocket may join from ``open`` on.

        :raises HubFullError: when the hub can have no further channel.
        """
        if not self._is_there():
            return
        if self._hub_channels is None:
            self._hub_channels = set()
            if getattr(self, "ws_connection", None) is None:
                self.request.notifyFinish().addCallback(lambda _: self.leave_all())
        self._hub_channels.add(channel)
        self.hub.join(channel, self, after)  # type: ignore[arg-type]

    def leave(self, channel: str) -> None:
        """Get nothing more of *channel*."""
        if self._hub_channels is not None and channel in self._hub_channels:
            self._hub_channels.discard(channel)
            self.hub.leave(channel, self)  # type: ignore[arg-type]

    def leave_all(self) -> None:
        """Leave all channels."""
        for channel in list(self._hub_channels or ()):
            self.leave(channel)

    def wait_for(
        self, channel: str, after: int | str | None = None, timeout: float = LONG_POLL
    ) -> Deferred[list[HubMessage]]:
        """Long polling: the messages after *after*, or else the next one.

        The list is empty after *timeout* seconds, and when the client has left.
        """
        if not self._is_there():
            return succeed([])
        waiting = self.hub.wait(channel, after, timeout)
        if waiting.called:
            return waiting
        answer: Deferred[list[HubMessage]] = Deferred(lambda _: waiting.cancel())
        waiting.addErrback(lambda _: []).addCallback(answer.callback)
        # When the request has its answer there is nothing left to cancel.
        self.request.notifyFinish().addCallback(lambda _: waiting.cancel())
        return answer

    def write_messages(self, messages: Iterable[HubMessage]) -> None:
        """Write ``{"messages": [{"id": ..., "data": ...}, ...]}``, each made only once for all."""
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.write(b'{"messages": [' + b", ".join([each.json() for each in messages]) + b"]}")

    def on_connection_close(self) -> None:
        """The client has left. An override calls this one."""
        super().on_connection_close()
        self.leave_all()

    def _is_there(self) -> bool:
        """Whether there is a client to send anything to."""
        if getattr(self, "ws_connection", None) is not None:
            return True
        connection = self.request.connection
        return connection.request is self.request and not connection.closed
