"""How late the reactor is, and which handler made it so.

A thread asks the reactor for a sign of life every now and then. How long that takes is the lag;
while it takes long the thread looks where the reactor's own thread is. Besides, each step of a
handler is timed: so a handler is found that let no other thread run.
"""

from __future__ import annotations

import sys
import threading
import time
import types
import weakref
from collections.abc import Callable, Coroutine, Generator
from typing import Any, NamedTuple

from ._base import HandlerBase
from ._log import application_log

DEBUG_BLOCKED_AFTER = 0.1
_FRAMES = 6


class Sample(NamedTuple):
    """Where a thread is: the handler it runs, if any, and the innermost lines."""

    handler: str | None
    lines: list[str]


def handler_name(handler_class: type[object]) -> str:
    """The name of a class, with its module."""
    return f"{handler_class.__module__}.{handler_class.__qualname__}"


def sample_thread(ident: int) -> Sample | None:
    """Look where the thread *ident* is now; None if there is no such thread."""
    frame: types.FrameType | None = sys._current_frames().get(ident)
    if frame is None:
        return None
    lines: list[str] = []
    while frame is not None:
        code = frame.f_code
        if len(lines) < _FRAMES:
            lines.append(f"{code.co_filename}:{frame.f_lineno} in {code.co_name}")
        if code.co_argcount:
            first = frame.f_locals.get(code.co_varnames[0])
            if isinstance(first, HandlerBase):
                return Sample(handler_name(type(first)), lines)
        frame = frame.f_back
    return Sample(None, lines)


class LoopMonitor:
    """Watches one reactor.

    :arg interval: seconds between two signs of life.
    :arg threshold: seconds from which on a delay is logged; None: never.
    :arg on_lag: told each measured lag in seconds, in the reactor's thread.
    """

    def __init__(
        self,
        reactor: Any,
        *,
        interval: float,
        threshold: float | None = None,
        on_lag: Callable[[float], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sample: Callable[[int], Sample | None] = sample_thread,
    ) -> None:
        self._reactor = reactor
        self.interval = interval
        self.threshold = threshold
        self._on_lag = on_lag
        self.monotonic = monotonic
        self._take_sample = sample
        self._thread: threading.Thread | None = None
        self._ident = 0
        self._asked: float | None = None
        self._sample: Sample | None = None
        #: How many delays were logged so far.
        self.logged = 0
        self._logged_when_asked = 0

    def start(self) -> None:
        """Begin to watch the thread that calls this; once, and only on a real reactor."""
        if self._ident:
            return
        self._ident = threading.get_ident()
        if hasattr(self._reactor, "callFromThread"):
            self._thread = threading.Thread(
                target=_watch, args=(weakref.ref(self),), name="cyclone-loop-monitor", daemon=True
            )
            self._thread.start()

    def check(self) -> None:
        """One round of the watching thread: ask the reactor, or look why it does not answer."""
        now, asked = self.monotonic(), self._asked
        if asked is None:
            self._logged_when_asked = self.logged
            self._asked = now
            self._reactor.callFromThread(self._answer)
        elif self.threshold and self._sample is None and now - asked >= self.threshold / 2:
            self._sample = self._take_sample(self._ident)

    def _answer(self) -> None:
        """The sign of life, in the reactor's thread."""
        asked = self._asked
        if asked is None:
            return
        lag = self.monotonic() - asked
        if self.threshold and lag >= self.threshold and self.logged == self._logged_when_asked:
            self._log(lag, None)
        self._sample = self._asked = None
        if self._on_lag is not None:
            self._on_lag(lag)

    def stepped(self, handler_class: type[object] | None, started: float, logged: int) -> None:
        """Code of a request ran since *started*; *logged* is what the attribute was then."""
        seconds = self.monotonic() - started
        if self.threshold and seconds >= self.threshold and self.logged == logged:
            self._log(seconds, None if handler_class is None else handler_name(handler_class))

    async def timed(self, handler_class: type[object], coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run *coroutine*, each of its steps timed."""
        return await self._steps(handler_class, coroutine)

    @types.coroutine
    def _steps(
        self, handler_class: type[object], coroutine: Coroutine[Any, Any, Any]
    ) -> Generator[Any, Any, Any]:
        advance: Callable[[Any], Any] = coroutine.send
        value: Any = None
        while True:
            started, logged = self.monotonic(), self.logged
            try:
                yielded = advance(value)
            except StopIteration as stop:
                return stop.value
            finally:
                self.stepped(handler_class, started, logged)
            try:
                value = yield yielded
                advance = coroutine.send
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:
                advance, value = coroutine.throw, error

    def _log(self, seconds: float, name: str | None) -> None:
        self.logged += 1
        sample, self._sample = self._sample, None
        lines = sample.lines if sample is not None else []
        name = name or (sample.handler if sample is not None else None)
        application_log.warning(
            "The reactor was blocked for {milliseconds:.0f} ms by {handler}{where}",
            milliseconds=1000.0 * seconds,
            handler=name or "what is no request handler",
            where=f", seen at {' < '.join(lines)}" if lines else "",
            stack=lines,
        )


def _watch(reference: weakref.ref[LoopMonitor]) -> None:
    """What the thread does until the monitor is gone."""
    while (monitor := reference()) is not None:
        interval = monitor.interval
        try:
            monitor.check()
        except RuntimeError:
            return  # the reactor is closed, or the interpreter is about to be
        del monitor
        time.sleep(interval)
