"""The error page of debug mode."""

from __future__ import annotations

import traceback
from types import TracebackType

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
_MAX_LINES = 500


def traceback_page(exc_info: ExcInfo) -> str:
    """The traceback as plain text: code and messages, nothing of the request (LG-03).

    It is sent as ``text/plain``, so nothing in it is markup; there is no evaluator in it either.
    """
    lines = "".join(traceback.format_exception(*exc_info)).splitlines(keepends=True)
    if len(lines) > _MAX_LINES:
        half = _MAX_LINES // 2
        lines = [*lines[:half], f"  ... {len(lines) - 2 * half} lines ...\n", *lines[-half:]]
    return "".join(lines)
