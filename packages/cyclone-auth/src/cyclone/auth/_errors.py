"""What goes wrong in a login: one exception, and what a provider says made safe to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclone.escape import xhtml_escape
from cyclone.httpclient import HTTPClientError
from cyclone.web import HTTPError

if TYPE_CHECKING:
    from cyclone.httpclient import HTTPResponse

#: How much of a provider's own words goes into a message.
MAX_QUOTED = 200


class AuthError(HTTPError):
    """A login that did not succeed; ``str(error)`` says why and is safe in a page or a log.

    Left unhandled it becomes the response ``status_code``: 400 when the request that came back from
    the provider is to blame (a forged ``state``, a token that does not verify), 502 when it is the
    provider (:class:`ProviderError`). The message is not shown to the client.

    ``error_code`` is what the provider calls it (``access_denied``, ...), if it gave a name.
    """

    error_code: str | None = None

    def __init__(
        self, message: str = "", status_code: int = 400, *, error_code: str | None = None
    ) -> None:
        super().__init__(status_code, message)
        self.error_code = error_code

    def __str__(self) -> str:
        return self.get_message() or "authentication failed"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class ProviderError(AuthError, HTTPClientError):
    """The provider could not be reached, or answered an error or nonsense.

    It is an ``HTTPClientError`` too, for code that catches what the HTTP client raises: ``code`` is
    the provider's HTTP status (599 without one), ``response`` its response. ``status_code`` is what
    *our* client gets, 502.
    """

    status_code: int = 502

    def __init__(
        self,
        message: str,
        status_code: int = 502,
        *,
        code: int = 599,
        response: HTTPResponse | None = None,
    ) -> None:
        AuthError.__init__(self, message, status_code)
        self.code = code
        self.message = message
        self.response = response

    def __str__(self) -> str:
        return AuthError.__str__(self)

    def __repr__(self) -> str:
        return AuthError.__repr__(self)


def quoted(value: object, limit: int = MAX_QUOTED) -> str:
    """Text of a stranger, fit for a message: bounded, printable, without markup."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    cut = text[:limit]
    printable = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in cut)
    return xhtml_escape(printable) + ("..." if len(text) > limit else "")
