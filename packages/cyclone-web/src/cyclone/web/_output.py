"""The body of the answer: write, flush, finish."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail, succeed

from cyclone import escape
from cyclone.httpserver import StreamClosedError
from cyclone.httputil import HTTPHeaders, HTTPOutputError, ResponseStartLine, responses

from ._base import HandlerBase
from ._log import hook_returned
from ._response import JSON_TYPE, ResponseMixin, has_no_body
from ._sent import quietly

if TYPE_CHECKING:
    from cyclone.httpserver import Transport

    Chunk = str | bytes | dict[str, Any] | list[Any]

_ETAG_METHODS = frozenset({"GET", "HEAD"})
_sha1 = hashlib.sha1
_compute_etag = ResponseMixin.compute_etag
_check_etag_header = ResponseMixin.check_etag_header


class OutputMixin(HandlerBase):
    """What a handler sends.

    An answer that was never flushed leaves in one piece, through ``connection.write_response``; a
    flushed one as head, chunks and end.
    """

    #: Whether ``write`` takes a list as JSON. Off by default: see :meth:`write`.
    serialize_lists: bool = False

    _body_bytes_written: int = 0
    # Whether _send_whole() asked an override of flush() (1), and has gone on since (2).
    _in_overridden_flush: int = 0

    def write(self, chunk: Chunk) -> None:
        """Add *chunk* to the body: text as UTF-8, bytes as they are, a dict as JSON.

        A list is taken as JSON only if the class says ``serialize_lists = True``: a bare array at
        the top once could be read across sites by old browsers.

        :raises TypeError: for anything else.
        :raises RuntimeError: after :meth:`finish`.
        """
        if self._finished:
            raise RuntimeError("Cannot write() after finish()")
        kind = type(chunk)
        if kind is str:
            self._write_buffer.append(chunk.encode())  # type: ignore[union-attr]
        elif kind is bytes:
            self._write_buffer.append(chunk)  # type: ignore[arg-type]
        else:
            self._write_buffer.append(self._chunk_to_bytes(chunk))

    def _chunk_to_bytes(self, chunk: object) -> bytes:
        if isinstance(chunk, dict) or (self.serialize_lists and isinstance(chunk, list)):
            if self._made_headers is not None:
                self._made_headers["Content-Type"] = JSON_TYPE
            else:
                self._wrote_json = True
            # Looked up late: programs put an encoder of their own in its place
            return escape.json_encode(chunk).encode()
        if isinstance(chunk, str):
            return str.encode(chunk)
        if isinstance(chunk, bytes):
            return bytes(chunk)
        hint = ""
        if isinstance(chunk, list):
            hint = (
                ". A list is taken as JSON only with serialize_lists = True on the handler's class"
            )
        raise TypeError(
            f"write() only accepts bytes, str and dict objects, not {type(chunk).__name__}{hint}"
        )

    def flush(self, include_footers: bool = False) -> Deferred[None]:
        """Send what was written so far, the head before the first of it.

        The Deferred fires when the transport has taken the data, and fails with
        ``cyclone.httpserver.StreamClosedError`` when the client went away: waiting for it is how a
        long answer keeps the pace of its reader. It need not be waited for.
        """
        if self._in_overridden_flush == 1:
            # From an override, on the way out of _send_whole()
            self._in_overridden_flush = 2
            self._send_whole()
            return succeed(None)
        chunk = b"".join(self._write_buffer)
        self._write_buffer = []
        transforms = self._transforms
        connection = self.request.connection
        is_head = self.request.method == "HEAD"
        if self._headers_written:
            if transforms:
                for transform in transforms:
                    chunk = transform.transform_chunk(chunk, include_footers)
            if is_head or not chunk:
                return succeed(None)
            self._body_bytes_written += len(chunk)
            return quietly(connection.write(chunk))
        if transforms:
            chunk = self._transform_first(chunk, include_footers)
        if "cookies" in self.request.__dict__:
            self._vary_on("Cookie")
        self._complete_headers()
        if is_head:
            chunk = b""
        self._body_bytes_written += len(chunk)
        self._headers_written = True
        self._watch_connection()
        start_line = ResponseStartLine("HTTP/1.1", self._status_code, self._reason)
        return quietly(connection.write_headers(start_line, self._headers, chunk))

    def _transform_first(self, chunk: bytes, finishing: bool) -> bytes:
        for transform in self._transforms or ():
            self._status_code, self._headers, chunk = transform.transform_first_chunk(
                self._status_code, self._headers, chunk, finishing
            )
        return chunk

    def finish(self, chunk: Chunk | None = None) -> Deferred[None]:
        """Send the rest and end the request. May be called from anywhere, once.

        The Deferred fires when the transport has taken the data; it need not be waited for.

        :raises RuntimeError: when called twice, or when a 204 or 304 has a body.
        """
        if self._finished:
            raise RuntimeError("finish() called twice")
        if chunk is not None:
            self.write(chunk)
        if not self._headers_written:
            gone = getattr(self.request.connection, "closed", False) is True
            self._send_whole()
            return quietly(fail(StreamClosedError())) if gone else succeed(None)
        self.flush(include_footers=True)
        if self._request_suspended:
            self._answer_resolved()
        done = quietly(self.request.connection.finish())
        self._end_answer()
        return done

    def _send_whole(self) -> None:
        """Send the whole answer in one piece: the path of nearly every request."""
        if type(self).flush is not _flush and not self._in_overridden_flush:
            # An override of flush() has its say, as it is called for every answer in Tornado
            self._in_overridden_flush = 1
            self.flush(include_footers=True)
            if self._headers_written:
                return
            self._in_overridden_flush = 2
        request = self.request
        if "cookies" in request.__dict__:
            # Somebody read them past the handler
            self._vary_on("Cookie")
        buffer = self._write_buffer
        body = buffer[0] if len(buffer) == 1 else b"".join(buffer)
        if self._status_code == 200:
            if self._made_headers is None and self._may_go_plain():
                fields = self._plain_fields(body)
                if self._new_cookies is None and self._vary_headers is None:
                    self._hand_over_answer(fields, body, date=True)
                    return
                collected = self._collected_fields()
                if collected is not None:
                    self._hand_over_answer(fields + collected, body, date=True)
                    return
            if request.method in _ETAG_METHODS:
                if self._headers.get("Etag") in (None, self._computed_etag):
                    self.set_etag_header()
                if self.check_etag_header():
                    body = b""
                    self._write_buffer = []
                    self.set_status(304)
        if self._status_code != 200 and has_no_body(self._status_code):
            if body:
                raise RuntimeError(f"Cannot send a body with status {self._status_code}")
            self._clear_representation_headers()
            self._transform_first(b"", True)  # they may set headers, Vary for one (RFC 9110)
        elif self._transforms:
            if "Content-Length" not in self._headers:
                self._headers["Content-Length"] = str(len(body))
            body = self._transform_first(body, True)
        if self._new_cookies is not None or self._vary_headers is not None:
            self._complete_headers()
        headers = self._headers
        if "Content-Length" in headers and request.method != "HEAD":
            self._check_content_length(len(body))
        self._hand_over_answer(headers, body)

    def _check_content_length(self, size: int) -> None:
        """A Content-Length that is not the body's: the client must not take it for an answer."""
        declared = self._headers["Content-Length"]
        if declared == str(size) or has_no_body(self._status_code):
            return
        # From here on there is nothing to do but cut the connection.
        self._headers_written = True
        if declared.isdecimal() and int(declared) > size:
            missing = int(declared) - size
            raise HTTPOutputError(f"Tried to write {missing} bytes less than Content-Length")
        raise HTTPOutputError("Tried to write more data than Content-Length")

    def _plain_fields(self, body: bytes) -> bytes:
        """The header fields, but Date, of an answer that only its body makes different."""
        application = self.application
        fields = application._plain_json_wire if self._wrote_json else application._plain_wire
        if self.request.method not in _ETAG_METHODS:
            return fields
        etag = _sha1(body, usedforsecurity=False).hexdigest()
        return fields + f'Etag: "{etag}"\r\n'.encode()

    def _collected_fields(self) -> bytes | None:
        """What :meth:`_complete_headers` adds to those; None if that has to look at it closely."""
        lines = []
        if self._vary_headers is not None:
            lines.append(f"Vary: {', '.join(self._vary_headers)}")
        if self._new_cookies is not None:
            lines += [f"Set-Cookie: {cookie}" for cookie in self._new_cookies.values()]
        for line in lines:
            if not (line.isascii() and line.isprintable()) or line[-1] == " ":
                return None
        return "".join([f"{line}\r\n" for line in lines]).encode("ascii")

    def _may_go_plain(self) -> bool:
        """Whether nothing but the body makes this answer differ from any other."""
        cls = type(self)
        return (
            self._transforms is None
            and cls.compute_etag is _compute_etag
            and cls.check_etag_header is _check_etag_header
            and not self.request.has_header("If-None-Match")
        )

    def _hand_over_answer(
        self, headers: HTTPHeaders | bytes, body: bytes, *, date: bool = False
    ) -> None:
        """Give the complete answer to the connection, unless the client is gone.

        With *date* the connection adds that field.
        """
        request = self.request
        connection = request.connection
        if self._request_suspended:
            self._answer_resolved()
        self._body_bytes_written = len(body)
        # Before the answer leaves: what is told of its end must find it ended.
        self._finished = self._headers_written = True
        if connection.request is request:
            status, reason = self._status_code, self._reason
            phrase = None if reason is responses.get(status) else reason
            try:
                connection.write_response(request, status, phrase, headers, body, date=date)
            except BaseException:
                self._finished = self._headers_written = False
                raise
        try:
            self._log()
        finally:
            result: object = self.on_finish()
            if result is not None:
                hook_returned(self, "on_finish", result)

    def _end_answer(self) -> None:
        """The answer is out: log it, tell the handler."""
        self._finished = True
        try:
            self._log()
        finally:
            result: object = self.on_finish()
            if result is not None:
                hook_returned(self, "on_finish", result)

    def _abort_answer(self) -> None:
        """Cut the connection: the client must see that the answer is not complete (RI-11)."""
        if self._request_suspended:
            self._answer_resolved()
        self.request.connection.abort()
        self._end_answer()

    def detach(self) -> Transport:
        """Take the transport; nothing more of this connection is HTTP.

        The bytes that came behind the request are delivered to the protocol that is put on it:
        ``transport.protocol``, or what is given to ``request.connection.detach(protocol)``.
        """
        self._finished = True
        if self._request_suspended:
            self._answer_resolved()
        transport: Transport = self.request.connection.detach()
        return transport


_flush = OutputMixin.flush
