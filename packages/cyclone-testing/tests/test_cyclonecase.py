"""CycloneTestCase."""

from __future__ import annotations

import unittest as standard
from typing import Any

import pytest
from client_support import Waits, make_app
from twisted.internet.defer import Deferred, inlineCallbacks

from cyclone.testing import Client, CycloneTestCase, run_sync
from cyclone.web import Application


class TestFunction(CycloneTestCase):
    """``app_builder`` is a function without arguments, as in Cyclone."""

    app_builder = make_app

    def test_synchronous(self) -> None:
        response = self.successResultOf(self.client.get("/old"))
        assert (response.content, response.get_status()) == (b"inline", 200)
        assert response.headers["Content-Length"] == "6"

    def test_waiting(self) -> None:
        pending = self.client.get("/waits")
        self.assertNoResult(pending)  # type: ignore[no-untyped-call]
        Waits.waiting.pop().callback("fired")
        assert self.successResultOf(pending).content == b"fired"

    def test_deferred(self) -> Deferred[None]:
        pending: Deferred[Any] = self.client.get("/old")
        return pending.addCallback(self.check)

    def check(self, response: Any) -> None:
        assert response.content == b"inline"

    @inlineCallbacks
    def test_inline(self) -> Any:
        yield self.client.get("/cookies")
        assert self.client.cookies.get_secure_cookie("signed") == b"value"

    async def test_coroutine(self) -> None:
        self.check(await self.client.get("/old"))

    def test_in_the_reactor(self) -> None:
        self.check(run_sync(lambda: self.client.get("/old")))

    def test_the_application(self) -> None:
        assert isinstance(self.app, Application)
        assert self._app is self.app
        assert self.client.app is self.app
        assert self.client is self.client


class TestMethod(CycloneTestCase):
    """``app_builder`` is a method."""

    def app_builder(self) -> Application:
        return make_app(title=type(self).__name__)

    def test_it(self) -> None:
        assert self.app.settings["title"] == "TestMethod"


class OwnClient(Client):
    own = True


class TestStatic(CycloneTestCase):
    """``app_builder`` is a static method, and a client of one's own."""

    app_builder = staticmethod(make_app)

    client_impl = OwnClient
    client: OwnClient

    def test_it(self) -> None:
        assert self.client.own
        assert self.successResultOf(self.client.get("/old")).code == 200


class TestClass(CycloneTestCase):
    app_builder = Application

    @staticmethod
    def client_impl(app: Application) -> Client:
        return Client(app, host="made.example")

    def test_it(self) -> None:
        assert self.client.host == "made.example"


def test_connections_end_with_the_test() -> None:
    class Case(CycloneTestCase):
        app_builder = make_app

        def test(self) -> None:
            self.client.get("/waits").addErrback(lambda _: None)

    Waits.gone.clear()
    result = standard.TestResult()
    Case("test").run(result)  # type: ignore[no-untyped-call]
    assert (result.errors, Waits.gone) == ([], ["gone"])
    Waits.waiting.pop().callback("too late")


def test_a_builder_as_an_argument() -> None:
    for case in (CycloneTestCase(make_app), CycloneTestCase(app_builder=make_app)):
        assert isinstance(case.app, Application)
        assert isinstance(case.client, Client)


def test_without_a_builder() -> None:
    with pytest.raises(ValueError, match="app_builder is needed"):
        CycloneTestCase()


def test_the_loader_of_the_standard_library_may_find_the_base_class() -> None:
    suite = standard.TestLoader().loadTestsFromTestCase(CycloneTestCase)
    assert suite.countTestCases() == 1
    with pytest.raises(ValueError, match="there is no app_builder"):
        CycloneTestCase("runTest").app  # noqa: B018
