"""HTTPHeaders: a case-insensitive multi-dict that cannot hold what must not be sent."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Final, Self, TypeVar, overload

from ._abnf import HTTP_WHITESPACE, NOT_FIELD_VALUE, TOKEN
from ._errors import HTTPInputError, HTTPOutputError

_T = TypeVar("_T")

_MAX_CACHED_NAMES: Final = 1000
_MAX_CACHED_NAME_LENGTH: Final = 64

_COMMON_NAMES: Final = """\
Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Access-Control-Allow-Origin Age
Allow Authorization Cache-Control Connection Content-Disposition Content-Encoding Content-Language
Content-Length Content-Location Content-Range Content-Security-Policy Content-Type Cookie Date Dnt
Etag Expect Expires Forwarded From Host If-Match If-Modified-Since If-None-Match If-Range
If-Unmodified-Since Keep-Alive Last-Modified Link Location Origin Pragma Proxy-Connection Range
Referer Retry-After Sec-Ch-Ua Sec-Ch-Ua-Mobile Sec-Ch-Ua-Platform Sec-Fetch-Dest Sec-Fetch-Mode
Sec-Fetch-Site Sec-Fetch-User Sec-Websocket-Accept Sec-Websocket-Extensions Sec-Websocket-Key
Sec-Websocket-Protocol Sec-Websocket-Version Server Set-Cookie Strict-Transport-Security Te Trailer
Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Vary Via Www-Authenticate
X-Content-Type-Options X-Csrftoken X-Forwarded-For X-Forwarded-Host X-Forwarded-Port
X-Forwarded-Proto X-Frame-Options X-Real-Ip X-Request-Id X-Requested-With X-Scheme X-Xsrftoken
"""


def _normalize(name: str) -> str:
    if not TOKEN.fullmatch(name):
        raise HTTPInputError(f"Invalid header name {name[:100]!r}")
    return "-".join([word.capitalize() for word in name.split("-")])


class _Names(dict[str, str]):
    """Header name as written -> ``Http-Header-Case``; a name in here is known to be valid.

    Bounded: clients choose header names, so what they bring is dropped as a whole when the table
    is full (CN-14); the common names are put back at once.
    """

    def __missing__(self, name: str) -> str:
        normal = _normalize(name)
        if len(name) <= _MAX_CACHED_NAME_LENGTH:
            if len(self) >= _MAX_CACHED_NAMES:
                self.reset()
            self[name] = normal
        return normal

    def reset(self) -> None:
        self.clear()
        for name in _COMMON_NAMES.split():
            self[name] = self[name.lower()] = name


class _RawNames(dict[bytes, str]):
    """The same for the bytes a parser hands over, so that they need not be decoded first."""

    def __missing__(self, raw: bytes) -> str:
        normal = _normalize(raw.decode("latin-1"))
        if len(raw) <= _MAX_CACHED_NAME_LENGTH:
            if len(self) >= _MAX_CACHED_NAMES:
                self.reset()
            self[raw] = normal
        return normal

    def reset(self) -> None:
        self.clear()
        for name in _COMMON_NAMES.split():
            self[name.encode()] = self[name.lower().encode()] = name


_names = _Names()
_names.reset()
_raw_names = _RawNames()
_raw_names.reset()

_bad_value = NOT_FIELD_VALUE.search
_EDGES: Final = frozenset(HTTP_WHITESPACE)


def _checked(name: str, value: str | bytes) -> str:
    """The value as text, refused if a character of it must not go on the wire."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    elif not isinstance(value, str):
        raise TypeError(f"Header {name}: a str is needed, not {type(value).__name__}")
    # The first test is twice as fast as the regular expression and nearly always enough
    if not (value.isascii() and value.isprintable()) and _bad_value(value):
        raise HTTPInputError(f"Invalid header value {value[:100]!r}")
    return value


def _joined(name: str, values: list[str]) -> str:
    # A proxy from HTTP/2 may leave several Cookie fields, in whose values a comma is like a letter
    return ("; " if name.lower() == "cookie" else ",").join(values)


