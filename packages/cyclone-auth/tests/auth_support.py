"""An application and its providers in memory: a browser that keeps cookies, and no socket."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from twisted.internet.defer import Deferred

from cyclone.auth import AuthError
from cyclone.httpclient import AsyncHTTPClient, InMemoryAgent, SentRequest, StubResponse
from cyclone.httputil import HTTPHeaders
from cyclone.testing import Client, ClientResponse, VirtualClock
from cyclone.web import Application, HTTPError, RequestHandler

T = TypeVar("T")
Answers = Callable[[SentRequest], StubResponse | bytes | str | Exception]
SECRET = "a-cookie-secret-that-only-tests-use"
ISSUER = "https://op.example"


class Answer:
    """One answer of the application."""

    def __init__(self, response: ClientResponse) -> None:
        self.status = response.code
        self.headers = response.headers
        self.text = response.text

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
        application = handlers
        if not isinstance(handlers, Application):
            clock = VirtualClock()
            client = AsyncHTTPClient(force_instance=True, agent=self.agent, reactor=clock)
            application = Application(handlers, http_client=client, reactor=clock, **settings)
        self.application: Application = application
        self.client = Client(application, host="app.example")
        #: The cookies it has, and the lines of the last answer that set some.
        self.cookies = self.client.cookies
        self.set_cookies: list[str] = []

    @property
    def sent(self) -> list[SentRequest]:
        return self.agent.requests

    def sends(self) -> dict[str, str]:
        """The cookies it has, as it sends them."""
        return {name: morsel.coded_value for name, morsel in self.cookies.items()}

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
        """``cookies``: send these and not its own."""
        fields = HTTPHeaders(headers or {})
        if method == "POST":
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        if cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self.client.keep_cookies = cookies is None
        sent = body if method == "POST" else None
        response = self.client.fetch(method, path, headers=fields, body=sent)
        self.set_cookies = response.headers.get_list("Set-Cookie")
        self.cookies.take(self.set_cookies)
        return Answer(response)


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


def metadata(**changes: Any) -> dict[str, Any]:
    """What the provider at `ISSUER` says of itself."""
    values = {
        "issuer": ISSUER,
        "authorization_endpoint": ISSUER + "/auth",
        "token_endpoint": ISSUER + "/token",
        "jwks_uri": ISSUER + "/jwks",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}
