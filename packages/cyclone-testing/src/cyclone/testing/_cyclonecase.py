"""CycloneTestCase: trial's test case with an application and a client in memory."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from twisted.trial import unittest

from ._client import Client


class CycloneTestCase(unittest.TestCase):
    """A trial test case: ``self.client`` makes requests to what ``app_builder`` builds.

    ::

        class TestHello(CycloneTestCase):
            app_builder = hello.make_app

            async def test_homepage(self):
                response = await self.client.get("/")
                self.assertEqual(response.content, b"Hello")

    Test methods may be ``async def``, return a Deferred, or be synchronous and use
    ``self.successResultOf``. Application and client are made when a test first asks for
    ``self.app`` or ``self.client``.
    """

    #: A function without arguments (or a method) that makes the application.
    app_builder: Callable[..., Any] | None = None
    #: The class of ``self.client``, called with the application. For type checkers say what
    #: `client` is then: ``client: OwnClient``.
    client_impl: Callable[..., Any] = Client

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        builder = kwargs.pop("app_builder", None)
        if args and callable(args[0]):
            builder, args = args[0], args[1:]
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._builder: Callable[[], Any] | None = builder
        if builder is None and self.app_builder is not None:
            self._builder = _without_self(type(self), self, "app_builder")
        # unittest's loader makes one of every imported class that has a method runTest
        if self._builder is None and args != ("runTest",):
            raise ValueError("app_builder is needed: a function that makes the application")

    @functools.cached_property
    def app(self) -> Any:
        """The application of this test."""
        if self._builder is None:
            raise ValueError("there is no app_builder")
        return self._builder()

    @functools.cached_property
    def client(self) -> Client:
        """The client of this test; its connections are closed when the test is over."""
        make = _without_self(type(self), self, "client_impl", self.app)
        client: Client = make(self.app)
        if hasattr(client, "close"):
            self.addCleanup(client.close)
        return client

    @property
    def _app(self) -> Any:
        """Cyclone's name of `app`."""
        return self.app


def _without_self(
    owner: type, instance: object, name: str, *arguments: object
) -> Callable[..., Any]:
    """A function that was assigned in a class body: is ``self`` one of its arguments?"""
    raw = inspect.getattr_static(owner, name)
    if inspect.isfunction(raw):
        try:
            inspect.signature(raw).bind(*arguments)
        except TypeError:
            pass
        else:
            return raw
    found: Callable[..., Any] = getattr(instance, name)
    return found
