"""The hub over a real Redis: a chat room in two processes, and a Redis that goes away."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from ports import free_port

APP = Path(__file__).resolve().parents[3] / "examples" / "chat" / "app.py"

pytestmark = pytest.mark.skipif(not APP.is_file(), reason="the examples are not in the sdist")


class Server(Protocol):
    url: str

    def log(self) -> str: ...


class Redis:
    """A redis-server that can go away and come back with what it had."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1"]
        self._command += ["--dir", str(folder), "--save", "", "--appendonly", "yes"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("redis-server does not listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


class Visitor(httpx.Client):
    """Speaks and listens by long polling."""

    def __init__(self, server: Server) -> None:
        super().__init__(base_url=server.url, timeout=20)
        found = re.search('name="_xsrf" value="([^"]+)"', self.get("/").text)
        assert found is not None
        self._token = found[1]

    def say(self, body: str) -> httpx.Response:
        data = {"_xsrf": self._token, "from": "x", "body": body}
        return self.post("/a/message/new", data=data)

    def updates(self, cursor: int = 0) -> list[dict[str, Any]]:
        data = {"_xsrf": self._token, "cursor": str(cursor)}
        answer = self.post("/a/message/updates", data=data).raise_for_status()
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages


@pytest.fixture
def redis(program: Callable[[str], str], tmp_path: Path) -> Iterator[Redis]:
    server = Redis(program("redis-server"), tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def rooms(redis: Redis, start: Callable[..., Server]) -> list[Server]:
    """The same room in two processes."""
    return [start(APP, "--port", "0", "--redis", f"127.0.0.1:{redis.port}") for _ in range(2)]


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [message["data"]["body"] for message in messages]


def test_one_room_in_two_processes(redis: Redis, rooms: list[Server]) -> None:
    with ExitStack() as stack:
        here, there = (Visitor(room) for room in rooms)
        for visitor in (here, there):
            stack.callback(visitor.close)
        first = here.say("from here").json()["id"]
        assert bodies(there.updates()) == ["from here"]
        second = there.say("from there ü").json()["id"]
        assert second == first + 1
        assert bodies(here.updates(first)) == ["from there ü"]
        # A client that was here before goes on there, as events.
        headers = {"Last-Event-ID": str(first)}
        with there.stream("GET", "/events", headers=headers) as answer:
            lines = answer.iter_lines()
            assert next(lines) == f"id: {second}"
            assert json.loads(next(lines).removeprefix("data: "))["body"] == "from there ü"
            assert next(lines) == ""
            here.say("live")
            assert next(lines) == f"id: {second + 1}"
            assert json.loads(next(lines).removeprefix("data: "))["body"] == "live"
            assert next(lines) == ""
            # Redis goes away, and the stream stays.
            redis.stop()
            redis.start()
            assert here.say("after the restart").status_code == 200
            assert next(lines) == f"id: {second + 2}"
        assert len(there.updates()) == 4
    for room in rooms:
        assert "Traceback" not in room.log()
        assert "Redis cannot be used" in room.log()
