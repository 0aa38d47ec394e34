"""JSON that is safe inside an HTML script element."""

from __future__ import annotations

from ._text import recursive_unicode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def json_encode(value: object) -> str:
    """Return ``value`` as JSON in which ``</`` is written ``<\\/``.

    So the text can stand inside a ``<script>`` element. ``bytes`` anywhere in the value are decoded
    as UTF-8. Raises ``TypeError`` for what JSON cannot hold, ``ValueError`` for a circular value.
    """
    encode = _encoder or _load_encoder()
    try:
        text = encode(value)
    except TypeError:
        # Only a value with bytes in it pays for the copy.
        text = encode(recursive_unicode(value))
    return text.replace("</", "<\\/")


_encoder: Callable[[object], str] | None = None


def _load_encoder() -> Callable[[object], str]:
    """The encoder behind ``json.dumps``; json is imported when somebody needs it."""
    global _encoder
    import json

    _encoder = json.JSONEncoder().encode
    return _encoder


def json_decode(value: str | bytes) -> Any:
    """Parse JSON text or UTF-8 bytes.

    Raises ``ValueError`` when it is not JSON, or nested too deeply.
    """
    import json

    try:
        return json.loads(value)
    except RecursionError:
        raise ValueError("JSON that is nested too deeply") from None
