"""AsyncTestCase: synchronous test methods that wait for what the reactor does."""

from __future__ import annotations

import inspect
import sys
import unittest
from collections.abc import Callable
from typing import Any

from ._loop import ReactorLoop
from ._reactor import get_async_test_timeout, run_sync, stop_thread_pool, turn


class AsyncTestCase(unittest.TestCase):
    """A test case of the standard library for asynchronous code.

    A test method is synchronous, and the reactor runs while it waits: decorate the method with
    `gen_test` to write it as ``async def``, or use `wait` and `stop`. It runs under ``unittest``,
    pytest and trial, with whatever reactor is installed. All tests share that reactor, so each
    should close what it opens.
    """

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self.__stopped = False
        self.__running = False
        self.__failure: BaseException | None = None
        self.__stop_args: Any = None
        self.__tasks: frozenset[Any] = frozenset()

    def setUp(self) -> None:
        """Prepare ``self.reactor`` and ``self.io_loop``."""
        super().setUp()
        self.io_loop: ReactorLoop = self.get_new_ioloop()
        self.reactor: Any = self.io_loop.reactor
        self.__tasks = self.__asyncio_tasks()

    def tearDown(self) -> None:
        """Cancel the timers of ``io_loop`` and the asyncio tasks that the test left behind."""
        left = self.__asyncio_tasks() - self.__tasks
        if left:
            # A task that has not begun would warn that its coroutine was never awaited
            run_sync(turn, get_async_test_timeout())
            for task in left:
                task.cancel()
            run_sync(turn, get_async_test_timeout())
        self.io_loop.close()
        stop_thread_pool()
        super().tearDown()
        self.__rethrow()

    def get_new_ioloop(self) -> ReactorLoop:
        """What is to be ``self.io_loop``: Tornado's names for the one reactor."""
        return ReactorLoop()

    def __asyncio_tasks(self) -> frozenset[Any]:
        """The unfinished tasks of the event loop under the asyncio reactor."""
        loop = getattr(self.reactor, "_asyncioEventloop", None)
        if loop is None:
            return frozenset()
        asyncio = sys.modules["asyncio"]
        return frozenset(task for task in asyncio.all_tasks(loop) if not task.done())

    def __rethrow(self) -> None:
        failure, self.__failure = self.__failure, None
        if failure is not None:
            raise failure

    def _callTestMethod(self, method: Callable[[], object]) -> None:
        """A test that returns something was not run: that must not pass."""
        result = method()
        if inspect.iscoroutine(result):
            result.close()
        if inspect.iscoroutine(result) or inspect.isgenerator(result):
            raise TypeError("an asynchronous test method should be decorated with gen_test")
        if result is not None:
            raise ValueError(f"Return value from test method ignored: {result!r}")

    def stop(self, _arg: Any = None, **kwargs: Any) -> None:
        """Let `wait` return, now or when it is called, with the argument (or the keywords)."""
        if _arg is not None and kwargs:
            raise TypeError("stop() takes one argument or keywords")
        self.__stop_args = kwargs or _arg
        if self.__running:
            self.__running = False
            self.io_loop.stop()
        self.__stopped = True

    def wait(
        self, condition: Callable[[], object] | None = None, timeout: float | None = None
    ) -> Any:
        """Run the reactor until `stop` is called; returns what that was given.

        With ``condition``, until `stop` was called and ``condition()`` is true. ``timeout``:
        seconds, by default `get_async_test_timeout`; then the test fails.
        """
        seconds = get_async_test_timeout() if timeout is None else timeout
        if not self.__stopped:
            timer = self.io_loop.call_later(seconds, self.__expire, seconds) if seconds else None
            try:
                self.__spin(condition)
            finally:
                if timer is not None:
                    self.io_loop.remove_timeout(timer)
        self.__stopped = False
        self.__rethrow()
        result, self.__stop_args = self.__stop_args, None
        return result

    def __spin(self, condition: Callable[[], object] | None) -> None:
        while True:
            self.__running = True
            try:
                self.io_loop.start()
            finally:
                self.__running = False
            if self.__failure is not None or condition is None or condition():
                return

    def __expire(self, seconds: float) -> None:
        self.__failure = self.failureException(f"Async operation timed out after {seconds} seconds")
        self.stop()
