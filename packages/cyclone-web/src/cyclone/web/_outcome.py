"""What Tornado's callbacks are given: something that is done, and has a result to ask for."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Self

from twisted.python.failure import Failure


class Outcome:
    """A future that is done, by the names that Tornado's and asyncio's have; also to be awaited."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def result(self) -> Any:
        """The value; raises what went wrong."""
        if isinstance(self._value, Failure):
            self._value.raiseException()
        return self._value

    def exception(self) -> BaseException | None:
        """What went wrong, or None."""
        return self._value.value if isinstance(self._value, Failure) else None

    def done(self) -> bool:
        """True."""
        return True

    def cancelled(self) -> bool:
        """False."""
        return False

    def add_done_callback(self, callback: Callable[[Self], object]) -> None:
        """Call ``callback(self)`` at once."""
        callback(self)

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self.result()
