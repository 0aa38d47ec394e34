"""JSON that is safe inside an HTML script element."""

from typing import Any

from ._text import recursive_unicode


def json_encode(value: object) -> str:
    """Return ``value`` as JSON in which ``</`` is written ``<\\/``.

    So the text can stand inside a ``<script>`` element. ``bytes`` anywhere in the value are decoded
    as UTF-8. Raises ``TypeError`` for what JSON cannot hold, ``ValueError`` for a circular value.
    """
    import json

    try:
        text = json.dumps(value)
    except TypeError:
        # Only a value with bytes in it pays for the copy.
        text = json.dumps(recursive_unicode(value))
    return text.replace("</", "<\\/")


def json_decode(value: str | bytes) -> Any:
    """Parse JSON text or UTF-8 bytes. Raises ``ValueError`` when it is not JSON."""
    import json

    return json.loads(value)
