"""ClientResponse: what a request of `Client` gives."""

from __future__ import annotations

import json
from http.cookies import SimpleCookie
from typing import Any

from cyclone.httputil import HTTPHeaders


class ClientResponse:
    """A whole response.

    ``code`` (also ``status``, ``get_status()``), ``reason``, ``version``, ``headers``, ``body``
    (also ``content``, as Cyclone has it): bytes as they came, with the content coding they have.
    ``uri``: what was asked for; ``history``: the redirects on the way there. ``raw``: all its bytes
    on the wire, status line and chunks included; ``complete``: false if its end has not come (only
    among those of `MemoryConnection.responses`).
    """

    def __init__(
        self,
        code: int,
        reason: str,
        headers: HTTPHeaders,
        body: bytes = b"",
        version: str = "HTTP/1.1",
        uri: str = "/",
    ) -> None:
        self.code = code
        self.reason = reason
        self.headers = headers
        self.body = body
        self.version = version
        self.uri = uri
        self.history: list[ClientResponse] = []
        self.raw = b""
        self.complete = True

    @property
    def status(self) -> int:
        """The same as ``code``."""
        return self.code

    @property
    def status_code(self) -> int:
        """The same as ``code``."""
        return self.code

    def get_status(self) -> int:
        """The same as ``code``; what a handler has."""
        return self.code

    @property
    def content(self) -> bytes:
        """The same as ``body``."""
        return self.body

    @property
    def text(self) -> str:
        """The body as text, in the charset the response names, else UTF-8."""
        kind = self.headers.get("Content-Type", "")
        charset = kind.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
        try:
            return self.body.decode(charset or "utf-8")
        except LookupError:
            return self.body.decode()

    def json(self) -> Any:
        """The body parsed as JSON. ValueError if it is none."""
        return json.loads(self.body)

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies that this response set."""
        from ._cookies import read_set_cookie

        found = SimpleCookie()
        for line in self.headers.get_list("Set-Cookie"):
            name, morsel = read_set_cookie(line)
            dict.__setitem__(found, name, morsel)
        return found

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.code} {self.uri!r}, {len(self.body)} bytes>"
