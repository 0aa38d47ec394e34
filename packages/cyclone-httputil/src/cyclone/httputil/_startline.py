"""Start lines of HTTP/1.x messages and the phrases of the status codes."""

from http import HTTPStatus
from typing import Final, NamedTuple

from ._abnf import REQUEST_LINE, STATUS_LINE
from ._errors import HTTPInputError

responses: Final[dict[int, str]] = {status.value: status.phrase for status in HTTPStatus}
"""Status code -> reason phrase, for the registered codes. Applications may add their own."""


class RequestStartLine(NamedTuple):
    """The first line of a request: ``method``, ``path`` (the request target), ``version``."""

    method: str
    path: str
    version: str


class ResponseStartLine(NamedTuple):
    """The first line of a response: ``version``, ``code``, ``reason``."""

    version: str
    code: int
    reason: str


def parse_request_start_line(line: str) -> RequestStartLine:
    """Parse a request line without its CRLF. `HTTPInputError` unless it is HTTP/1.x, to the letter.

    `RFC 9112 section 3 <https://www.rfc-editor.org/rfc/rfc9112#section-3>`_, strictly: single
    spaces, a token as method, only visible ASCII in the target.
    """
    match = REQUEST_LINE.fullmatch(line)
    if match is None:
        raise HTTPInputError("Malformed HTTP request line")
    method, path, version = match.groups()
    if not version.startswith("HTTP/1"):
        raise HTTPInputError(f"Unexpected HTTP version {version!r}", 505)
    return RequestStartLine(method, path, version)


def parse_response_start_line(line: str) -> ResponseStartLine:
    """Parse a status line without its CRLF. `HTTPInputError` unless it is HTTP/1.x.

    `RFC 9112 section 4 <https://www.rfc-editor.org/rfc/rfc9112#section-4>`_; the space before
    an absent reason may be absent too, as many servers write it.
    """
    match = STATUS_LINE.fullmatch(line)
    if match is None:
        raise HTTPInputError("Malformed HTTP status line")
    version, code, reason = match.groups()
    if not version.startswith("HTTP/1"):
        raise HTTPInputError(f"Unexpected HTTP version {version!r}")
    return ResponseStartLine(version, int(code), reason or "")
