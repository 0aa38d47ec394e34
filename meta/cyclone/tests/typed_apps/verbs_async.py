"""Coroutines: methods, prepare, write_error."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, assert_type

from store import Database, User
from twisted.internet import defer
from twisted.internet.defer import Deferred, inlineCallbacks

import cyclone.web


class Profile(cyclone.web.RequestHandler):
    db: Database

    def initialize(self, db: Database) -> None:
        self.db = db

    async def prepare(self) -> None:
        self.current_user = await self.db.user("anna")

    async def get(self, name: str) -> None:
        user = await self.db.user(name)
        assert_type(user, User | None)
        count = await self.db.count()
        assert_type(count, int)
        if user is None:
            raise cyclone.web.HTTPError(404, "no user %s of %d", name, count)
        self.write(user.name)
        await self.flush()
        await self.finish()

    async def post(self) -> None:
        raise cyclone.web.HTTPError(400, reason="Try again")

    async def put(self) -> None:
        raise cyclone.web.Finish

    async def write_error(self, status_code: int, **kwargs: object) -> None:
        await self.render("error.html", status=status_code)


class Prepared(cyclone.web.RequestHandler):
    def prepare(self) -> None:
        self.started = self.request.request_time()


class PreparedLater(cyclone.web.RequestHandler):
    def prepare(self) -> Deferred[None]:
        return defer.succeed(None)


class PreparedByCallbacks(cyclone.web.RequestHandler):
    @inlineCallbacks
    def prepare(self) -> Generator[Deferred[Any], Any, None]:
        yield defer.succeed(None)
