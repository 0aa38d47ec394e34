"""The wall clock jumps, as when a machine wakes up or its clock is set (F-41)."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import wire

JUMPING = """
import runpy, sys, time
real, time.offset = time.time, 0.0
time.time = lambda: real() + time.offset  # Twisted's reactors tell the time by it
"""
APPLICATION = """
import time
from cyclone.web import Application, RequestHandler
from cyclone.websocket import WebSocketHandler

class Now(RequestHandler):
    def get(self):
        self.write(repr(time.time()))

class Jump(RequestHandler):
    def get(self):
        time.offset += float(self.get_argument("by"))

class Cookie(RequestHandler):
    def get(self):
        self.write((self.get_signed_cookie("c") or b"none"))
        self.set_signed_cookie("c", "good")

class Socket(WebSocketHandler):
    pass

application = Application(
    [("/now", Now), ("/jump", Jump), ("/cookie", Cookie), ("/socket", Socket)],
    cookie_secret="0123456789abcdef" * 4, idle_connection_timeout=1, header_timeout=1,
    first_request_timeout=1, websocket_ping_interval=0.5, websocket_ping_timeout=0.5,
)
"""
# An ordinary program, and the command line
PROGRAM = """
from twisted.internet import reactor
application = runpy.run_path(sys.argv[1])["application"]
port = reactor.listenTCP(0, application, interface="127.0.0.1")
print(f"http://127.0.0.1:{port.getHost().port}", flush=True)
reactor.run()
"""
COMMAND = """
sys.argv = ["cyclone", "run", sys.argv[1], "--port", "0"]
runpy.run_module("cyclone.cli", run_name="__main__")
"""
HOUR, TEN_YEARS = 3600, 3652 * 86400
# A sweep each second finds what is over; after a jump back, the next input after another second
AT_MOST = 1 + 1 + 1 + 2


def application_in(folder: Path) -> Path:
    file = folder / "application.py"
    file.write_text(APPLICATION)
    return file


def ask(client: http.client.HTTPConnection, path: str, **headers: str) -> tuple[Any, str]:
    client.request("GET", path, headers=headers)
    response = client.getresponse()
    assert response.status == 200
    return response.headers, response.read().decode()


def read_until_closed(
    clients: dict[str, socket.socket], while_waiting: Callable[[], object]
) -> dict[str, bytes]:
    """What each of them was sent before the server closed it."""
    start = time.monotonic()
    received = dict.fromkeys(clients, b"")
    closed: dict[str, bytes] = {}
    while len(closed) < len(clients) and time.monotonic() - start < AT_MOST:
        while_waiting()
        for name in received.keys() - closed.keys():
            piece = wire.read_now(clients[name])
            if piece is None:
                closed[name] = received[name]
            else:
                received[name] += piece
        time.sleep(0.02)
    return closed


@pytest.mark.parametrize(
    ("by", "cookie"),
    [
        pytest.param(HOUR, "good", id="an-hour-on"),
        pytest.param(-HOUR, "good", id="an-hour-back"),
        pytest.param(TEN_YEARS, "none", id="ten-years-on"),
        pytest.param(-TEN_YEARS, "none", id="ten-years-back"),
    ],
)
def test_f_41_timeouts_do_not_follow_a_jump(
    start: Any, tmp_path: Path, by: int, cookie: str
) -> None:
    server = start("-c", JUMPING + PROGRAM, application_in(tmp_path))
    with (
        closing(wire.keep_alive(server.url)) as busy,
        closing(wire.connect(server.url)) as idle,
        closing(wire.connect(server.url)) as slow,
    ):
        signed = ask(busy, "/cookie")[0]["Set-Cookie"].partition(";")[0]
        idle.sendall(b"GET /now HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in idle.recv(65536)
        slow.sendall(b"GET /now HT")
        ask(busy, f"/jump?by={by}")

        assert abs(float(ask(busy, "/now")[1]) - time.time() - by) < 5
        assert ask(busy, "/cookie", Cookie=signed)[1] == cookie
        # Nobody is closed before his time ...
        waiting = {"idle": idle, "slow": slow}
        assert None not in [wire.read_now(client) for client in waiting.values()]
        # ... but everybody then, as soon as anybody says something
        closed = read_until_closed(waiting, lambda: ask(busy, "/now"))
        assert set(closed) == set(waiting)
        assert closed["idle"] == b""
        assert b" 408 " in closed["slow"]
        # The date of answers is made once a second; that second is over
        headers, now = ask(busy, "/now")
        assert abs(parsedate_to_datetime(headers["Date"]).timestamp() - float(now)) < 2


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["on", "back"])
def test_f_41_with_the_command_line_all_timers_go_on(start: Any, tmp_path: Path, by: int) -> None:
    """Nobody has to say anything, and nothing has to be a deadline of the server's."""
    server = start("-c", JUMPING + COMMAND, application_in(tmp_path))
    with (
        closing(wire.keep_alive(server.url)) as idle,
        closing(wire.upgrade(server.url, "/socket")) as silent,
    ):
        ask(idle, f"/jump?by={by}")
        closed = read_until_closed({"idle": idle.sock, "silent": silent}, lambda: None)
        assert closed["idle"] == b""
        assert closed["silent"][0] == 0x89  # a ping, not answered
