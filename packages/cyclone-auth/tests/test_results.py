"""Deferreds, callbacks, and telling them apart."""

import subprocess
import sys
from typing import Any

import pytest
from auth_support import Browser, Page, result_of
from twisted.internet.defer import Deferred, fail, succeed

from cyclone.auth import AuthError
from cyclone.auth._results import deliver, run, sort_arguments, waiting
from cyclone.web import HTTPError, asynchronous


def callback(user: object) -> None:
    """Stands for an application's."""


@pytest.mark.parametrize(
    ("positional", "keywords", "expected"),
    [
        pytest.param((), {}, (None, [None, None]), id="nothing"),
        pytest.param(("t", "p"), {}, (None, ["t", "p"]), id="tornado"),
        pytest.param((callback, "t", "p"), {}, (callback, ["t", "p"]), id="cyclone"),
        pytest.param((callback,), {"a": "t"}, (callback, ["t", None]), id="cyclone-keyword"),
        pytest.param(("t",), {"callback": callback}, (callback, ["t", None]), id="by-name"),
        pytest.param((None, "p"), {}, (None, [None, "p"]), id="none-given"),
    ],
)
def test_sort_arguments(positional: Any, keywords: Any, expected: Any) -> None:
    assert sort_arguments(positional, ("a", "b"), keywords) == expected


@pytest.mark.parametrize(
    ("positional", "keywords"),
    [(("t", "p", "x"), {}), (("t",), {"a": "u"}), ((), {"callback": "text"})],
)
def test_sort_arguments_refuses(positional: Any, keywords: Any) -> None:
    with pytest.raises(TypeError):
        sort_arguments(positional, ("a", "b"), keywords)


def test_run() -> None:
    async def work() -> int:
        return await succeed(3) + 1

    assert result_of(run(work())) == 4


class Awkward(Page):
    """What happened is in the answer."""

    @asynchronous
    def get(self, what: str) -> Any:
        self.events: list[Any] = []
        return getattr(self, what)().addCallback(self.done)

    def done(self, value: Any) -> None:
        if not self._finished:
            self.finish({"events": self.events, "value": value})

    def good(self) -> Any:
        return deliver(self, succeed("user"), self.events.append)

    def refused(self) -> Any:
        result: Deferred[str] = fail(AuthError("no"))
        return deliver(self, result, self.events.append)

    def without(self) -> Any:
        return deliver(self, fail(AuthError("no")), None)

    def waits(self) -> Any:
        async def later(user: object) -> None:
            self.events.append(await succeed(user))

        return deliver(self, succeed("user"), later)

    def raises(self) -> Any:
        def broken(user: object) -> None:
            raise HTTPError(418)

        return deliver(self, succeed("user"), broken)

    def bug(self) -> Any:
        return deliver(self, fail(ZeroDivisionError("x")), self.events.append)

    def generator(self) -> Any:
        def steps() -> Any:
            self.events.append((yield succeed(1)))

        return waiting(steps())


@pytest.mark.parametrize(
    ("what", "status", "expected"),
    [
        ("good", 200, {"events": ["user"], "value": "user"}),
        ("refused", 200, {"events": [None], "value": None}),
        ("without", 400, {"auth_error": "no", "type": "AuthError"}),
        ("waits", 200, {"events": ["user"], "value": "user"}),
        ("raises", 418, {"http_error": 418}),
        ("bug", 500, {"crash": "ZeroDivisionError('x')"}),
    ],
)
def test_deliver(what: str, status: int, expected: Any) -> None:
    answer = Browser([(r"/(.*)", Awkward)]).get("/" + what)
    assert (answer.status, answer.json) == (status, expected)


@pytest.mark.filterwarnings("ignore:.*generator")
def test_waiting_for_a_generator() -> None:
    answer = Browser([(r"/(.*)", Awkward)]).get("/generator")
    assert answer.json["events"] == [1]


ASYNCIO = """
from twisted.internet import asyncioreactor
asyncioreactor.install()
import asyncio
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from cyclone.auth import BasicAuthMixin, OAuthMixin
from cyclone.httpclient import AsyncHTTPClient
from cyclone.web import Application, RequestHandler

class Base(RequestHandler, BasicAuthMixin):
    async def check(self, name, password):
        await asyncio.sleep(0)
        turn = Deferred()
        reactor.callLater(0, turn.callback, None)
        await turn
        return name == "ada"

    async def get(self):
        self.write("Hello, " + await self.get_authenticated_user(self.check))

class Hook(RequestHandler, OAuthMixin):
    async def _oauth_get_user_future(self, access_token):
        await asyncio.sleep(0)
        return {"name": "ada"}

    async def get(self):
        user = await self._user_of({"key": "k"})
        self.write(user["name"])

async def visit(port):
    client = AsyncHTTPClient(force_instance=True, idle_timeout=0)
    url = f"http://127.0.0.1:{port}"
    for path, name in (("/", "ada"), ("/", "eve"), ("/hook", "")):
        response = await client.fetch(
            url + path, raise_error=False, auth_username=name, auth_password="x"
        )
        print(response.code, response.text)
    client.close()
    reactor.stop()

port = reactor.listenTCP(0, Application([("/", Base), ("/hook", Hook)]), interface="127.0.0.1")
reactor.callWhenRunning(lambda: Deferred.fromCoroutine(visit(port.getHost().port)))
reactor.run()
"""


def test_asyncio_in_the_applications_functions() -> None:
    """What an application gives may await asyncio's things where its handlers may."""
    done = subprocess.run(
        [sys.executable, "-c", ASYNCIO], capture_output=True, text=True, timeout=30
    )
    lines = done.stdout.splitlines()
    assert (lines[0], lines[1][:3], lines[-1]) == ("200 Hello, ada", "401", "200 ada"), done.stderr
