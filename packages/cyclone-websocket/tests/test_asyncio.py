"""On Twisted's asyncio reactor callbacks are asyncio tasks and may use its libraries."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from twisted.internet import asyncioreactor
asyncioreactor.install()
import asyncio, sys
from twisted.internet import task
from twisted.internet.defer import succeed
from cyclone.web import Application, spawn
from cyclone.websocket import WebSocketHandler, websocket_connect

class Echo(WebSocketHandler):
    async def open(self):
        await asyncio.sleep(0.01)
        self.opened = True

    async def on_message(self, message):
        assert self.opened
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(0.01 if message == "1" else 0))
        await succeed(None)
        await self.write_message(message)

    async def on_close(self):
        await asyncio.sleep(0)
        closed.set_result(self.close_code)

async def main():
    global closed
    closed = asyncio.get_running_loop().create_future()
    server = Application([("/", Echo)], log_function=lambda h: None).listen(0, "127.0.0.1")
    (port,) = server.gate.ports
    ws = await websocket_connect(f"ws://127.0.0.1:{port.getHost().port}/")
    for message in "123":
        ws.write_message(message)
    assert [await ws.read_message() for _ in range(3)] == ["1", "2", "3"]
    await ws.close(4000)
    assert await closed == 4000
    await server.stop()
    print("fine")

task.react(lambda reactor: task.deferLater(reactor, 0, lambda: spawn(main())))
"""


def test_asyncio() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("fine\n", "")
