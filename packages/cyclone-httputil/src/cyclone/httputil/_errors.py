"""The exceptions of the package: what came in was bad, or what was to go out was."""

from http.cookies import CookieError as _CookieError


class HTTPInputError(ValueError):
    """Something a client (or a server we called) sent is malformed or over a limit.

    ``status_code`` is the HTTP status that answers it: 400 unless the raiser knew a better one
    (413 for a body over its limit, for instance). The name is Tornado's; it is a `ValueError` too.
    """

    def __init__(self, message: str = "", status_code: int = 400) -> None:
        super().__init__(message)
        self.status_code = status_code

    def __reduce__(self) -> tuple[type["HTTPInputError"], tuple[str, int]]:
        return type(self), (str(self), self.status_code)


class HTTPOutputError(ValueError):
    """Our own program asked for something that must not be sent: a bug here, not over there."""


class CookieError(HTTPOutputError, _CookieError):
    """A cookie that must not be written; also an `http.cookies.CookieError`, as in Tornado."""


class RangeNotSatisfiable(HTTPInputError):
    """None of the ranges asked for overlaps the representation: answer 416.

    ``content_range`` is the value of the ``Content-Range`` header of that answer
    (`RFC 9110 section 15.5.17 <https://www.rfc-editor.org/rfc/rfc9110#section-15.5.17>`_).
    """

    def __init__(self, size: int) -> None:
        super().__init__("Range not satisfiable", 416)
        self.size = size
        self.content_range: str = f"bytes */{size}"

    def __reduce__(self) -> tuple[type["RangeNotSatisfiable"], tuple[int]]:  # type: ignore[override]
        return type(self), (self.size,)
