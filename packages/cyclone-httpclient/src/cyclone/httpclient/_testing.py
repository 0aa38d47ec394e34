"""An agent in memory: the whole client works on it, and no byte leaves the process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IConsumer, IProducer, IProtocol
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from cyclone.httputil import HTTPHeaders, responses

from ._awaitables import to_deferred
from ._twisted import failure_of, start_producing


@dataclass(frozen=True)
class SentRequest:
    """A request as `InMemoryAgent` got it."""

    method: str
    url: str
    headers: HTTPHeaders
    body: bytes

    @property
    def path(self) -> str:
        """The path of the URL, without its query."""
        return urlsplit(self.url).path


@dataclass
class StubResponse:
    """What `InMemoryAgent` answers; ``error`` fails the body after ``body`` was delivered."""

    code: int = 200
    body: bytes = b""
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    reason: str | None = None
    error: Exception | None = None


Answer: TypeAlias = "StubResponse | bytes | str | Exception"
Handler: TypeAlias = "Callable[[SentRequest], Answer | Awaitable[Answer]]"


@implementer(IConsumer)
class _Collector:
    """Gathers what a body producer writes."""

    def __init__(self) -> None:
        self.data = bytearray()

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Nothing is ever full here."""

    def unregisterProducer(self) -> None:
        """Nothing to undo."""

    def write(self, data: bytes) -> None:
        self.data += data


@implementer(IResponse)
class _MemoryResponse:
    previousResponse = None
    request = None
    version = (b"HTTP", 1, 1)

    def __init__(self, answer: StubResponse) -> None:
        self.code = answer.code
        self.phrase = (answer.reason or responses.get(answer.code, "Unknown")).encode("latin-1")
        self.headers = Headers()
        for name, value in answer.headers.items():
            values = [value] if isinstance(value, str) else value
            self.headers.setRawHeaders(name, values)
        self.length = len(answer.body) if answer.error is None else UNKNOWN_LENGTH
        self._answer = answer

    def deliverBody(self, protocol: IProtocol) -> None:
        protocol.makeConnection(None)  # type: ignore[arg-type]
        if self._answer.body:
            protocol.dataReceived(self._answer.body)
        error = self._answer.error
        protocol.connectionLost(failure_of(ResponseDone("done") if error is None else error))

    def setPreviousResponse(self, response: IResponse) -> None:
        """Not used."""


@implementer(IAgent)
class InMemoryAgent:
    """An `IAgent` for tests: ``AsyncHTTPClient(force_instance=True, agent=InMemoryAgent(...))``.

    ``answers`` is a function of the request (it may be ``async``), or a mapping from a URL to a
    `StubResponse`, a body, or an exception; other URLs get a 404. ``requests`` lists what was sent.
    """

    def __init__(self, answers: Handler | Mapping[str, Answer]) -> None:
        self._answers = answers
        self.requests: list[SentRequest] = []

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> Deferred[IResponse]:
        """Take a request (IAgent)."""
        collector = _Collector()
        written: Deferred[None] = succeed(None)
        if bodyProducer is not None:
            written = start_producing(bodyProducer, collector)
        fields = HTTPHeaders()
        for name, values in headers.getAllRawHeaders() if headers is not None else ():
            for value in values:
                fields.add(name.decode("latin-1"), value.decode("latin-1"))

        def sent(_: object) -> Deferred[Answer]:
            request = SentRequest(method.decode(), uri.decode(), fields, bytes(collector.data))
            self.requests.append(request)
            return self._answer(request)

        return written.addCallback(sent).addCallback(_to_response)

    def _answer(self, request: SentRequest) -> Deferred[Answer]:
        if isinstance(self._answers, Mapping):
            return succeed(self._answers.get(request.url, StubResponse(404)))
        answer = self._answers(request)
        return to_deferred(answer) if isinstance(answer, Awaitable) else succeed(answer)


def _to_response(answer: Answer) -> IResponse:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, str):
        answer = answer.encode()
    if isinstance(answer, bytes):
        answer = StubResponse(body=answer)
    response: IResponse = _MemoryResponse(answer)
    return response
