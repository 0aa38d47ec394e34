"""The pytest plugin. It is loaded in every run where this package is installed.

So it imports nothing of Twisted until a test asks for it, and takes over only tests that do: an
``async def`` test that uses one of its fixtures, or is marked ``cyclone``, or any if the option
``cyclone_mode`` is ``auto``.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ._clock import VirtualClock
    from ._fixtures import ClientFactory, ServerFactory

FIXTURES = frozenset({"cyclone_client", "cyclone_clock", "cyclone_server"})
#: Marks of plugins that run asynchronous tests in their own way.
OTHERS = ("anyio", "asyncio", "trio", "twisted", "tornado", "curio")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("cyclone")
    group.addoption(
        "--cyclone-reactor",
        metavar="NAME",
        help="the Twisted reactor to install: asyncio, select, epoll, poll, kqueue",
    )
    parser.addini("cyclone_reactor", "the Twisted reactor to install (default: none)", default="")
    parser.addini(
        "cyclone_mode",
        "auto: run every async test that no other plugin claims under the reactor; "
        "strict (default): those that use a cyclone fixture or are marked cyclone",
        default="strict",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark; install a reactor if that was asked for."""
    config.addinivalue_line(
        "markers",
        "cyclone(timeout=seconds): run this async test under Twisted's reactor",
    )
    if config.getini("cyclone_mode") not in ("auto", "strict"):
        raise pytest.UsageError("cyclone_mode is auto or strict")
    name = config.getoption("--cyclone-reactor") or config.getini("cyclone_reactor")
    if name:
        _install_reactor(name)


def _install_reactor(name: str) -> None:
    wanted = f"twisted.internet.{name}reactor"
    if "twisted.internet.reactor" in sys.modules:
        found = type(sys.modules["twisted.internet.reactor"]).__module__
        if found != wanted:
            raise pytest.UsageError(f"cannot install {wanted}: {found} is installed already")
        return
    from importlib import import_module

    try:
        import_module(wanted).install()
    except ImportError as error:
        raise pytest.UsageError(f"no such reactor: {name} ({error})") from None


def pytest_unconfigure() -> None:
    """The reactor's threads would keep the process alive."""
    module = sys.modules.get("cyclone.testing._reactor")
    if module is not None:
        module.stop_thread_pool()


def _is_ours(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function):
        return False
    if item.get_closest_marker("cyclone") is not None:
        return True
    if any(item.get_closest_marker(name) is not None for name in OTHERS):
        return False
    if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        return True
    return bool(item.config.getini("cyclone_mode") == "auto")


@pytest.hookimpl
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object:
    """Run an ``async def`` test to its end in the reactor."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function) or not _is_ours(pyfuncitem):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    _run(functools.partial(function, **arguments), pyfuncitem)
    return True


def _run(function: Callable[[], Any], item: pytest.Item) -> Any:
    from ._reactor import get_async_test_timeout, run_sync

    mark = item.get_closest_marker("cyclone")
    timeout = mark.kwargs.get("timeout") if mark is not None else None
    return run_sync(function, get_async_test_timeout() if timeout is None else timeout)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Run ``async def`` fixtures of tests that are ours in the reactor, too."""
    function = fixturedef.func
    asynchronous = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    item = request.node
    if not asynchronous or not isinstance(item, pytest.Function) or not _is_ours(item):
        return (yield)
    fixturedef.func = _synchronous(function, item, request)  # type: ignore[misc]
    try:
        return (yield)
    finally:
        fixturedef.func = function  # type: ignore[misc]


def _synchronous(
    function: Callable[..., Any], item: pytest.Item, request: pytest.FixtureRequest
) -> Callable[..., Any]:
    """The same fixture, for a caller who does not await."""

    @functools.wraps(function)
    def fixture(*args: Any, **kwargs: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            return _run(lambda: function(*args, **kwargs), item)
        generator = function(*args, **kwargs)
        value = _run(generator.__anext__, item)

        def finish() -> None:
            try:
                _run(generator.__anext__, item)
            except StopAsyncIteration:
                return
            raise RuntimeError(f"the fixture {function.__qualname__} yielded twice")

        request.addfinalizer(finish)
        return value

    return fixture


@pytest.fixture
def cyclone_clock() -> VirtualClock:
    """The time of `cyclone_client` and `cyclone_server`: ``cyclone_clock.advance(seconds)``."""
    from ._clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def cyclone_client(
    request: pytest.FixtureRequest, cyclone_clock: VirtualClock
) -> Iterator[ClientFactory]:
    """Clients in memory: ``client = cyclone_client(app)``, then ``await client.get("/")``.

    If there is a fixture ``cyclone_app``, ``cyclone_client`` itself is a client of that.
    """
    from ._fixtures import ClientFactory

    factory = ClientFactory(_app_of(request), cyclone_clock)
    yield factory
    factory.close()


@pytest.fixture
def cyclone_server(
    request: pytest.FixtureRequest, cyclone_clock: VirtualClock
) -> Iterator[ServerFactory]:
    """Servers on real ports: ``server = cyclone_server(app)``, ``await server.fetch("/")``.

    If there is a fixture ``cyclone_app``, ``cyclone_server`` itself is a server of that. The
    server's timeouts run on ``cyclone_clock``; ``cyclone_server(app, clock=None)`` takes real time.
    """
    from ._fixtures import ServerFactory

    factory = ServerFactory(_app_of(request), cyclone_clock)
    yield factory
    if factory.running:
        _run(factory.stop, request.node)


def _app_of(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """A function for the value of the fixture ``cyclone_app``."""
    return lambda: request.getfixturevalue("cyclone_app")
