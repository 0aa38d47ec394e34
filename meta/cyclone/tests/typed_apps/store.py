"""What the applications in this folder keep their things in."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from twisted.internet import defer
from twisted.internet.defer import Deferred


class Role(enum.Enum):
    READER = "reader"
    WRITER = "writer"


@dataclass
class User:
    name: str
    role: Role = Role.READER


class Database:
    async def user(self, name: str) -> User | None:
        return User(name)

    def count(self) -> Deferred[int]:
        return defer.succeed(3)
