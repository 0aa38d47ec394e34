"""HTML: the five special characters, entities, and white space."""

from ._text import to_unicode

# Of the class, not of the value: a subclass may have methods of its own, not its own escaping.
_encode = str.encode
_replace = str.replace

# Up to here two conversions cost more than replacing in the text itself.
_SHORT = 40


def xhtml_escape(value: str | bytes) -> str:
    """Escape ``& < > " '`` so that ``value`` is text in HTML, XML or a quoted attribute.

    ``bytes`` are decoded as UTF-8. The apostrophe becomes ``&#x27;``. Raises ``TypeError`` for any
    other type. Most values hold nothing to escape, and looking is much cheaper than replacing.
    """
    try:
        if "<" in value:
            if '"' not in value and len(value) <= _SHORT:
                return (
                    _replace(value, "&", "&amp;")  # type: ignore[arg-type]
                    .replace("'", "&#x27;")
                    .replace("<", "&lt;")
                    .replace(">", "&gt;")
                )
            # bytes.replace leaps from match to match, str.replace looks at every letter twice.
            return (
                _encode(value)  # type: ignore[arg-type]
                .replace(b"&", b"&amp;")
                .replace(b"'", b"&#x27;")
                .replace(b"<", b"&lt;")
                .replace(b">", b"&gt;")
                .replace(b'"', b"&quot;")
                .decode()
            )
    except UnicodeEncodeError:
        # Lone surrogates.
        return _replaced(value)  # type: ignore[arg-type]
    except TypeError:
        # Bytes, or what to_unicode refuses.
        pass
    if type(value) is not str:
        if value is None:
            raise TypeError("expected bytes or str, not NoneType")
        return _replaced(to_unicode(value))
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "'" in value:
        value = value.replace("'", "&#x27;")
    if '"' in value:
        value = value.replace('"', "&quot;")
    if ">" in value:
        value = value.replace(">", "&gt;")
    return value


def _replaced(value: str) -> str:
    """``value`` escaped without looking first; always exactly a ``str``."""
    return (
        _replace(value, "&", "&amp;")
        .replace("'", "&#x27;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
    )


def xhtml_unescape(value: str | bytes) -> str:
    """Replace HTML's named and numeric character references by the characters they stand for."""
    from html import unescape

    return unescape(to_unicode(value))


def squeeze(value: str | bytes) -> str:
    """Replace each run of white space and control characters by one space, none at the ends."""
    import re

    return re.sub(r"[\x00-\x20]+", " ", to_unicode(value)).strip()
