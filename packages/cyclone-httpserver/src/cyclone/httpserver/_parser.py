r"""The head of a request: from bytes to a checked `Head`, without I/O.

The rules (RFC 9112, and what the advisories of twenty years add to it):

- the request line is split here, by hand: exactly two spaces, a token, a visible target, a
  version;
- the header block goes through httptools (llhttp), which holds names to the token grammar and
  values to field-value, refuses folding, bare CR, bare LF, NUL and white space before the colon;
- so a field called ``x`` can only stand where ``\r\nx:`` stands in the lower-cased block, and
  what frames the body is read from the raw bytes, once, by plain searches.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

import httptools

from cyclone.httputil import HTTPInputError, validate_host

from ._errors import RequestError
from ._options import ServerOptions

CHUNKED: Final = -1

_KNOWN = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
METHODS: Final[dict[bytes, str]] = {name.encode(): name for name in _KNOWN}
_MAX_METHOD: Final = 24
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_DIGITS: Final = b"0123456789"
_OWS: Final = b" \t"
_KEEP_ALIVE: Final = b"\r\nconnection: keep-alive\r\n"
_SLASH: Final = ord("/")
_MAX_CACHED_HOSTS: Final = 256

Parser = httptools.HttpRequestParser
HttpParserError = httptools.HttpParserError
HttpParserUpgrade = httptools.HttpParserUpgrade


class Head(Protocol):
    """What `parse_head` fills in: the part of a request that its head decides.

    ``_raw`` is kept: headers are decoded when asked for.
    """

    _raw: bytes
    method: str
    #: Path and query of the target, or ``*``.
    uri: str
    _http10: bool
    #: The validated value of ``Host`` (or of the target's authority); None on HTTP/1.0 without one.
    _host: str | None
    #: Whether the connection may be used again; not after another protocol was asked for.
    _keep_alive: bool
    #: Bytes of the body; `CHUNKED` if they come in chunks.
    _length: int
    #: Only set if ``_length`` is not 0.
    _expect_continue: bool


class _Sink:
    """No callbacks: httptools only judges."""


_SINK = _Sink()
_hosts: dict[bytes, str] = {}


def parse_head(raw: bytes, options: ServerOptions, head: Head) -> None:
    """Check one complete head, from the request line to the empty line; fill in ``head``.

    `RequestError` with the status to answer. Every request comes through here: no call, regular
    expression or allocation that the common case does not need.
    """
    if len(raw) > options.unchecked_size:
        _check_lengths(raw, options)
    head._raw = raw
    try:
        method, target, rest = raw.split(b" ", 2)
        version, first, others = rest.split(b"\r\n", 2)
        uri = target.decode("ascii")
        is_path = target[0] == _SLASH
    except (ValueError, IndexError):
        raise RequestError(400, "malformed request line") from None
    # A line end before the version is in the target then, which is refused below
    if version == b"HTTP/1.1":
        head._http10 = http10 = False
        head._keep_alive = True
    elif version == b"HTTP/1.0":
        head._http10 = http10 = True
        head._keep_alive = False
    else:
        raise _bad_version(rest)
    if "#" in uri or not uri.isprintable():
        raise RequestError(400, "invalid character in the request target")
    known = METHODS.get(method)
    if known is None:
        known = _odd_method(method)
        # llhttp shall judge the fields; a method it does not know is hidden from it
        judged = b"GET / HTTP/1.1" + rest[8:]
    else:
        judged = raw
        if others == b"\r\n" and is_path and not http10 and known != "CONNECT":
            # One field only, as a health check sends: is it a line that was judged before?
            head._host = _hosts.get(first)
            if head._host is not None:
                head.method = known
                head.uri = uri
                head._length = 0
                return
    head.method = known

    lower = raw.lower()
    coded = lower.find(b"\r\ntransfer-encoding:") >= 0
    # "Connection" and "Content-Length" begin alike
    start = lower.find(b"\r\ncon")
    plain = not (coded or http10) and (start < 0 or _only_keeps_alive(lower, start))
    try:
        (_judge if plain else Parser(_SINK)).feed_data(judged)
    except _NOT_PLAIN:
        _judge_again(judged)
    if lower.count(b"\r\nhost:") == 1:
        head._host = _hosts.get(first) or _host(raw, lower)
    else:
        _odd_host(lower, http10)
        head._host = None
    if not is_path:
        uri = _odd_target(head, target)
    head.uri = uri
    if plain:
        head._length = 0
    else:
        _framing(head, lower, coded)


def _only_keeps_alive(lower: bytes, start: int) -> bool:
    """Whether the field at ``start`` says what HTTP/1.1 means anyway, and is the last of them."""
    return (
        lower.startswith(_KEEP_ALIVE, start)
        and lower.find(b"\r\ncon", start + len(_KEEP_ALIVE) - 2) < 0
    )


# Judges heads that say nothing of the connection or a body: each leaves it as it was, at the start
# of a request. To make one takes longer than to judge.
_judge = Parser(_SINK)
_NOT_PLAIN: Final = (HttpParserError, HttpParserUpgrade)


def _judge_again(head: bytes) -> None:
    """The verdict of a parser of its own; the shared one may have stopped for good."""
    global _judge
    _judge = Parser(_SINK)
    try:
        Parser(_SINK).feed_data(head)
    except HttpParserUpgrade:
        pass
    except HttpParserError:
        raise RequestError(400, "malformed header") from None


def head_too_large(raw: bytes | bytearray, options: ServerOptions) -> RequestError:
    """Which part of a head over ``max_header_size`` is to blame?"""
    if raw.find(b"\r\n", 0, options.max_request_line + 2) < 0:
        return RequestError(414, "request line too long")
    return RequestError(431, "header block too large")


def _check_lengths(raw: bytes, options: ServerOptions) -> None:
    if raw.find(b"\r\n") > options.max_request_line:
        raise RequestError(414, "request line too long")
    if raw.count(b"\n") - 2 > options.max_header_count:
        raise RequestError(431, "too many header fields")
    limit = options.max_header_line
    if len(raw) > limit and any(len(line) > limit for line in raw.split(b"\r\n")[1:]):
        raise RequestError(431, "header line too long")


def _odd_method(method: bytes) -> str:
    # What follows a CONNECT is not ours to read, whatever its target (SM-17)
    if method == b"CONNECT":
        raise RequestError(501, "CONNECT is not served")
    # Not one of ours: still a token for the handlers to refuse with 405
    if len(method) > _MAX_METHOD or not _TOKEN.fullmatch(method):
        raise RequestError(400, "invalid method")
    return method.decode("ascii")


def _bad_version(rest: bytes) -> RequestError:
    version = rest.partition(b"\r\n")[0]
    if _VERSION.fullmatch(version):
        return RequestError(505, "unsupported HTTP version")
    return RequestError(400, "malformed HTTP version")


def _odd_target(head: Head, target: bytes) -> str:
    """Any target that is not a path: ``*`` for OPTIONS, absolute-form."""
    if target == b"*" and head.method == "OPTIONS":
        return "*"
    match = _ABSOLUTE.match(target)
    if match is None or not match[1]:
        raise RequestError(400, "invalid request target")
    # RFC 9112 section 3.2.2: the target's authority replaces Host. Where they name different
    # hosts, what was in front of us may have believed the other one.
    named = _checked_host(match[1])
    if head._host is not None and named.lower() != head._host.lower():
        raise RequestError(400, "Host and the request target differ")
    head._host = named
    rest = target[match.end() :].decode("ascii")
    return rest if rest[:1] == "/" else "/" + rest


def values(lower: bytes, name: bytes) -> list[bytes]:
    """All values of a field, lower-cased, given the lower-cased head."""
    needle = b"\r\n" + name + b":"
    found = []
    start = lower.find(needle)
    while start >= 0:
        begin = start + len(needle)
        end = lower.find(b"\r\n", begin)
        found.append(lower[begin:end].strip(_OWS))
        start = lower.find(needle, end)
    return found


def _odd_host(lower: bytes, http10: bool) -> None:
    """No Host, or several."""
    if lower.find(b"\r\nhost:") >= 0:
        raise RequestError(400, "several Host headers")
    if not http10:
        raise RequestError(400, "no Host header")


def _host(raw: bytes, lower: bytes) -> str:
    """The value of Host; remembered with the line, which stands first in most heads."""
    start = lower.find(b"\r\nhost:") + 2
    line = raw[start : raw.find(b"\r\n", start)]
    host = _hosts.get(line)
    if host is None:
        host = _checked_host(line[5:].strip(_OWS))
        if len(_hosts) >= _MAX_CACHED_HOSTS:
            _hosts.clear()
        if len(line) <= 70:
            _hosts[line] = host
    return host


def _checked_host(value: bytes) -> str:
    text = value.decode("latin-1")
    try:
        validate_host(text)
    except HTTPInputError:
        raise RequestError(400, "invalid Host") from None
    return text


def _framing(head: Head, lower: bytes, coded: bool) -> None:
    """What the head says of the connection and of a body."""
    if lower.find(b"\r\nconnection:") >= 0:
        _connection(head, lower)
    sized = lower.find(b"\r\ncontent-length:") >= 0
    if sized or coded:
        _body(head, lower, coded, sized)
    else:
        head._length = 0


def _connection(head: Head, lower: bytes) -> None:
    tokens = {
        token.strip(_OWS) for value in values(lower, b"connection") for token in value.split(b",")
    }
    if b"close" in tokens:
        head._keep_alive = False
    elif head._http10:
        head._keep_alive = b"keep-alive" in tokens
    if b"upgrade" in tokens and b"websocket" in values(lower, b"upgrade"):
        # Refused, it ends the connection: the client may have sent frames already
        head._keep_alive = False


def _body(head: Head, lower: bytes, coded: bool, sized: bool) -> None:
    if coded:
        if sized:
            raise RequestError(400, "both Content-Length and Transfer-Encoding")
        if head._http10:
            raise RequestError(400, "Transfer-Encoding on HTTP/1.0")
        codings = values(lower, b"transfer-encoding")
        if codings != [b"chunked"]:
            names = [name.strip(_OWS) for value in codings for name in value.split(b",")]
            known = _CODINGS.issuperset(names) and names.count(b"chunked") < 2
            raise RequestError(501 if known else 400, "unsupported Transfer-Encoding")
        head._length = CHUNKED
    else:
        start = lower.find(b"\r\ncontent-length:") + 17
        if lower.find(b"\r\ncontent-length:", start) >= 0:
            raise RequestError(400, "several Content-Length headers")
        head._length = _length(lower[start : lower.find(b"\r\n", start)].strip(_OWS))
    start = lower.find(b"\r\ncontent-type:")
    if start >= 0 and lower.find(b"\r\ncontent-type:", start + 2) >= 0:
        raise RequestError(400, "several Content-Type headers")
    head._expect_continue = False
    if lower.find(b"\r\nexpect:") >= 0:
        if values(lower, b"expect") != [b"100-continue"]:
            raise RequestError(417, "unknown expectation")
        head._expect_continue = not head._http10


_CODINGS: Final = frozenset(
    {b"gzip", b"deflate", b"compress", b"x-gzip", b"x-compress", b"chunked"}
)


def _length(value: bytes) -> int:
    # int() would take "+3", "1_0" and digits of other scripts, and is slow on long strings
    if not value or value.translate(None, _DIGITS):
        raise RequestError(400, "invalid Content-Length")
    if len(value) > 18:
        raise RequestError(413, "Content-Length too large")
    return int(value)


def field_pairs(raw: bytes) -> list[tuple[bytes, bytes]]:
    """The (name, value) pairs of a checked head, values without the white space around them."""
    pairs = []
    for line in raw[:-4].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        pairs.append((name, value.strip(_OWS)))
    return pairs


class HeadBuffer:
    """Collects a head that comes in pieces; bad bytes and limits are noticed as they arrive.

    `feed` returns the complete head and what follows it, or None while it is incomplete.
    `RequestError` as early as the bytes allow: nothing waits for a terminator that may never come.
    """

    __slots__ = ("_buffer", "_judge", "_line_end", "_lines", "_options", "_scanned", "deadline")

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self._buffer = bytearray()
        self._line_end = -1
        self._scanned = 0
        self._lines = 0
        self._judge: httptools.HttpRequestParser | None = None
        #: When it has to be complete, for whoever keeps it.
        self.deadline: float | None = None

    def __len__(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Take the next bytes of the connection."""
        buffer = self._buffer
        start = len(buffer)
        buffer += data
        end = buffer.find(b"\r\n\r\n", max(0, start - 3))
        complete = end >= 0
        if complete:
            rest = bytes(buffer[end + 4 :])
            del buffer[end + 4 :]
        if self._line_end < 0:
            self._first_line(max(0, start - 1))
        if len(buffer) > self._options.max_header_size:
            raise head_too_large(buffer, self._options)
        if self._line_end >= 0:
            self._fields(complete)
        return (bytes(buffer), rest) if complete else None

    def _first_line(self, start: int) -> None:
        buffer = self._buffer
        limit = self._options.max_request_line
        end = buffer.find(b"\r\n", start)
        if end > limit or (end < 0 and len(buffer) > limit + 1):
            raise RequestError(414, "request line too long")
        stop = end if end >= 0 else len(buffer)
        if end < 0 and buffer[-1:] == b"\r":
            stop -= 1
        if buffer.find(b"\n", start, stop) >= 0 or buffer.find(b"\r", start, stop) >= 0:
            raise RequestError(400, "bare line end in the request line")
        if end < 0:
            method = buffer[: _MAX_METHOD + 1].split(b" ", 1)[0].rstrip(b"\r")
            if len(method) > _MAX_METHOD or (method and not _TOKEN.fullmatch(method)):
                raise RequestError(400, "invalid method")
        else:
            self._line_end = self._scanned = end
            self._judge = Parser(_SINK)
            self._judge.feed_data(b"GET / HTTP/1.1")

    def _fields(self, complete: bool) -> None:
        """Count lines and show the new bytes to llhttp, which refuses a bad one at once."""
        buffer = self._buffer
        new = bytes(buffer[self._scanned :])
        self._lines += new.count(b"\n")
        if self._lines - (2 if complete else 1) > self._options.max_header_count:
            raise RequestError(431, "too many header fields")
        self._scanned = len(buffer)
        if len(buffer) - buffer.rfind(b"\n") > self._options.max_header_line + 2:
            raise RequestError(431, "header line too long")
        if complete:
            return  # parse_head() judges the whole
        try:
            if self._judge is not None:
                self._judge.feed_data(new)
        except httptools.HttpParserError:
            raise RequestError(400, "malformed header") from None
