"""Text and bytes: UTF-8 in both directions."""

# Not typing's: importing that takes longer than all of this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

if TYPE_CHECKING:

    @overload
    def utf8(value: str | bytes) -> bytes: ...
    @overload
    def utf8(value: None) -> None: ...


def utf8(value: str | bytes | None) -> bytes | None:
    """Return ``value`` as UTF-8 bytes; ``bytes`` and ``None`` pass through unchanged.

    Raises ``TypeError`` for any other type.
    """
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError(f"expected bytes, str or None, not {type(value).__name__}")
    return value.encode("utf-8")


if TYPE_CHECKING:

    @overload
    def to_unicode(value: str | bytes) -> str: ...
    @overload
    def to_unicode(value: None) -> None: ...


def to_unicode(value: str | bytes | None) -> str | None:
    """Return ``value`` as text; ``str`` and ``None`` pass through, ``bytes`` are decoded as UTF-8.

    Raises ``TypeError`` for any other type, ``UnicodeDecodeError`` for bytes that are not UTF-8.
    """
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, bytes):
        raise TypeError(f"expected bytes, str or None, not {type(value).__name__}")
    return value.decode("utf-8")


native_str = to_unicode
to_basestring = to_unicode
_unicode = to_unicode


def recursive_unicode(obj: object) -> object:
    """Copy a structure of dicts, lists and tuples, decoding every ``bytes`` in it as UTF-8.

    Other objects are returned as they are. Dictionary keys are decoded too.
    """
    if isinstance(obj, bytes):
        return obj.decode("utf-8")
    if isinstance(obj, dict):
        return {recursive_unicode(key): recursive_unicode(value) for key, value in obj.items()}
    if isinstance(obj, list):
        return [recursive_unicode(item) for item in obj]
    if isinstance(obj, tuple):
        return tuple(recursive_unicode(item) for item in obj)
    return obj