class HTTPHeaders(MutableMapping[str, str]):
    r"""A dictionary of header fields with ``Http-Header-Case`` keys and several values per key.

    Keys are looked up without regard to case. ``headers[name]`` joins several values with a comma
    (those of ``Cookie`` with a semicolon, RFC 9113 section 8.2.3); `get_list` and `get_all` give
    them one by one (``Set-Cookie`` must not be joined).

    Every name and value is checked when it is put in: a name is an RFC 9110 token, a value has no
    CR, LF, NUL or other control character and no character above ``\xff``. `add`, `parse_line` and
    `parse`, which read what others sent, raise `HTTPInputError`; ``headers[name] = value`` and
    what builds on it raise `HTTPOutputError`. Both are `ValueError`.
    """

    # A single value is a str, several are a list of at least two
    __slots__ = ("_fields", "_repeated")
    _fields: dict[str, str | list[str]]
    _repeated: bool  # whether a list may be in there; spares `copy` the search

    @overload
    def __init__(self, arg: Mapping[str, str] | Mapping[str, list[str]], /) -> None: ...
    @overload
    def __init__(self, arg: Iterable[tuple[str, str]] = (), /, **kwargs: str) -> None: ...
    def __init__(
        self,
        arg: Mapping[str, str] | Mapping[str, list[str]] | Iterable[tuple[str, str]] = (),
        /,
        **kwargs: str,
    ) -> None:
        self._fields = {}
        self._repeated = False
        if arg or kwargs:
            self.update(arg, **kwargs)

    @classmethod
    def from_raw(cls, pairs: Iterable[tuple[bytes, bytes]]) -> Self:
        """Build from (name, value) pairs as an HTTP parser gives them, fast.

        The values were validated by that parser; they are decoded as Latin-1 and stripped of the
        optional white space around them. Names are checked: `HTTPInputError`.
        """
        self = cls.__new__(cls)
        self._fields = fields = {}
        self._repeated = False
        names = _raw_names
        for raw_name, raw_value in pairs:
            name = names[raw_name]
            value = raw_value.decode("latin-1").strip(HTTP_WHITESPACE)
            if name in fields:
                self._append(name, value)
            else:
                fields[name] = value
        return self

    def _append(self, name: str, value: str) -> None:
        """One more value for a name that has one already; constant time (CN-04)."""
        old = self._fields[name]
        if isinstance(old, str):
            self._fields[name] = [old, value]
            self._repeated = True
        else:
            old.append(value)

    def add(self, name: str, value: str) -> None:
        """Add one more value for ``name``. `HTTPInputError` if either is not allowed."""
        normal = _names[name]
        value = _checked(name, value)
        if value[:1] in _EDGES or value[-1:] in _EDGES:
            raise HTTPInputError(f"Invalid header value {value[:100]!r}")
        if normal in self._fields:
            self._append(normal, value)
        else:
            self._fields[normal] = value

    def get_list(self, name: str) -> list[str]:
        """All values of ``name``, in the order they were added, as a new list; empty if none."""
        try:
            value = self._fields[_names[name]]
        except (KeyError, HTTPInputError):
            return []
        return [value] if isinstance(value, str) else value.copy()

    def get_all(self) -> Iterator[tuple[str, str]]:
        """All (name, value) pairs; a name with several values comes several times."""
        for name, value in self._fields.items():
            if isinstance(value, str):
                yield name, value
            else:
                for one in value:
                    yield name, one

    def parse_line(self, line: str) -> None:
        """Add the field of one header line, with or without its CRLF; an empty line adds nothing.

        `HTTPInputError` for a folded line, a bare LF or CR, no colon, a bad name or value.
        """
        line = line.removesuffix("\r\n")
        if not line:
            return
        if line[0] in HTTP_WHITESPACE:
            raise HTTPInputError("A header line cannot start with white space (folding)")
        name, colon, value = line.partition(":")
        if not colon:
            raise HTTPInputError("No colon in a header line")
        self.add(name, value.strip(HTTP_WHITESPACE))

    @classmethod
    def parse(cls, headers: str) -> Self:
        """The headers of a block of CRLF-terminated lines. `HTTPInputError` as in `parse_line`.

        An empty line ends the block and nothing may follow it. Linear in the size of the block.
        """
        self = cls()
        block = headers.removesuffix("\r\n").removesuffix("\r\n")
        if block:
            for line in block.split("\r\n"):
                if not line:
                    raise HTTPInputError("Empty line inside a header block")
                self.parse_line(line)
        return self

    def wire(self) -> bytes:
        r"""All fields as they go on the wire, each as ``Name: value\r\n``."""
        pairs: Iterable[tuple[str, object]]
        pairs = self.get_all() if self._repeated else self._fields.items()
        return "".join([f"{name}: {value}\r\n" for name, value in pairs]).encode("latin-1")

    def copy(self) -> Self:
        """An independent copy; cheap, meant for a prototype of default headers."""
        new = self.__class__.__new__(self.__class__)
        new._fields = fields = self._fields.copy()
        new._repeated = self._repeated
        if self._repeated:
            for name, value in fields.items():
                if not isinstance(value, str):
                    fields[name] = value.copy()
        return new

    __copy__ = copy

    def __setitem__(self, name: str, value: str) -> None:
        try:
            # The first test is what nearly every value passes; _checked looks again, and says why
            if value.__class__ is str and value.isascii() and value.isprintable():
                self._fields[_names[name]] = value
            else:
                self._fields[_names[name]] = _checked(name, value)
        except HTTPInputError as error:
            raise HTTPOutputError(str(error)) from None

    def __getitem__(self, name: str) -> str:
        try:
            value = self._fields[_names[name]]
        except HTTPInputError:
            raise KeyError(name) from None
        return value if isinstance(value, str) else _joined(name, value)

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    @overload
    def get(self, name: str, default: _T) -> str | _T: ...
    def get(self, name: str, default: object = None) -> object:
        """The value of ``name`` (several joined with a comma), or ``default``."""
        try:
            value = self._fields.get(_names[name])
        except HTTPInputError:
            return default
        if value is None:
            return default
        return value if isinstance(value, str) else _joined(name, value)

    def __contains__(self, name: object) -> bool:
        try:
            return _names[name] in self._fields  # type: ignore[index]
        except (HTTPInputError, TypeError):
            return False

    def __delitem__(self, name: str) -> None:
        try:
            del self._fields[_names[name]]
        except HTTPInputError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HTTPHeaders):
            return self._fields == other._fields or dict(self) == dict(other)
        if not isinstance(other, Mapping):
            return NotImplemented
        try:
            return dict(self) == {_names[name]: value for name, value in other.items()}
        except (HTTPInputError, TypeError):
            return False

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.get_all())!r})"

    def __str__(self) -> str:
        r"""The fields as ``Name: value\r\n`` lines, which `parse` reads back."""
        return "".join([f"{name}: {value}\r\n" for name, value in self.get_all()])

    def update(  # type: ignore[override]
        self,
        other: Mapping[str, str] | Mapping[str, list[str]] | Iterable[tuple[str, str]] = (),
        /,
        **kwargs: str,
    ) -> None:
        """Set every field of a mapping or of an iterable of pairs; a list sets several values."""
        if isinstance(other, HTTPHeaders):
            self._fields.update(other.copy()._fields)
            self._repeated |= other._repeated
        else:
            pairs = other.items() if isinstance(other, Mapping) else other
            for name, value in pairs:
                self._set(name, value)
        for name, value in kwargs.items():
            self[name] = value

    def _set(self, name: str, value: str | list[str] | tuple[str, ...]) -> None:
        if not isinstance(value, list | tuple):
            self[name] = value
            return
        try:
            values = [_checked(name, one) for one in value]
            if values:
                self._fields[_names[name]] = values if len(values) > 1 else values[0]
                self._repeated = True
        except HTTPInputError as error:
            raise HTTPOutputError(str(error)) from None
