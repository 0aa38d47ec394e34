"""HTTPResponse: Tornado's names and Cyclone's on one object."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

from cyclone.httputil import HTTPHeaders, responses

from ._errors import HTTPClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._request import HTTPRequest


class HTTPResponse:
    """The answer to a request.

    ``code`` and ``reason`` (``phrase``) of the status line; ``headers``; ``body`` (``bytes``, empty
    when it went to a ``streaming_callback``); ``length``: the ``Content-Length`` that came, else
    the size of ``body``; ``effective_url``: where it came from after redirects; ``request``;
    ``error``: the exception for a status outside 2xx, or ``None``; ``start_time`` (epoch seconds),
    ``request_time`` and the parts of it in ``time_info`` (seconds).
    """

    def __init__(
        self,
        request: HTTPRequest,
        code: int,
        headers: HTTPHeaders | None = None,
        buffer: BytesIO | bytes | None = None,
        effective_url: str | None = None,
        error: BaseException | None = None,
        request_time: float | None = None,
        time_info: Mapping[str, float] | None = None,
        reason: str | None = None,
        start_time: float | None = None,
    ) -> None:
        self.request = request
        self.code = code
        self.reason: str = reason or responses.get(code, "Unknown")
        self.headers: HTTPHeaders = HTTPHeaders() if headers is None else headers
        self._buffer = buffer
        self.effective_url: str = request.url if effective_url is None else effective_url
        self.request_time = request_time
        self.start_time = start_time
        self.time_info: Mapping[str, float] = time_info or {}
        self.error: BaseException | None = error
        self._error_is_response_code = error is None and not 200 <= code < 300
        if self._error_is_response_code:
            self.error = HTTPClientError(code, self.reason, self)

    @property
    def phrase(self) -> str:
        """The reason phrase, Cyclone's name."""
        return self.reason

    @property
    def buffer(self) -> BytesIO | None:
        """The body as a file, ``None`` when there is none."""
        if isinstance(self._buffer, bytes):
            self._buffer = BytesIO(self._buffer)
        return self._buffer

    @property
    def body(self) -> bytes:
        """The whole body, decoded as its ``Content-Encoding`` says."""
        buffer = self._buffer
        if buffer is None:
            return b""
        return buffer if isinstance(buffer, bytes) else buffer.getvalue()

    @property
    def length(self) -> int:
        """The announced ``Content-Length``, or else the size of the body that came."""
        declared = self.headers.get("Content-Length")
        return int(declared) if declared and declared.isdecimal() else len(self.body)

    @property
    def text(self) -> str:
        """The body as text in the charset of ``Content-Type``, else UTF-8; bad bytes are marked."""
        kind = self.headers.get("Content-Type", "")
        charset = "utf-8"
        for part in kind.split(";")[1:]:
            name, _, value = part.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"')
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body parsed as JSON.

        :raises ValueError: when it is not JSON, or nested too deeply.
        """
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("JSON that is nested too deeply") from None

    def rethrow(self) -> None:
        """Raise ``error`` if there is one."""
        if self.error is not None:
            raise self.error

    def __repr__(self) -> str:
        """The status and the address; no headers, no body (LG-03)."""
        from ._url import without_userinfo

        url = without_userinfo(self.effective_url)
        return f"{type(self).__name__}(code={self.code}, effective_url={url!r})"
