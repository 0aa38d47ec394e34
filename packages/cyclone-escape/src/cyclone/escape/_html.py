"""HTML: the five special characters, entities, and white space."""

from ._text import to_unicode


def xhtml_escape(value: str | bytes) -> str:
    """Escape ``& < > " '`` so that ``value`` is text in HTML, XML or a quoted attribute.

    ``bytes`` are decoded as UTF-8. The apostrophe becomes ``&#x27;``. Raises ``TypeError`` for any
    other type. Most values hold nothing to escape, and looking is much cheaper than replacing.
    """
    if type(value) is not str:
        # Exactly a str: a subclass may print as something else.
        value = str.__str__(to_unicode(value))
    if "&" in value or "<" in value:
        return (
            value.replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace('"', "&quot;")
            .replace("'", "&#x27;")
        )
    if "'" in value:
        value = value.replace("'", "&#x27;")
    if '"' in value:
        value = value.replace('"', "&quot;")
    if ">" in value:
        value = value.replace(">", "&gt;")
    return value


def xhtml_unescape(value: str | bytes) -> str:
    """Replace HTML's named and numeric character references by the characters they stand for."""
    from html import unescape

    return unescape(to_unicode(value))


def squeeze(value: str | bytes) -> str:
    """Replace each run of white space and control characters by one space, none at the ends."""
    import re

    return re.sub(r"[\x00-\x20]+", " ", to_unicode(value)).strip()
