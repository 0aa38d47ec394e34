"""Values with parameters (``form-data; name="a"``), charsets and ``Content-Disposition``."""

import re
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from ._abnf import HTTP_WHITESPACE
from ._errors import HTTPInputError

_NAME: Final = re.compile(r"[^=;]*+")
_QUOTED: Final = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)

_MAX_FILENAME: Final = 255
_NOT_IN_FALLBACK: Final = re.compile(r"[^\x20-\x7e]|[\"%\\]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WINDOWS_PATH: Final = re.compile(r"[A-Za-z]:|.*\\\\|\.{1,2}\\|.*\\\.{1,2}(?:\\|$)", re.DOTALL)

# RFC 8187 asks for UTF-8 only; the other two are what old software writes
_EXTENDED_CHARSETS: Final = {"utf-8": "utf-8", "iso-8859-1": "latin-1", "us-ascii": "ascii"}

_CHARSETS: Final = frozenset(
    """
    utf-8 utf8 us-ascii ascii latin-1 latin1 l1
    iso-8859-1 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6 iso-8859-7 iso-8859-8
    iso-8859-9 iso-8859-10 iso-8859-11 iso-8859-13 iso-8859-14 iso-8859-15 iso-8859-16
    windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 windows-1256
    windows-1257 windows-1258 koi8-r koi8-u shift_jis euc-jp euc-kr big5 gb2312 gbk gb18030
    utf-16 utf-16le utf-16be
    """.split()  # noqa: SIM905
)


def check_charset(name: str) -> str:
    """The ``charset`` parameter of a client in lower case, if text may be decoded with it.

    Only real character encodings are let through: Python's codec registry also knows compressors,
    ``idna``, ``unicode_escape`` and ``utf-7`` (BP-18). `HTTPInputError` for all others.
    """
    charset = name.lower()
    if charset not in _CHARSETS:
        raise HTTPInputError(f"Unsupported charset {name[:40]!r}")
    return charset


def parse_parameters(text: str) -> tuple[str, dict[str, str]]:
    r"""Split ``value; name=a; other="b c"`` into the value and a dict of its parameters.

    Names are in lower case; the first of several equal names wins. In a quoted value only ``\"``
    and ``\\`` are escapes, since browsers send Windows paths unescaped. A value that is not closed
    extends to the end; a parameter without ``=`` is left out. Extended parameters (``name*=``) are
    not decoded, see `extended_value`. Never raises; linear in the length of ``text``.
    """
    end = text.find(";")
    if end < 0:
        return text.strip(HTTP_WHITESPACE), {}
    value = text[:end].strip(HTTP_WHITESPACE)
    parameters: dict[str, str] = {}
    length = len(text)
    while 0 <= end < length:
        name_match = _NAME.match(text, end + 1)
        assert name_match is not None  # it matches nothing at least
        start = name_match.end()
        if text[start : start + 1] != "=":
            end = start
            continue
        name = name_match[0].strip(HTTP_WHITESPACE).lower()
        content, end = _parameter_value(text, start + 1)
        if name:
            parameters.setdefault(name, content)
    return value, parameters


def _parameter_value(text: str, start: int) -> tuple[str, int]:
    """The value that begins at ``start``, and where the next ``;`` is (-1: nowhere)."""
    while text[start : start + 1] in (" ", "\t"):
        start += 1
    if text[start : start + 1] != '"':
        end = text.find(";", start)
        return text[start : end if end >= 0 else None].strip(HTTP_WHITESPACE), end
    match = _QUOTED.match(text, start)
    if match is None:
        return _without_escapes(text[start + 1 :]), -1
    return _without_escapes(match[1]), text.find(";", match.end())


def _without_escapes(text: str) -> str:
    r"""Read ``\"`` and ``\\``, from the left; no other backslash is an escape."""
    if "\\" not in text:
        return text
    return "\\".join([part.replace('\\"', '"') for part in text.split("\\\\")])


def extended_value(text: str) -> str | None:
    """Decode ``UTF-8''caf%C3%A9`` (RFC 8187); None if it is not well formed."""
    charset, quote_mark, rest = text.partition("'")
    _, second_mark, encoded = rest.partition("'")
    codec = _EXTENDED_CHARSETS.get(charset.lower())
    if not quote_mark or not second_mark or codec is None:
        return None
    try:
        return unquote_to_bytes(encoded).decode(codec)
    except UnicodeDecodeError:
        return None


def base_name(filename: str) -> str:
    r"""The last component of a file name that a client sent; never empty for a name that was not.

    A slash separates; a backslash does where the whole looks like a Windows path (``C:\a``,
    ``\\host\a``, ``..\a``), and is an ordinary character otherwise. ``.`` and ``..`` become ``_``.
    Over 255 characters the front is cut, so that the suffix stays (BP-09).
    """
    if not filename:
        return ""
    name = filename.rpartition("/")[2]
    if _WINDOWS_PATH.match(name):
        name = name.rpartition("\\")[2].rpartition(":")[2]
    if name in ("", ".", ".."):
        return "_"
    return name[-_MAX_FILENAME:]


def content_disposition(filename: str, attachment: bool = True) -> str:
    """The value of a ``Content-Disposition`` header for a download (RFC 6266).

    Plain names are quoted; others get an ASCII fallback and ``filename*`` in UTF-8. Control
    characters are replaced and only the last component of a path is used, so that any text
    may be given (RI-08).
    """
    kind = "attachment" if attachment else "inline"
    name = _CONTROL.sub("_", filename)
    name = base_name(name.encode("utf-8", "replace").decode("utf-8"))
    if not name:
        return kind
    fallback = _NOT_IN_FALLBACK.sub("_", name)
    if fallback == name:
        return f'{kind}; filename="{name}"'
    return f"{kind}; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='!#$&+^`|')}"
