"""HTML: the five special characters, entities, and white space."""

from ._text import to_unicode


def xhtml_escape(value: str | bytes) -> str:
    """Escape ``& < > " '`` so that ``value`` is text in HTML, XML or a quoted attribute.

    ``bytes`` are decoded as UTF-8. The apostrophe becomes ``&#x27;``. Most values hold nothing to
    escape, and for them looking is much cheaper than replacing.
    """
    text = value if type(value) is str else to_unicode(value)
    if "&" in text or "<" in text:
        return (
            text.replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace('"', "&quot;")
            .replace("'", "&#x27;")
        )
    if "'" in text:
        text = text.replace("'", "&#x27;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text


def xhtml_unescape(value: str | bytes) -> str:
    """Replace HTML's named and numeric character references by the characters they stand for."""
    from html import unescape

    return unescape(to_unicode(value))


def squeeze(value: str | bytes) -> str:
    """Replace each run of white space and control characters by one space, none at the ends."""
    import re

    return re.sub(r"[\x00-\x20]+", " ", to_unicode(value)).strip()
