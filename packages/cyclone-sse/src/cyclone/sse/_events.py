"""The text/event-stream format (WHATWG HTML, section 9.2), without I/O."""

from __future__ import annotations

import re
from typing import Any, Final

from cyclone import escape

Message = str | bytes | dict[str, Any] | list[Any]

#: A line that every client ignores: it shows that both ends are there.
KEEP_ALIVE: Final = b":\n\n"

# All of what ends a line in this format; other separators, such as U+2028, do not.
_split_lines = re.compile("\r\n|\r|\n").split
_unsafe = re.compile("[\r\n\0]").search


def encode_event(
    message: Message,
    event: str | bytes | None = None,
    eid: str | bytes | int | None = None,
    retry: int | str | None = None,
    serialize_lists: bool = False,
) -> bytes:
    r"""One event as bytes, its fields in the order id, event, retry, data.

    *message* is text (bytes must be UTF-8), a dict (sent as JSON), or a list if *serialize_lists*
    says so. A line of it that ends in CR, LF or CRLF becomes a ``data`` line, so that nothing in it
    can start another field. *retry* is in milliseconds.

    :raises ValueError: for CR, LF or NUL in *event* or *eid*, a *retry* that is no whole number,
        or bytes that are no UTF-8.
    :raises TypeError: for a *message* of any other type.
    """
    lines = []
    if eid is not None:
        lines.append(f"id: {_field('eid', eid)}")
    if event is not None:
        lines.append(f"event: {_field('event', event)}")
    if retry is not None:
        lines.append(f"retry: {_milliseconds(retry)}")
    lines += [f"data: {line}" for line in _split_lines(_text(message, serialize_lists))]
    lines.append("\n")
    return "\n".join(lines).encode()


def _text(message: object, serialize_lists: bool) -> str:
    if isinstance(message, str):
        return message
    if isinstance(message, bytes):
        return message.decode()
    if isinstance(message, dict) or (serialize_lists and isinstance(message, list)):
        return escape.json_encode(message)
    hint = ""
    if isinstance(message, list):
        hint = ". A list is sent as JSON only with serialize_lists = True on the handler's class"
    raise TypeError(f"An event is str, bytes or dict, not {type(message).__name__}{hint}")


def _field(name: str, value: object) -> str:
    text = value.decode() if isinstance(value, bytes) else str(value)
    if _unsafe(text):
        raise ValueError(f"CR, LF and NUL are not possible in {name}: {text!r}")
    return text


def _milliseconds(retry: int | str) -> str:
    text = str(retry)
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"retry is a whole number of milliseconds, not {retry!r}")
    return text
