"""A fetch under way: its hops, its deadline, its response. One object from call to result.

`Flight` is the sink of one exchange after another (redirects, a digest challenge) and fires its
Deferred exactly once; after that, nothing that still arrives has any effect (CL-12, CL-20, F-37).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from cyclone.httputil import HTTPHeaders, Pieces, current_request

from ._auth import Credentials, check_mode
from ._awaitables import pending, to_deferred
from ._body import Body, open_body
from ._cookies import cookie_pairs
from ._decoding import Decoder, DecodingError, accept_encoding, make_decoder
from ._errors import (
    HTTPClientError,
    HTTPProtocolError,
    HTTPResponseTooLargeError,
    HTTPStreamClosedError,
)
from ._message import (
    BODY_METHODS,
    KNOWN_METHODS,
    WireRequest,
    default_headers,
    with_missing,
)
from ._pool import timeout_error
from ._redirects import STATUSES, next_headers, next_method, next_target
from ._response import HTTPResponse
from ._route import route_to
from ._timeouts import Clock, Deadline
from ._twisted import error_of, failure_of
from ._url import Target, parse_url, without_userinfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.interfaces import IReactorTime

    from ._connection import ResponseSink
    from ._cookies import CookieJar
    from ._parser import ResponseHead
    from ._request import HTTPRequest
    from ._settings import Settings

MAX_DISCARDED = 64 * 1024


class Handle(Protocol):
    """An exchange as a flight sees it."""

    phase: str
    over: bool
    began: float

    def cancel(self) -> None:
        """Give up; the sink hears nothing more."""
        ...


class Transport(Protocol):
    """Something that can send a request: the pool, or a Twisted agent."""

    def send(self, request: WireRequest, sink: ResponseSink) -> Handle:
        """Send; the response goes to the sink, perhaps before this returns."""
        ...


class Flight:
    """One call of ``fetch``. ``result`` fires with the response or its error."""

    def __init__(
        self,
        request: HTTPRequest,
        settings: Settings,
        transport: Transport,
        reactor: IReactorTime,
        clock: Clock,
        jar: CookieJar | None,
        raise_error: bool,
    ) -> None:
        self.request = request
        self._settings = settings
        self._transport = transport
        self._reactor = reactor
        self._clock = clock
        self._jar = jar
        self._raise_error = raise_error
        self.result: Deferred[HTTPResponse] = Deferred(self._cancelled)
        self._done = False
        self._exchange: Handle | None = None
        self._deadline: Deadline | None = None
        self._started = clock()
        self._queued = 0.0
        self._start_time = time.time()
        self._redirects = settings.max_redirects if settings.follow_redirects else 0
        self._method = request.method
        self._headers = request.headers
        self._content: bytes | Body | None = None
        self._cookies: Mapping[str, str] | None = settings.cookies
        self._target: Target
        self._credentials: Credentials | None = None
        self._head: ResponseHead | None = None
        self._response_headers: HTTPHeaders | None = None
        self._next: tuple[Target, str, HTTPHeaders, bool] | None = None
        self._cut: IDelayedCall | None = None
        self._chunks = Pieces()
        self._size = 0
        self._raw_size = 0
        self._decoder: Decoder | None = None

    # Setting out

    def start(self) -> None:
        """Check the request and send it.

        :raises ValueError: for a request that cannot be sent; nothing was sent then.
        """
        request, settings = self.request, self._settings
        self._target = parse_url(request.url)
        if not settings.allow_nonstandard_methods:
            self._check_method()
        self._content = open_body(request.body, request.body_producer)
        if self._method == "POST" and "Content-Type" not in self._headers:
            self._headers = self._headers.copy()
            self._headers["Content-Type"] = "application/x-www-form-urlencoded"
        serving = current_request.get()
        if serving is not None:
            self._headers = with_missing(self._headers, serving.outgoing_headers())
        self._set_credentials()
        wire = self._wire()
        if settings.request_timeout:
            seconds = settings.request_timeout
            self._deadline = Deadline(self._reactor, self._clock, seconds, self._expired)
        try:
            self._send(wire)
        except Exception:
            self._stop()
            raise

    def _check_method(self) -> None:
        method = self._method
        if method not in KNOWN_METHODS:
            raise ValueError(f"unknown method {method} (see allow_nonstandard_methods)")
        expected = method in BODY_METHODS
        present = self.request.body is not None or self.request.body_producer is not None
        if expected != present:
            word = "must not" if expected else "must"
            raise ValueError(
                f"the body {word} be None for method {method} "
                "(unless allow_nonstandard_methods is true)"
            )

    def _set_credentials(self) -> None:
        settings, target = self._settings, self._target
        mode = settings.auth_mode
        if target.username is not None:
            self._credentials = Credentials(target.username, target.password or "", mode)
        elif settings.auth_username is not None:
            password = settings.auth_password or ""
            self._credentials = Credentials(settings.auth_username, password, mode)
        else:
            check_mode(mode)

    def _wire(self) -> WireRequest:
        settings, target = self._settings, self._target
        accept = accept_encoding() if settings.decompress_response else None
        headers = default_headers(self._headers, settings, accept)
        if self._credentials is not None:
            value = self._credentials.header(self._method, target)
            if value is not None:
                headers["Authorization"] = value
        if self._cookies or self._jar is not None:
            self._add_cookies(headers)
        if settings.expect_100_continue and self._content is not None:
            headers["Expect"] = "100-continue"
        return WireRequest(
            self._method,
            target,
            route_to(target, settings),
            headers,
            self._content,
            connect_timeout=settings.connect_timeout,
            wait_for_continue=settings.expect_100_continue,
        )

    def _add_cookies(self, headers: HTTPHeaders) -> None:
        parts = [headers.get("Cookie")]
        if self._cookies:
            parts.append(cookie_pairs(self._cookies))
        if self._jar is not None:
            parts.append(self._jar.header(self._target))
        value = "; ".join(part for part in parts if part)
        if value:
            headers["Cookie"] = value

    def _send(self, wire: WireRequest) -> None:
        exchange = self._transport.send(wire, self)
        if not exchange.over and not self._done:
            self._exchange = exchange

    # The response (ResponseSink)

    def head_received(self, head: ResponseHead) -> None:
        """Decide what to do with the response: follow, answer, or take it."""
        headers = HTTPHeaders.from_raw(head.fields)
        if self._jar is not None and "Set-Cookie" in headers:
            self._jar.store(self._target, headers.get_list("Set-Cookie"))
        code = head.code
        try:
            if code in STATUSES and self._redirects > 0 and self._follow(code, headers):
                return
            if code == 401 and self._credentials is not None and self._challenged(headers):
                return
            self._head = head
            self._response_headers = headers
            if self._settings.header_callback is not None:
                self._report_head(head, headers)
            if "Content-Encoding" in headers:
                self._prepare_decoding(headers, head)
        except DecodingError as error:
            self._fail(HTTPProtocolError(str(error)))
        except Exception as error:
            self._fail(error)
        else:
            limit = self._settings.max_body_size
            if limit and head.length is not None and head.length > limit and self._has_body(head):
                self._fail(HTTPResponseTooLargeError("Content-Length too long"))

    def _has_body(self, head: ResponseHead) -> bool:
        return self._method != "HEAD" and head.code not in (204, 304)

    def _report_head(self, head: ResponseHead, headers: HTTPHeaders) -> None:
        callback = self._settings.header_callback
        if callback is None:
            return
        try:
            callback(f"{head.version} {head.code} {head.reason}\r\n")
            for name, value in headers.get_all():
                callback(f"{name}: {value}\r\n")
            callback("\r\n")
        except Exception as error:
            raise _callback_error("header_callback", error) from error

    def _prepare_decoding(self, headers: HTTPHeaders, head: ResponseHead) -> None:
        if not self._settings.decompress_response or not self._has_body(head):
            return
        coding = headers["Content-Encoding"]
        self._decoder = make_decoder(coding)
        if self._decoder is not None:
            # As Tornado: what was undone is kept under another name.
            headers["X-Consumed-Content-Encoding"] = coding
            del headers["Content-Encoding"]
            headers.pop("Content-Length", None)

    def body_received(self, data: bytes) -> Deferred[object] | None:
        """Decode, count, keep or hand on a piece of the body."""
        if self._next is not None:
            self._raw_size += len(data)
            if self._raw_size > MAX_DISCARDED:
                self._leave()
            return None
        limit = self._settings.max_body_size
        self._raw_size += len(data)
        if limit and self._raw_size > limit:
            self._fail(_too_large(limit))
            return None
        callback = self._settings.streaming_callback
        try:
            if callback is not None:
                if self._decoder is not None:
                    return to_deferred(self._stream_decoded(data))
                waiting = pending(callback(data))
                return None if waiting is None else waiting.addErrback(_streaming_failed)
            if self._decoder is None:
                self._chunks.append(data)
            else:
                self._decode(self._decoder, data, limit)
        except DecodingError as error:
            self._fail(HTTPProtocolError(str(error)))
        except HTTPClientError as error:
            self._fail(error)
        except Exception as error:
            failed = _callback_error("streaming_callback", error)
            failed.__cause__ = error
            self._fail(failed)
        return None

    def _decode(self, decoder: Decoder, data: bytes, limit: int) -> None:
        for piece in decoder.feed(data):
            self._size += len(piece)
            if limit and self._size > limit:
                raise _too_large(limit)
            self._chunks.append(piece)

    async def _stream_decoded(self, data: bytes) -> object:
        decoder, callback = self._decoder, self._settings.streaming_callback
        if decoder is None or callback is None:
            return None
        limit = self._settings.max_body_size
        try:
            for piece in decoder.feed(data):
                self._size += len(piece)
                if limit and self._size > limit:
                    raise _too_large(limit)
                waiting = pending(callback(piece))
                if waiting is not None:
                    await waiting
                if self._done:
                    break
        except DecodingError as error:
            raise HTTPProtocolError(str(error)) from error
        except HTTPClientError:
            raise
        except Exception as error:
            raise _callback_error("streaming_callback", error) from error
        return None

    def response_complete(self) -> None:
        """The body is whole: go on to the next hop, or be done."""
        self._note_times()
        self._exchange = None
        if self._next is not None:
            self._go_on()
            return
        if self._decoder is not None:
            try:
                self._decoder.finish()
            except DecodingError as error:
                self._fail(HTTPProtocolError(str(error)))
                return
        response = self._make_response(None)
        if response.error is not None and self._raise_error:
            self._finish(response.error)
        else:
            self._finish(response)

    def exchange_failed(self, error: Exception) -> None:
        """The exchange came to nothing."""
        self._exchange = None
        if isinstance(error, CancelledError):
            error = HTTPStreamClosedError("A callback was cancelled")
        self._fail(error)

    def _make_response(self, error: Exception | None) -> HTTPResponse:
        head = self._head
        target, now = self._target, self._clock()
        url = self.request.url if target.url == self.request.url else without_userinfo(target.url)
        return HTTPResponse(
            self.request,
            599 if head is None else head.code,
            self._response_headers,
            self._chunks.joined(),
            url,
            error,
            now - self._started,
            {"queue": self._queued, "total": now - self._started},
            None if head is None else head.reason,
            self._start_time,
        )

    def _note_times(self) -> None:
        if self._exchange is not None and not self._queued:
            self._queued = max(0.0, self._exchange.began - self._started)

    # Another hop

    def _follow(self, code: int, headers: HTTPHeaders) -> bool:
        """Prepare the next hop of a redirect; false when there is nowhere to go.

        :raises ValueError: for a Location that is not http or https.
        """
        location = headers.get("Location")
        if location is None:
            return False
        target = next_target(self._target, location)
        method, keeps_body = next_method(code, self._method)
        if (
            keeps_body
            and not isinstance(self._content, bytes | None)
            and not self._content.rewind()
        ):
            return False
        same_origin = target.origin == self._target.origin
        following = next_headers(self._headers, same_origin=same_origin, keeps_body=keeps_body)
        self._redirects -= 1
        if not same_origin:
            self._credentials = None
            self._cookies = None
        if target.username is not None:
            password = target.password or ""
            self._credentials = Credentials(target.username, password, self._settings.auth_mode)
        self._plan(target, method, following, keeps_body)
        return True

    def _challenged(self, headers: HTTPHeaders) -> bool:
        """Answer a digest challenge of the origin that the credentials are for (CL-18)."""
        credentials = self._credentials
        if credentials is None or not credentials.accept(headers):
            return False
        content = self._content
        if not isinstance(content, bytes | None) and not content.rewind():
            return False
        self._plan(self._target, self._method, self._headers, True)
        return True

    def _plan(self, target: Target, method: str, headers: HTTPHeaders, keeps_body: bool) -> None:
        """Go there when the body of this response, which nobody wants, is over; the connection is
        given up if it is not over by the next turn of the reactor (CL-08).
        """
        self._next = (target, method, headers, keeps_body)
        self._raw_size = 0
        self._cut = self._reactor.callLater(0, self._leave)

    def _leave(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()
        self._go_on()

    def _go_on(self) -> None:
        cut, self._cut = self._cut, None
        if cut is not None and cut.active():
            cut.cancel()
        planned, self._next = self._next, None
        if planned is None or self._done:
            return
        self._target, self._method, self._headers, keeps_body = planned
        if not keeps_body:
            self._content = None
        self._raw_size = 0
        try:
            self._send(self._wire())
        except Exception as error:
            self._fail(error)

    # The end

    def _expired(self) -> None:
        self._deadline = None
        phase = "request" if self._exchange is None else self._exchange.phase
        self._fail(timeout_error(phase, "request_timeout", self._settings.request_timeout))

    def _cancelled(self, _: object) -> None:
        """The caller cancelled: the Deferred itself then fails with CancelledError."""
        self._stop()

    def _fail(self, error: Exception) -> None:
        if self._done:
            return
        if isinstance(error, HTTPClientError) and error.response is None and self._head is not None:
            if isinstance(error, HTTPResponseTooLargeError):
                self._chunks.clear()  # nobody wants so much of a body that is not whole
            error.response = self._make_response(error)
        self._finish(error)

    def _stop(self) -> None:
        self._done = True
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()
        cut, self._cut = self._cut, None
        if cut is not None and cut.active():
            cut.cancel()
        exchange, self._exchange = self._exchange, None
        if exchange is not None and not exchange.over:
            exchange.cancel()

    def _finish(self, outcome: HTTPResponse | BaseException) -> None:
        if self._done:
            return
        self._stop()
        if isinstance(outcome, BaseException):
            self.result.errback(outcome)
        else:
            self.result.callback(outcome)


def _too_large(limit: int) -> HTTPResponseTooLargeError:
    return HTTPResponseTooLargeError(f"the body is larger than max_body_size ({limit} bytes)")


def _streaming_failed(failure: Failure) -> Failure:
    failed = _callback_error("streaming_callback", error_of(failure))
    failed.__cause__ = failure.value
    return failure_of(failed)


def _callback_error(name: str, error: BaseException) -> HTTPStreamClosedError:
    return HTTPStreamClosedError(f"{name} failed: {type(error).__name__}")
