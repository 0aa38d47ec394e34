"""Reading responses: the client's half of HTTP/1.x, strict, so that a server's slip is seen."""

from __future__ import annotations

from collections.abc import Callable

from cyclone.httpclient import HTTPProtocolError, HTTPStreamClosedError
from cyclone.httputil import HTTPHeaders, HTTPInputError

_MAX_HEAD = 1024 * 1024


class ResponseParser:
    """Takes one response out of bytes as they come.

    ``head(version, code, reason, headers)``, ``data(chunk)`` and ``end()`` are called;
    `HTTPProtocolError` is raised for what is no HTTP.
    """

    def __init__(
        self,
        method: str,
        head: Callable[[str, int, str, HTTPHeaders], None],
        data: Callable[[bytes], None],
        end: Callable[[], None],
    ) -> None:
        self._method = method
        self._head = head
        self._data = data
        self._end = end
        self._buffer = b""
        self._step: Callable[[], bool] = self._read_head
        self._left = 0
        self.done: bool = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes; what is behind the response comes back."""
        self._buffer += data
        while not self.done and self._step():
            pass
        if not self.done:
            return b""
        rest, self._buffer = self._buffer, b""
        return rest

    def eof(self) -> None:
        """The server closed. `HTTPStreamClosedError` if that was too early."""
        if self.done:
            return
        if self._step == self._read_to_close:
            self._finish()
            return
        raise HTTPStreamClosedError("the server closed the connection before its response ended")

    def _finish(self) -> bool:
        self.done = True
        self._end()
        return False

    def _take_line(self) -> bytes | None:
        line, separator, rest = self._buffer.partition(b"\r\n")
        if not separator:
            if len(self._buffer) > _MAX_HEAD:
                raise HTTPProtocolError("a line of the response never ends")
            return None
        self._buffer = rest
        return line

    def _read_head(self) -> bool:
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            if len(self._buffer) > _MAX_HEAD:
                raise HTTPProtocolError("the head of the response never ends")
            return False
        self._buffer = rest
        line, _, block = head.decode("latin-1").partition("\r\n")
        version, _, status = line.partition(" ")
        code, _, reason = status.partition(" ")
        if not version.startswith("HTTP/1.") or len(code) != 3 or not code.isdecimal():
            raise HTTPProtocolError(f"no status line: {line[:80]!r}")
        try:
            headers = HTTPHeaders.parse(block)
        except HTTPInputError as error:
            raise HTTPProtocolError(f"bad headers in the response: {error}") from error
        if 100 <= int(code) < 200 and code != "101":
            return True
        return self._begin(version, int(code), reason, headers)

    def _begin(self, version: str, code: int, reason: str, headers: HTTPHeaders) -> bool:
        self._head(version, code, reason, headers)
        coding = headers.get("Transfer-Encoding")
        length = headers.get("Content-Length")
        if coding is not None and length is not None:
            raise HTTPProtocolError("the response has a Content-Length and a Transfer-Encoding")
        if self._method == "HEAD" or code in (101, 204, 304):
            return self._finish()
        if coding is not None:
            if coding.lower() != "chunked":
                raise HTTPProtocolError(f"the Transfer-Encoding {coding!r} is not known")
            self._step = self._read_chunk_size
        elif length is not None:
            if not (length.isascii() and length.isdecimal()):
                raise HTTPProtocolError(f"bad Content-Length {length!r}")
            self._left = int(length)
            self._step = self._read_length
        else:
            self._step = self._read_to_close
        return True

    def _pass_on(self, size: int) -> None:
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        if data:
            self._left -= len(data)
            self._data(data)

    def _read_length(self) -> bool:
        self._pass_on(self._left)
        return bool(self._left == 0 and self._finish())

    def _read_to_close(self) -> bool:
        self._pass_on(len(self._buffer))
        return False

    def _read_chunk_size(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        size = line.partition(b";")[0].strip()
        if not size or size.strip(b"0123456789abcdefABCDEF"):
            raise HTTPProtocolError(f"bad size of a chunk: {line[:40]!r}")
        self._left = int(size, 16)
        self._step = self._read_chunk if self._left else self._read_trailer
        return True

    def _read_chunk(self) -> bool:
        if self._left:
            self._pass_on(self._left)
        if self._left or len(self._buffer) < 2:
            return False
        if self._buffer[:2] != b"\r\n":
            raise HTTPProtocolError("a chunk is longer than its size")
        self._buffer = self._buffer[2:]
        self._step = self._read_chunk_size
        return True

    def _read_trailer(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        return self._finish() if not line else True
