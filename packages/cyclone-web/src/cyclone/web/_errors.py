"""The exceptions that become responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyclone.httputil import is_token, responses


class HTTPError(Exception):
    """An error that is answered with an HTTP status instead of a 500.

    :arg status_code: the status to answer with.
    :arg log_message: for the log only, never for the client; ``%s``-style, formatted with *args*
        when there are any.
    :arg reason: the reason phrase, for a status that has no standard one.
    :arg headers: header fields the answer must carry, such as ``Retry-After``.

    The page of the answer is made by ``RequestHandler.write_error``.
    """

    status_code: int
    reason: str | None
    headers: Mapping[str, str] | None

    def __init__(
        self,
        status_code: int = 500,
        log_message: object = None,
        *args: Any,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        given: object = status_code
        if isinstance(given, str) and not given.isdecimal():
            raise TypeError(
                f"an HTTPError begins with its status, not with {given!r}: HTTPError(404, message)"
            )
        self.status_code = status_code
        # Programs give the exception they caught
        self._log_message = None if log_message is None else str(log_message)
        self.args = args
        self.reason = reason
        self.headers = headers

    @property
    def log_message(self) -> str | None:
        """The message as a format string: without arguments each ``%`` is doubled."""
        if self._log_message and not self.args:
            return self._log_message.replace("%", "%%")
        return self._log_message

    def get_message(self) -> str | None:
        """The message with its arguments filled in; a ``%`` without arguments stays as it is."""
        if self._log_message and self.args:
            return self._log_message % self.args
        return self._log_message

    def __str__(self) -> str:
        reason = self.reason or responses.get(self.status_code, "Unknown")
        message = self.get_message()
        text = f"HTTP {self.status_code}: {reason}"
        return f"{text} ({message})" if message else text


class Finish(Exception):
    """Ends the request without an error; an argument is passed on to ``RequestHandler.finish``."""


class MissingArgumentError(HTTPError):
    """A required argument is not in the request: 400."""

    def __init__(self, arg_name: str) -> None:
        super().__init__(400, f"Missing argument {arg_name}")
        self.arg_name = arg_name


class InvalidArgumentError(HTTPError):
    """An argument's value does not fit the type asked for: 400. The page names the argument."""

    def __init__(self, arg_name: str, log_message: str | None = None) -> None:
        super().__init__(400, log_message or f"Invalid argument {arg_name}")
        self.arg_name = arg_name


class HTTPAuthenticationRequired(HTTPError):
    """Answers 401 with a ``WWW-Authenticate`` challenge (RFC 9110, section 11.6.1).

    :arg auth_type: the scheme, ``Basic`` unless given.
    :arg realm: what the browser shows; further keywords (``nonce``, ``opaque``, ...) become
        parameters.
    :raises ValueError: when a name is no token or a value cannot stand in a header.
    """

    def __init__(
        self,
        log_message: str | None = None,
        auth_type: str = "Basic",
        realm: str = "Restricted Access",
        **kwargs: Any,
    ) -> None:
        self.auth_type = auth_type
        self.kwargs: dict[str, Any] = {"realm": realm, **kwargs}
        challenge = _challenge(auth_type, self.kwargs)
        super().__init__(401, log_message, headers={"WWW-Authenticate": challenge})


def _challenge(scheme: str, parameters: Mapping[str, Any]) -> str:
    for name in (scheme, *parameters):
        if not is_token(name):
            raise ValueError(f"Not a token: {name!r}")
    quoted = ", ".join(f'{name}="{_quote(str(value))}"' for name, value in parameters.items())
    return f"{scheme} {quoted}"


def _quote(value: str) -> str:
    """The inside of a quoted-string: RFC 9110, section 5.6.4."""
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in value):
        raise ValueError(f"Control character in an authentication parameter: {value!r}")
    return value.replace("\\", "\\\\").replace('"', '\\"')
