"""Log events with fields, for the standard library's loggers and for Twisted's alike."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import traceback
from typing import Any

from twisted.logger import Logger, LogLevel, globalLogBeginner, globalLogPublisher

from cyclone.httputil import current_request

# C0, DEL, C1 and the separators some terminals and log readers take for a line end
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_LEVELS = {
    logging.DEBUG: LogLevel.debug,
    logging.INFO: LogLevel.info,
    logging.WARNING: LogLevel.warn,
    logging.ERROR: LogLevel.error,
}


def escape_for_log(value: object) -> str:
    r"""``str(value)`` with control characters as ``\xNN``, so that it stays on one line."""
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class _Safe(dict[str, Any]):
    """Fields for `str.format_map`: numbers keep their formats, all else is escaped text."""

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        return value if isinstance(value, int | float) else escape_for_log(value)

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _twisted_listens(level: int) -> bool:
    """Whether an observer of `twisted.logger` wants events of this level.

    Before a program starts logging, Twisted has one observer: it keeps the last events for later.
    An access log need not fill that, at the price of half of a request's time.
    """
    return level >= logging.ERROR or _twisted_shows()


def _twisted_shows() -> bool:
    """Whether events reach more than what Twisted keeps until a program starts logging."""
    try:
        observers = globalLogPublisher._observers
        if len(observers) == 1:
            return observers[0] is not globalLogBeginner._temporaryObserver
    except AttributeError:
        return True
    return bool(observers)


def _only_last_resort(logger: logging.Logger) -> bool:
    """Whether nobody has asked for records of *logger*: `logging` prints warnings all the same.

    Where Twisted has started logging, what is printed becomes a second line of its log.
    """
    return not (logger.filters or logger.hasHandlers())


def _traceback(exc_info: Any) -> str:
    """The traceback of what ``exc_info`` takes; nothing in it can pass for a line of the log."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    elif not isinstance(exc_info, BaseException):
        exc_info = sys.exc_info()[1]
    if exc_info is None:
        return ""
    lines = "".join(traceback.format_exception(exc_info)).rstrip("\n").split("\n")
    return "".join("\n" + escape_for_log(line) for line in lines)


class EventLogger:
    """A log of events: a message format and named fields.

    An event reaches ``logging.getLogger(namespace)``, with the message rendered and the fields in
    ``record.event``, and the observers of `twisted.logger` under the same namespace. Values are
    escaped when they are rendered; the fields hold them as they are. The ids of the request that
    is being served (`cyclone.httputil.current_request`) are added to the fields. An event nobody
    listens to costs two attribute tests. A failing log handler never reaches the caller. What only
    one of the two has been set up for goes to that one.
    """

    __slots__ = ("_logger", "_twisted", "namespace")

    def __init__(self, namespace: str) -> None:
        self.namespace: str = namespace
        self._logger = logging.getLogger(namespace)
        self._twisted = Logger(namespace=namespace)

    def debug(self, format: str, **fields: Any) -> None:
        """Log an event for somebody who looks for a fault."""
        self._log(logging.DEBUG, format, fields)

    def info(self, format: str, **fields: Any) -> None:
        """Log an ordinary event."""
        self._log(logging.INFO, format, fields)

    def warning(self, format: str, **fields: Any) -> None:
        """Log something that may need somebody's attention."""
        self._log(logging.WARNING, format, fields)

    def error(self, format: str, **fields: Any) -> None:
        """Log a failure. ``exc_info`` may hold an exception, or True for the current one."""
        self._log(logging.ERROR, format, fields)

    def is_enabled(self, level: int) -> bool:
        """Whether an event of this `logging` level would reach anybody."""
        return self._logger.isEnabledFor(level) or _twisted_listens(level)

    def _log(self, level: int, format: str, fields: dict[str, Any]) -> None:
        to_logging = self._logger.isEnabledFor(level)
        to_twisted = _twisted_listens(level)
        if not (to_logging or to_twisted):
            return
        if to_logging and _only_last_resort(self._logger) and _twisted_shows():
            to_logging = False
        exc_info = fields.pop("exc_info", None)
        message = format.format_map(_Safe(fields)) if fields else format
        request = current_request.get()
        if request is not None:
            fields = {**request.log_fields(), **fields}
        if to_logging:
            # A handler that raises must not stop what is being logged about (F-18)
            with contextlib.suppress(Exception):
                self._logger.log(
                    level, "%s", message, exc_info=exc_info, extra={"event": fields}, stacklevel=3
                )
        if to_twisted:
            # Not as a log_failure: each test of trial's in which one is logged fails
            trace = _traceback(exc_info) if exc_info else ""
            self._twisted.emit(
                _LEVELS[level],
                "{log_message}{log_traceback}" if trace else "{log_message}",
                log_message=message,
                log_traceback=trace,
                **fields,
            )
