"""An application and its providers in memory: a browser that keeps cookies, and no socket."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from cyclone.auth import AuthError
from cyclone.httpclient import AsyncHTTPClient, InMemoryAgent, SentRequest, StubResponse
from cyclone.httputil import HTTPHeaders
from cyclone.web import Application, HTTPError, RequestHandler

T = TypeVar("T")
Answers = Callable[[SentRequest], StubResponse | bytes | str | Exception]
SECRET = "a-cookie-secret-that-only-tests-use"


@dataclass
class Answer:
    """One answer of the application."""

    status: int
    headers: HTTPHeaders
    text: str

    @cached_property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @cached_property
    def query(self) -> dict[str, str]:
        """The query of the address that the browser is sent to; each parameter once."""
        found = parse_qs(urlsplit(self.location).query, keep_blank_values=True)
        assert all(len(values) == 1 for values in found.values()), found
        return {name: values[0] for name, values in found.items()}

    @property
    def error(self) -> tuple[int, str]:
        """Status and text of an AuthError; anything else fails."""
        assert "auth_error" in self.json, self.text
        return self.status, self.json["auth_error"]


class Page(RequestHandler):
    """Base of the tests' handlers: their provider is `Browser.agent`; errors come as JSON."""

    def get_auth_http_client(self) -> AsyncHTTPClient:
        client: AsyncHTTPClient = self.settings["http_client"]
        return client

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        if isinstance(error, AuthError):
            self.finish({"auth_error": str(error), "type": type(error).__name__})
        elif isinstance(error, HTTPError):
            self.finish({"http_error": status_code})
        else:
            self.finish({"crash": repr(error)})


class Browser:
    """Visits the application; keeps its cookies; `sent` is what the providers were asked."""

    def __init__(self, handlers: Any, answers: Answers | None = None, **settings: Any) -> None:
        self.agent = InMemoryAgent(answers or (lambda request: StubResponse(404)))
        self.clock = Clock()
        client = AsyncHTTPClient(force_instance=True, agent=self.agent, reactor=self.clock)
        settings.setdefault("reactor", self.clock)
        self.application = Application(handlers, http_client=client, **settings)
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []

    @property
    def sent(self) -> list[SentRequest]:
        return self.agent.requests

    def get(self, path: str, query: Any = None, **kwargs: Any) -> Answer:
        return self.fetch("GET", path + ("?" + urlencode(query) if query else ""), **kwargs)

    def fetch(
        self,
        method: str,
        path: str,
        body: str = "",
        headers: dict[str, str] | None = None,
        cookies: dict[str, str] | None = None,
    ) -> Answer:
        fields = HTTPHeaders({"Host": "app.example", "Connection": "close", **(headers or {})})
        cookies = self.cookies if cookies is None else cookies
        if cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if method == "POST":
            fields["Content-Type"] = "application/x-www-form-urlencoded"
            fields["Content-Length"] = str(len(body.encode()))
        transport = StringTransport()  # type: ignore[no-untyped-call]
        protocol = self.application.buildProtocol(IPv4Address("TCP", "127.0.0.1", 40000))
        assert protocol is not None
        protocol.makeConnection(transport)
        head = f"{method} {path} HTTP/1.1\r\n".encode() + fields.wire() + b"\r\n"
        protocol.dataReceived(head + body.encode())
        received: bytes = transport.value()  # type: ignore[no-untyped-call]
        assert received, f"no answer to {method} {path}"
        start, _, text = received.partition(b"\r\n\r\n")
        line, _, block = start.decode("latin-1").partition("\r\n")
        answer = Answer(int(line.split()[1]), HTTPHeaders.parse(block), text.decode())
        self._keep(answer.headers.get_list("Set-Cookie"))
        return answer

    def _keep(self, set_cookies: list[str]) -> None:
        self.set_cookies = set_cookies
        for line in set_cookies:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies.pop(name, None)
            if value.strip('"'):
                self.cookies[name] = value


def result_of(awaitable: Awaitable[T]) -> T:
    """The result of something that has nothing to wait for."""

    async def wait() -> T:
        return await awaitable

    outcome: list[Any] = []
    deferred: Deferred[T] = Deferred.fromCoroutine(wait())
    deferred.addCallbacks(
        lambda value: outcome.append((value, None)), lambda f: outcome.append((None, f.value))
    )
    assert outcome, "not done"
    value, error = outcome[0]
    if error is not None:
        raise error
    return value  # type: ignore[no-any-return]
