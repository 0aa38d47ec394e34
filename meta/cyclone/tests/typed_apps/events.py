"""Server-Sent Events, hubs and metrics."""

from __future__ import annotations

from typing import assert_type

from twisted.internet import task

from cyclone.sse import SSEHandler
from cyclone.web import Hub, HubMessage, HubMixin, MetricsHandler, RedisHub, RequestHandler


class Clock(SSEHandler):
    keep_alive_interval = 5.0

    def bind(self) -> None:
        self.loop = task.LoopingCall(self.tick)
        self.loop.start(1)

    def tick(self) -> None:
        self.sendEvent("tick", event="clock", eid=3, retry=1000)
        self.send_event({"a": 1})

    def unbind(self) -> None:
        self.loop.stop()


class News(SSEHandler):
    async def bind(self, channel: str) -> None:
        self.join(channel, after=self.last_event_id)
        await self.sendEvent(["a", "b"])

    async def unbind(self) -> None:
        await self.hub.publish("left", {"who": self.request.remote_ip})

    def on_hub_message(self, message: HubMessage) -> None:
        assert_type(message.id, int)
        self.sendEvent(message.text, eid=message.id)


class Publish(HubMixin, RequestHandler):
    async def post(self) -> None:
        number = await self.hub.publish("news", self.get_json())
        assert_type(number, int)
        self.write({"id": number})


hub: Hub = RedisHub("redis://localhost")
metrics: type[RequestHandler] = MetricsHandler
