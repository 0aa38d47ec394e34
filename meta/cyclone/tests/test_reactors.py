"""The same server on each of Twisted's reactors, over real sockets (F-44)."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any

import pytest
import wire

SERVER = """
import asyncio, hashlib, importlib, sys
if sys.argv[1] == "uvloop":
    import uvloop
    from twisted.internet import asyncioreactor
    asyncioreactor.install(uvloop.new_event_loop())
else:
    importlib.import_module(f"twisted.internet.{sys.argv[1]}reactor").install()

from twisted.internet import reactor, task
from cyclone.web import Application, RequestHandler
from cyclone.websocket import WebSocketHandler

served = []

class Main(RequestHandler):
    def prepare(self):
        served.append(self.request.path)

    def get(self):
        self.write("fine")

    def post(self):
        self.write(hashlib.sha256(self.request.body).hexdigest())

    head = delete = options = get
    put = patch = post

class Later(RequestHandler):
    async def get(self):
        await task.deferLater(reactor, 0.05)
        self.write("later")

class Awaiting(RequestHandler):
    async def get(self):
        await asyncio.sleep(0.05)
        self.write("asyncio")

class Stream(RequestHandler):
    async def get(self):
        for number in range(200):
            self.write(bytes([number]) * 65536)
            await self.flush()

class Echo(WebSocketHandler):
    def on_message(self, message):
        return self.write_message(message, isinstance(message, bytes))

class Served(RequestHandler):
    def get(self):
        self.write({"served": served, "reactor": type(reactor).__module__})

application = Application(
    [("/later", Later), ("/asyncio", Awaiting), ("/stream", Stream), ("/echo", Echo),
     ("/served", Served), (".*", Main)],
    header_timeout=1, idle_connection_timeout=1, spool_threshold=100_000,
)
port = reactor.listenTCP(0, application, interface="127.0.0.1")
print(f"http://127.0.0.1:{port.getHost().port}", flush=True)
reactor.run()
"""
support: Any = wire.load("http_support")


def get(url: str, path: str) -> bytes:
    with closing(wire.keep_alive(url)) as client:
        client.request("GET", path)
        response = client.getresponse()
        assert response.status == 200
        return response.read()


def probe(url: str, name: str) -> str | None:
    """What is wrong with the answer to a probe; None if nothing."""
    data, verdict = support.PROBES[name]
    with closing(wire.connect(url)) as client:
        with suppress(OSError):  # refused and closed meanwhile
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        codes = [code for code in support.statuses(wire.read_to_end(client)) if code >= 200]
        wanted = support.served_before(name) if isinstance(verdict, str) else verdict
        good = [code for code in codes if code < 400 or code == 405]
        if isinstance(verdict, int):
            # What asks for another protocol may as well be closed after the first answer
            fine = len(good) == verdict or (verdict == 2 and len(good) == 1)
        else:
            fine = len(good) == wanted and len(codes) <= wanted + 1
        return None if fine else f"{name}: {codes}"


@pytest.fixture(params=["epoll", "poll", "select", "asyncio", "uvloop"])
def url(request: Any, start: Any) -> Any:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return start("-c", SERVER, request.param).url


def test_f_44_the_same_on_each_reactor(url: str) -> None:
    """One test for each reactor, because most of its time is the start of the server."""
    slow = wire.connect(url)
    slow.sendall(b"GET / HT")
    with ThreadPoolExecutor(8) as pool:
        wrong = list(filter(None, pool.map(lambda name: probe(url, name), support.PROBES)))
    assert not wrong

    assert get(url, "/later") == b"later"
    if "asyncio" in json.loads(get(url, "/served"))["reactor"]:
        assert get(url, "/asyncio") == b"asyncio"
    assert get(url, "/stream") == b"".join(bytes([number]) * 65536 for number in range(200))

    upload = os.urandom(3_000_000)
    with closing(wire.keep_alive(url)) as client:
        for _ in range(2):
            client.request("POST", "/", upload)
            assert client.getresponse().read() == hashlib.sha256(upload).hexdigest().encode()

    with closing(wire.upgrade(url, "/echo")) as socket:
        socket.sendall(wire.frame(1, b"hello") + wire.frame(8, b"\x03\xe8"))
        assert wire.read_to_end(socket) == b"\x81\x05hello\x88\x02\x03\xe8"

    with closing(slow):
        assert b" 408 " in wire.read_to_end(slow)
