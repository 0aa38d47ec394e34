"""Deferreds, coroutines, and asyncio under its reactor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, succeed

from cyclone.httpclient._awaitables import pending, to_deferred


def test_without_a_loop() -> None:
    async def coroutine() -> int:
        return await succeed(1)

    results: list[int | None] = []
    to_deferred(coroutine()).addCallback(results.append)
    waiting: Deferred[int] = Deferred()
    assert to_deferred(waiting) is waiting
    assert results == [1]
    assert pending(None) is None


@pytest.mark.parametrize("value", [42, "x", [], True])
def test_what_cannot_be_awaited(value: object) -> None:
    with pytest.raises(TypeError, match="not None"):
        pending(value)


SCRIPT = """
import asyncio, sys
from twisted.internet import asyncioreactor
asyncioreactor.install()
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater, react
from cyclone.httpclient import AsyncHTTPClient
sys.path.insert(0, sys.argv[1])
from httpclient_support import ok, serving

async def main():
    events = []

    async def take(data):
        async with asyncio.timeout(5):
            await asyncio.sleep(0.001)
            await deferLater(reactor, 0.001, lambda: None)
            await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        events.append(data)

    async def pieces():
        for piece in (b"a", b"b"):
            await asyncio.sleep(0.001)
            await deferLater(reactor, 0.001, lambda: None)
            yield piece

    async def fails(data):
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async with serving(ok(b"x")) as server:
        client = AsyncHTTPClient(force_instance=True)
        await client.fetch(server.url, method="POST", body=pieces(), streaming_callback=take)
        assert server.requests[0].body == b"ab", server.requests[0]
        assert events == [b"x"], events
        try:
            await client.fetch(server.url, streaming_callback=fails)
        except Exception as error:
            assert isinstance(error.__cause__, ZeroDivisionError), error
        slow = client.fetch(server.url, streaming_callback=lambda data: asyncio.sleep(60))
        await deferLater(reactor, 0.05, lambda: None)
        slow.cancel()
        try:
            await slow
        except Exception as error:
            print(type(error).__name__)
        client.close()
    print("fine")

react(lambda _: Deferred.fromCoroutine(main()))
"""


def test_asyncio_objects_may_be_awaited_in_callbacks_and_bodies() -> None:
    folder = str(Path(__file__).parent)
    environment = {**os.environ, "PYTHONDEVMODE": ""}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, folder],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment,
    )
    assert done.stdout.split() == ["CancelledError", "fine"], done.stderr
    assert "never retrieved" not in done.stderr
    assert "never awaited" not in done.stderr
