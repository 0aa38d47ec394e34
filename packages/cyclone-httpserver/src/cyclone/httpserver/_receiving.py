"""From a head to the callback: the body of a request, and who receives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.httputil import HTTPInputError

from ._body import LARGE_BODY, Body
from ._errors import RequestError, storage_error
from ._incoming import BodyReceiver, Incoming
from ._output import OPEN
from ._responses import ResponseSide
from ._timeouts import NEVER
from ._writer import CONTINUE

if TYPE_CHECKING:
    from ._request import HTTPRequest


class ReceivingSide(ResponseSide):
    """What is done with a request whose head is in, until the callback has it."""

    __slots__ = ()

    deadline: float

    def _dispatch(self, request: HTTPRequest) -> None:
        """The request is complete: call back."""
        try:
            result = self.server.request_callback(request)
        except BaseException as error:
            self._handler_failed(request, error)
            return
        if result is not None:
            self._follow(request, result)

    def _comes_whole(self, request: HTTPRequest, length: int) -> bool:
        """A small body that came with its head: is there nothing to ask or say before it?"""
        server = self.server
        if length > server.max_whole_body or request._expect_continue:
            return False
        collects = server.collects_body
        return server.headers_received is None if collects is None else collects(request)

    def _begin_body(self, request: HTTPRequest) -> None:
        incoming = Incoming(request, self.server.server_options, self._now, self._wake)
        self._incoming = incoming
        self.deadline = self._now + incoming.timeout if incoming.timeout else NEVER
        if self.server.server_options.decompress_request:
            incoming.inflate_if_needed()
        hook = self.server.headers_received
        if hook is None:
            self._accept_body(incoming, None)
            return
        try:
            receiver = hook(request)
        except HTTPInputError as error:
            raise RequestError(error.status_code, str(error)) from error
        except BaseException as error:
            self._handler_failed(request, error)
            return
        if isinstance(receiver, Deferred):
            incoming.blocked = True
            self.deadline = NEVER
            receiver.addCallbacks(
                self._receiver_known,
                self._receiver_failed,
                callbackArgs=(incoming,),
                errbackArgs=(incoming,),
            )
        elif self.request is request:
            self._accept_body(incoming, receiver)

    def _accept_body(self, incoming: Incoming, receiver: BodyReceiver | None) -> None:
        """Who takes the body is known: check its size, let the client send it."""
        incoming.receiver = receiver
        incoming.check_declared_length()
        if receiver is None:
            sink = Body(incoming.request, self.server)
            incoming.sink = sink
            incoming.request._body = sink
            if self._send is not None and (size := sink.read_size) is not None:
                self.transport.bufferSize = size
        if incoming.expect_continue:
            incoming.expect_continue = False
            if self._response is None:
                self._emit(CONTINUE)

    def _receiver_known(self, receiver: BodyReceiver | None, incoming: Incoming) -> None:
        if self._incoming is not incoming or self._state != OPEN:
            if receiver is not None:
                receiver.on_connection_close()
            return
        incoming.blocked = False
        self._now = self.server.monotonic()
        self.deadline = self._now + incoming.timeout if incoming.timeout else NEVER
        try:
            self._accept_body(incoming, receiver)
        except RequestError as error:
            incoming.failure = Failure(error)  # type: ignore[no-untyped-call]
        self._wake()

    def _receiver_failed(self, failure: Failure, incoming: Incoming) -> None:
        if self._incoming is incoming and self._state == OPEN:
            incoming.blocked = False
            incoming.failure = failure
            self._wake()
        elif failure.value is not None:
            self._handler_failed(incoming.request, failure.value)

    def _resume_body(self) -> None:
        """What the body waited for is there, or it was something else that waited."""
        incoming = self._incoming
        if incoming is None or incoming.blocked:
            return
        self.deadline = self._now + incoming.timeout if incoming.timeout else NEVER
        try:
            if incoming.failure is None:
                incoming.deliver()
        except RequestError as error:
            incoming.failure = Failure(error)  # type: ignore[no-untyped-call]
        except Exception:
            incoming.failure = Failure()  # type: ignore[no-untyped-call]

    def _body_ended(self, incoming: Incoming) -> None:
        """The body is complete and was taken."""
        request = incoming.request
        if self._send is not None and request._length > LARGE_BODY:
            vars(self.transport).pop("bufferSize", None)
        if incoming.receiver is not None:
            receiver = incoming.receiver
            self.deadline = NEVER
            try:
                receiver.finish()
            except BaseException as error:
                self._handler_failed(request, error)
        elif self.request is request:
            self.deadline = NEVER
            self._dispatch(request)
        else:
            # Answered before: this was the rest of it
            self._next()

    def _body_failed(self, incoming: Incoming, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, HTTPInputError):
            self._refuse(RequestError(error.status_code, str(error)))
        elif isinstance(error, OSError) and incoming.receiver is None:
            self._refuse(storage_error(error))
        elif error is not None:
            self._handler_failed(incoming.request, error)
