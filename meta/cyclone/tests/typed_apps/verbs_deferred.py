"""Methods that return Deferreds, inlineCallbacks, and @asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, assert_type

from store import Database
from twisted.internet import defer, reactor, task
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

import cyclone.web
from cyclone.web import spawn


class Callbacks(cyclone.web.RequestHandler):
    @inlineCallbacks
    def get(self) -> Generator[Deferred[Any], Any, None]:
        number = yield defer.succeed(3)
        self.write(str(number))

    @defer.inlineCallbacks
    def put(self, name: str) -> Generator[Deferred[int], int, None]:
        number = yield Database().count()
        self.finish(name * number)

    def delete(self) -> Deferred[None]:
        found = Database().count().addCallback(str)
        return found.addCallback(self.write)

    @cyclone.web.asynchronous
    def post(self) -> None:
        Database().count().addCallback(self.on_count).addErrback(self.on_failure)

    def on_count(self, count: int) -> None:
        self.finish(str(count))

    def on_failure(self, failure: Failure) -> None:
        self.send_error(503)

    @cyclone.web.asynchronous
    @inlineCallbacks
    def patch(self) -> Generator[Deferred[int], int, None]:
        yield Database().count()
        self.finish()

    async def options(self) -> None:
        counts = await defer.gatherResults([Database().count(), Database().count()])
        assert_type(counts, list[int])
        await task.deferLater(reactor, 0.1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        text = await Deferred.fromFuture(future)
        self.write(text)
        assert_type(spawn(self.later()), Deferred[int])

    async def later(self) -> int:
        gone = self.notifyFinish()
        gone.addErrback(self.on_failure)
        callback = self.async_callback(self.on_count)
        if callback is not None:
            callback(3)
        return 3
