"""Logging of a server: one format for all of its output, and three for its access log."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from cyclone.httpserver import escape_for_log
from cyclone.web import Application, RequestContextFilter, RequestHandler

from ._writer import BackgroundHandler

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
ACCESS = logging.getLogger("cyclone.access")


class LineFormatter(logging.Formatter):
    """One format for all, but access lines, which are whole as they come.

    What is logged for a request begins with its id, if the application gives them (its setting
    ``trace_context``).
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line (with a traceback: lines) of a record."""
        if record.name == "cyclone.access" and hasattr(record, "whole"):
            return record.getMessage()
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the first line of a record."""
        request_id = getattr(record, "request_id", "-")
        if request_id != "-":
            record.message = f"[{request_id}] {record.message}"
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """Return a traceback in which what an exception says cannot pass for lines of the log.

        Programs put into their exceptions what clients sent (LG-01).
        """
        text = super().formatException(ei)
        error, seen = ei[1], set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            with contextlib.suppress(Exception):  # a str() of its own
                message = str(error)
                if "\n" in message:
                    text = text.replace(message, message.replace("\n", "\n    "))
            error = error.__cause__ or error.__context__
        return "\n".join(map(escape_for_log, text.split("\n")))


def set_up(*, debug: bool = False, worker: int | None = None) -> BackgroundHandler | None:
    """Send all logs to standard error, unless the program has set up logging itself.

    Returns the handler. Twisted's own errors are passed on to `logging`.
    """
    logging.raiseExceptions = debug
    root = logging.getLogger()
    handler = None
    if not root.handlers:
        handler = BackgroundHandler(_standard_error())
        who = "" if worker is None else f" [worker {worker}]"
        handler.setFormatter(LineFormatter(FORMAT.replace(" %(name)s", f"{who} %(name)s")))
        handler.addFilter(RequestContextFilter())
        root.addHandler(handler)
        root.setLevel(logging.INFO)
    forward_twisted(logging.getLogger("twisted"))
    return handler


def _standard_error() -> int:
    if sys.stderr is None:  # it was closed when the program began: 2 may be anything
        return os.open(os.devnull, os.O_WRONLY)
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return 2


def forward_twisted(logger: logging.Logger) -> None:
    """Pass Twisted's warnings and errors on to *logger*.

    Events of Cyclone's own loggers have been there already.
    """
    from twisted.logger import ILogObserver, LogLevel, eventAsText, globalLogBeginner
    from zope.interface import provider

    @provider(ILogObserver)
    def observe(event: Any) -> None:
        level = event.get("log_level")
        if level is None or level < LogLevel.warn:
            return
        if str(event.get("log_namespace", "")).startswith("cyclone."):
            return
        number = logging.WARNING if level is LogLevel.warn else logging.ERROR
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)
        logger.log(number, "%s", text.rstrip("\n"))

    globalLogBeginner.beginLoggingTo([observe], redirectStandardIO=False)


def combined(handler: RequestHandler, now: float) -> str:
    """One request in the combined format of Apache and nginx."""
    request = handler.request
    user = getattr(handler, "_current_user", None)
    headers = request.headers
    return (
        f"{request.remote_ip} - {quoted(user) if isinstance(user, str) else '-'} [{_stamp(now)}] "
        f'"{quoted(request.method)} {quoted(request.uri)} {quoted(request.version)}" '
        f'{handler.get_status()} {_sent(handler)} "{quoted(headers.get("Referer", "-"))}" '
        f'"{quoted(headers.get("User-Agent", "-"))}"'
    )


def as_json(handler: RequestHandler, now: float) -> str:
    """One request as a JSON object."""
    request = handler.request
    fields = {
        "time": round(now, 3),
        "remote_ip": request.remote_ip,
        "method": request.method,
        "uri": request.uri,
        "version": request.version,
        "status": handler.get_status(),
        "bytes": _sent(handler),
        "milliseconds": round(1000 * request.request_time(), 2),
        "referer": request.headers.get("Referer"),
        "user_agent": request.headers.get("User-Agent"),
        "request_id": request.request_id,
        "handler": type(handler).__qualname__,
    }
    return json.dumps(fields)


def quoted(value: str) -> str:
    """*value* for a place between quotation marks: marks, backslashes and controls escaped."""
    if '"' in value or "\\" in value:
        value = value.replace("\\", "\\x5c").replace('"', "\\x22")
    return escape_for_log(value)


def _sent(handler: RequestHandler) -> int:
    sent = getattr(handler, "_body_bytes_written", 0)
    return sent if isinstance(sent, int) else 0


_stamps: tuple[int, str] = (0, "")


def _stamp(now: float) -> str:
    """The local time as the format has it; made once a second."""
    global _stamps
    second = int(now)
    if _stamps[0] != second:
        local = time.localtime(second)
        text = f"{local.tm_mday:02d}/{_MONTHS[local.tm_mon - 1]}/{local.tm_year}:"
        _stamps = (second, text + time.strftime("%H:%M:%S %z", local))
    return _stamps[1]


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FORMATS: dict[str, Callable[[RequestHandler, float], str]] = {
    "combined": combined,
    "json": as_json,
}


def _emit(level: int, line: str) -> None:
    ACCESS.log(level, "%s", line, extra=_WHOLE)


_WHOLE = {"whole": True}


def access_function(
    name: str, emit: Callable[[int, str], object] = _emit
) -> Callable[[RequestHandler], None]:
    """A ``log_function`` that logs in the format called *name*: combined, json or off.

    ``emit(level, line)`` takes the lines; by default the logger ``cyclone.access``.
    """
    if name == "off":
        return lambda handler: None
    render = FORMATS[name]
    by_logging = emit is _emit

    def log(handler: RequestHandler) -> None:
        status = handler.get_status()
        level = logging.INFO if status < 400 else logging.WARNING if status < 500 else logging.ERROR
        if not by_logging or ACCESS.isEnabledFor(level):
            emit(level, render(handler, time.time()))

    return log


def apply_access_log(application: Application, name: str | None) -> None:
    """Let *application* log its requests as asked for, by default in the combined format.

    One that has a ``log_function`` or an ``access_log_format`` of its own keeps it if nothing was
    asked for.
    """
    settings = application.settings
    if name is None and ("log_function" in settings or "access_log_format" in settings):
        return
    settings["log_function"] = access_function(name or "combined")
