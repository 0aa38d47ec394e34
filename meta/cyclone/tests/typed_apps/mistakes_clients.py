"""What a type checker has to find: the lines that end in ``# expect: CODE``."""

from __future__ import annotations

from cyclone import escape, httputil, locale, template
from cyclone.httpclient import AsyncHTTPClient, HTTPRequest
from cyclone.sse import SSEHandler
from cyclone.testing import Client
from cyclone.web import Application
from cyclone.websocket import WebSocketHandler, websocket_connect


class Socket(WebSocketHandler):
    def on_message(self, message: bytes) -> None:  # expect: override
        self.write_message(3)  # expect: arg-type
        self.write_message("x", binary="y")  # expect: arg-type
        self.close("x")  # expect: arg-type
        self.ping(3)  # expect: arg-type
        self.transport.wirte(b"x")  # expect: attr-defined
        self.transport.write("x")  # expect: arg-type

    def check_origin(self, origin: str) -> None:  # expect: override
        pass


class Events(SSEHandler):
    def bind(self) -> None:
        self.sendEvent(3)  # expect: arg-type
        self.sendEvent("x", retry=1.5)  # expect: arg-type
        self.sendEvent("x", evnt="x")  # expect: call-arg


async def clients() -> None:
    http = AsyncHTTPClient()
    await http.fetch(3)  # expect: arg-type
    await http.fetch("http://x", metod="POST")  # expect: call-arg
    await http.fetch("http://x", request_timeout="3")  # expect: arg-type
    response = await http.fetch("http://x")
    text: str = response.body  # expect: assignment
    text = response.code  # expect: assignment
    print(text, response.bdy)  # expect: attr-defined
    print(http.fetch("http://x").body)  # expect: attr-defined
    HTTPRequest("http://x", headers="x")  # expect: arg-type
    HTTPRequest("http://x", body=3)  # expect: arg-type
    await websocket_connect(3)  # expect: arg-type
    await websocket_connect("ws://x", subprotocol=["x"])  # expect: call-arg
    print(Client(Application()).get("/").code)  # expect: attr-defined
    await Client(Application()).get("/", parms={})  # expect: call-arg


def helpers() -> None:
    escape.utf8(3)  # expect: call-overload
    escape.xhtml_escape(None)  # expect: arg-type
    text: str = escape.utf8("x")  # expect: assignment
    text = template.Template("x").generate()  # expect: assignment
    template.Template(3)  # expect: arg-type
    locale.get("en").translate(3)  # expect: arg-type
    headers = httputil.HTTPHeaders()
    headers["x"] = 3  # expect: assignment
    headers.add("x", 3)  # expect: arg-type
    httputil.url_concat(text, 3)  # expect: arg-type
