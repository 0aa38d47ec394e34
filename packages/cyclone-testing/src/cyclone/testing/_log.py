"""ExpectLog: log messages that a test expects."""

from __future__ import annotations

import logging
import re
import warnings
from types import TracebackType
from typing import Self

_log = logging.getLogger("cyclone.application")


class ExpectLog(logging.Filter):
    """A context manager that expects a log message and keeps it out of the log.

    ::

        with ExpectLog("cyclone.application", "Uncaught exception"):
            response = self.fetch("/broken")

    What was logged to *logger* (a logger, or a name, ``""`` for the root) and matches *regex* at
    its beginning is taken out; all else goes its way. Leaving the block without such a message
    raises, unless *required* is false. With *level* only messages of that level count, and the
    logger lets them through meanwhile; without it they should be warnings or worse.

    ``matched``: how many there were. ``logged_stack``: whether a traceback was logged.
    Not for several threads.
    """

    def __init__(
        self,
        logger: logging.Logger | str,
        regex: str,
        required: bool = True,
        level: int | None = None,
    ) -> None:
        super().__init__()
        self.logger: logging.Logger = (
            logging.getLogger(logger) if isinstance(logger, str) else logger
        )
        self.regex: re.Pattern[str] = re.compile(regex)
        self.required = required
        self.level = level
        self.matched: int = 0
        self.logged_stack: bool = False
        self._below_warning = 0
        self._level_before: int | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Logging asks: is this record to be handled?"""
        if record.exc_info:
            self.logged_stack = True
        message = record.getMessage()
        if not self.regex.match(message):
            return True
        if self.level is not None and record.levelno != self.level:
            wanted, found = logging.getLevelName(self.level), record.levelname
            _log.warning("expected %r at level %s and got it at %s", message, wanted, found)
            return True
        if self.level is None and record.levelno < logging.WARNING:
            self._below_warning += 1
        self.matched += 1
        return False

    def __enter__(self) -> Self:
        if self.level is not None and self.level < self.logger.getEffectiveLevel():
            self._level_before = self.logger.level
            self.logger.setLevel(self.level)
        self.logger.addFilter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._level_before is not None:
            self.logger.setLevel(self._level_before)
            self._level_before = None
        self.logger.removeFilter(self)
        if kind is not None or not self.required:
            return
        if not self.matched:
            raise Exception(
                f"did not get expected log message {self.regex.pattern!r} "
                f"of logger {self.logger.name!r}"
            )
        if self._below_warning == self.matched:
            warnings.warn(
                "ExpectLog matched a message below WARNING: give it the level",
                DeprecationWarning,
                stacklevel=2,
            )
