"""A chat room that is open three ways: long polling, a WebSocket, Server-Sent Events.

Run it with `python examples/chat/app.py --port 8888`, then open http://127.0.0.1:8888 in two
windows. With `--redis HOST:PORT` several of these processes share the room.
"""

import argparse
import json
import logging
import secrets
from pathlib import Path

from cyclone.sse import SSEHandler
from cyclone.web import Application, HTTPError, Hub, HubMixin, RequestHandler
from cyclone.websocket import WebSocketHandler

HERE = Path(__file__).resolve().parent
ROOM = "chat"
MAX_MESSAGE = 500
MAX_NAME = 30
WAYS = {"poll": "long polling", "ws": "WebSocket", "sse": "Server-Sent Events"}


class PageHandler(RequestHandler):
    """The page of each way; `/` is that of long polling."""

    def get(self, way: str = "poll") -> None:
        self.render("index.html", way=way, ways=WAYS, max_message=MAX_MESSAGE, max_name=MAX_NAME)

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", "default-src 'self'; form-action 'self'")


class Speaking(HubMixin):
    """What everything that takes a message does with it."""

    async def say(self, name: str, body: str) -> int:
        """Tell it to everybody; returns the id of the message. HTTPError for what is not fit."""
        name, body = name.strip() or "somebody", body.strip()
        if not body or len(body) > MAX_MESSAGE or len(name) > MAX_NAME:
            raise HTTPError(400)
        return await self.hub.publish(ROOM, {"from": name, "body": body})


class MessageNewHandler(Speaking, RequestHandler):
    """Takes a message from a form; answers with its id."""

    async def post(self) -> None:
        name = self.get_body_argument("from", "")
        self.write({"id": await self.say(name, self.get_body_argument("body"))})


class MessageUpdatesHandler(HubMixin, RequestHandler):
    """Long polling: what came after `cursor`, or else the next message when it comes."""

    async def post(self) -> None:
        cursor = self.get_body_argument("cursor", None)
        self.write_messages(await self.wait_for(ROOM, cursor))


class ChatSocket(Speaking, WebSocketHandler):
    """The room over a WebSocket: each message in both directions is JSON."""

    def open(self) -> None:
        self.join(ROOM, self.get_query_argument("after", None))

    async def on_message(self, message: str | bytes) -> None:
        try:
            said = json.loads(message)
            await self.say(str(said["from"]), str(said["body"]))
        except (ValueError, KeyError, TypeError, HTTPError):
            self.close(1008, "That is no message")


class ChatEvents(SSEHandler):
    """The room as Server-Sent Events; a browser that comes back gets what it missed."""

    def bind(self) -> None:
        self.join(ROOM, self.last_event_id or self.get_query_argument("after", None))


def make_application(hub: Hub, **settings: object) -> Application:
    """The application around a hub."""
    return Application(
        [
            (r"/", PageHandler),
            (r"/(poll|ws|sse)", PageHandler),
            (r"/a/message/new", MessageNewHandler),
            (r"/a/message/updates", MessageUpdatesHandler),
            (r"/socket", ChatSocket),
            (r"/events", ChatEvents),
        ],
        hub=hub,
        template_path=str(HERE / "templates"),
        static_path=str(HERE / "static"),
        cookie_secret=secrets.token_hex(32),
        xsrf_cookies=True,
        cross_origin_protection=True,
        **settings,
    )


def main() -> None:
    """Serve the room until interrupted."""
    parser = argparse.ArgumentParser(description="The Cyclone chat room")
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS")
    parser.add_argument("--redis", metavar="HOST:PORT", help="share the room through Redis")
    parser.add_argument("--debug", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")

    from twisted.internet import reactor

    hub = Hub()
    if options.redis:
        from cyclone.web import RedisHub

        host, _, redis_port = options.redis.rpartition(":")
        hub = RedisHub(host or "127.0.0.1", int(redis_port))
    application = make_application(hub, debug=options.debug)
    port = reactor.listenTCP(options.port, application, interface=options.listen)
    address = port.getHost()
    print(f"Chat on http://{address.host}:{address.port}", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
