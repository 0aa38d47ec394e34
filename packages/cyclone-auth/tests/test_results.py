"""Deferreds, callbacks, and telling them apart."""

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

        return waiting(self, steps())


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
