"""Awaited values: places and async templates, under asyncio, Deferreds and no loop at all."""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from typing import Any

import pytest

from cyclone.template import DictLoader, Rendering, Template, TemplateError


class Fired:
    """An awaitable that has its result already."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, object]:
        yield from ()
        return self.value


def run_without_a_loop(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    with pytest.raises(StopIteration) as info:
        coroutine.send(None)
    result: bytes = info.value.value
    return result


async def later(value: object, delay: float = 0.02, error: Exception | None = None) -> object:
    await asyncio.sleep(delay)
    if error is not None:
        raise error
    return value


async def numbers() -> AsyncIterator[int]:
    yield 1
    yield 2


class Manager:
    async def __aenter__(self) -> str:
        return "in"

    async def __aexit__(self, *exc_info: object) -> None:
        pass


def _kwargs() -> dict[str, Any]:
    return {
        "a": Fired("<a>"),
        "b": Fired(b"<b>"),
        "n": Fired(5),
        "up": lambda value: value.upper(),
        "numbers": numbers,
        "manager": Manager,
        "same": lambda value: value,
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x{{ a }}y{{ n }}", "x&lt;a&gt;y5"),
        ("{% raw a %}{% raw b %}", "<a><b>"),
        ("{{ b }}", "&lt;b&gt;"),
        ("{% autoescape url_escape %}{{ a }}", "%3Ca%3E"),
        ("{% autoescape up %}{{ a }}", "<A>"),
        ("{% module M() %}", "<m>"),
        ("{% apply up %}x{{ a }}{% end %}", "X&LT;A&GT;"),
        ("{% apply up %}x{% apply same %}{{ a }}{% end %}{% end %}", "X&LT;A&GT;"),
        ("{% for x in [a, b] %}{{ x }}{% end %}", "&lt;a&gt;&lt;b&gt;"),
        ("{% for x in ['s', n] %}{{ x }}{% end %}", "s5"),
        ("{{ twice }}", "5"),
        ("{{ await n + 1 }}", "6"),
        ("{% set x = await n %}{{ x }}", "5"),
        ("{% if await n == 5 %}yes{% else %}no{% end %}", "yes"),
        ("{% async for i in numbers() %}{{ i }},{% end %}", "1,2,"),
        ("{% async with manager() as m %}{{ m }}{% end %}", "in"),
        ("{% apply up %}{{ await a }}{% end %}", "&LT;A&GT;"),
        ("{% apply up %}{% apply same %}{{ await a }}{% end %}{% end %}{{ n }}", "&LT;A&GT;5"),
        ("{{ [await n for _ in 'ab'] }}", "[5, 5]"),
        ("{{ 'await' }}", "await"),
        ("{% raw f(await n) %}", "<5>"),
    ],
)
def test_every_place(source: str, expected: str) -> None:
    kwargs = _kwargs() | {"f": lambda value: f"<{value}>", "twice": Fired(Fired(5))}
    kwargs["_tt_modules"] = type("Modules", (), {"M": staticmethod(lambda: Fired("<m>"))})
    template = Template(source)
    assert run_without_a_loop(template.generate_async(**kwargs)).decode() == expected
    assert asyncio.run(template.generate_async(**kwargs)).decode() == expected


def test_coroutines_run_concurrently_under_asyncio() -> None:
    template = Template("{% for i in range(10) %}{{ later(i) }}{% end %}")
    start = time.perf_counter()
    assert asyncio.run(template.generate_async(later=later)) == b"0123456789"
    assert time.perf_counter() - start < 0.15


def test_the_first_failure_cancels_the_rest_and_names_its_line() -> None:
    cancelled = []

    async def slow() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    template = Template("{{ a }}\n{{ b }}\n{{ c }}", name="t.html")

    async def main() -> None:
        boom = ValueError("boom")
        await template.generate_async(a=slow(), b=later(1, 0.01, boom), c=slow())

    start = time.perf_counter()
    with pytest.raises(ValueError, match="boom") as info:
        asyncio.run(main())
    assert time.perf_counter() - start < 5
    assert cancelled == [True, True]
    text = "".join(traceback.format_exception(info.value))
    assert 'File "t.html", line 2' in text
    assert "in the template at t.html:2" in text


def test_cancelling_the_whole_cancels_every_place() -> None:
    async def main() -> list[bool]:
        tasks = [asyncio.ensure_future(later(i, 30)) for i in range(3)]
        template = Template("{% for t in tasks %}{{ t }}{% end %}")
        whole = asyncio.ensure_future(template.generate_async(tasks=tasks))
        await asyncio.sleep(0)
        whole.cancel()
        await asyncio.gather(whole, return_exceptions=True)
        await asyncio.sleep(0)
        return [task.cancelled() for task in tasks]

    assert asyncio.run(main()) == [True, True, True]


def test_an_error_in_an_async_template_has_its_lines() -> None:
    template = Template("\n{% set x = await a %}\n{{ 1 / x }}", name="t")
    with pytest.raises(ZeroDivisionError) as info:
        run_without_a_loop(template.generate_async(a=Fired(0)))
    assert 'File "t", line 3' in "".join(traceback.format_exception(info.value))


def test_an_error_in_the_function_of_an_apply_has_its_line() -> None:
    template = Template("\n{% apply f %}{{ a }}{% end %}", name="t")
    with pytest.raises(ZeroDivisionError) as info:
        run_without_a_loop(template.generate_async(a=Fired(0), f=lambda value: 1 / 0))
    assert "in the template at t:2" in info.value.__notes__[0]


class TestBegin:
    def test_nothing_pending(self) -> None:
        rendering = Template("{{ x }}").begin({"x": "<"})
        assert isinstance(rendering, Rendering)
        assert not rendering.pending
        assert rendering.result() == b"&lt;"
        assert run_without_a_loop(rendering.complete()) == b"&lt;"

    def test_result_names_the_line_of_what_is_pending(self) -> None:
        rendering = Template("\n{{ x }}", name="t").begin({"x": Fired(1)})
        assert rendering.pending
        with pytest.raises(TemplateError, match="awaited at t:2"):
            rendering.result()

    def test_an_async_template_is_pending_from_the_start(self) -> None:
        rendering = Template("\n{{ await x }}", name="t").begin({"x": Fired(1)})
        assert rendering.pending
        with pytest.raises(TemplateError, match="awaited at t:2"):
            rendering.result()

    def test_spawn_starts_what_is_met(self) -> None:
        met: list[object] = []

        def spawn(awaitable: Awaitable[object]) -> Awaitable[object]:
            met.append(awaitable)
            return Fired(len(met))

        first, second = Fired("a"), Fired("b")
        rendering = Template("{{ a }}{{ b }}").begin({"a": first, "b": second}, spawn)
        assert met == [first, second]
        assert run_without_a_loop(rendering.complete()) == b"12"
        assert not rendering.pending

    def test_an_error_cancels_what_was_started(self) -> None:
        class Started(Fired):
            cancelled = False

            def cancel(self) -> None:
                self.cancelled = True

        started = Started(1)
        with pytest.raises(ZeroDivisionError):
            Template("{{ a }}{{ 1/0 }}").begin({"a": started})
        assert started.cancelled

    def test_close_leaves_no_coroutine_unawaited(self) -> None:
        rendering = Template("{{ a }}").begin({"a": later(1)})
        rendering.close()
        assert not rendering.pending

    def test_the_namespace_is_not_copied(self) -> None:
        class Seen(dict[str, object]):
            def keys(self) -> Any:
                raise AssertionError("copied")

        assert Template("{{ x }}").begin(Seen(x=1)).result() == b"1"


def test_a_value_cannot_pretend_to_be_a_place() -> None:
    seen: list[str] = []

    class Spy:
        def __str__(self) -> str:
            return "\x00" + "0" * 32 + ":0;"

    template = Template("{{ spy }}{{ a }}{{ spy }}")
    output = run_without_a_loop(template.generate_async(spy=Spy(), a=Fired("x")))
    assert output.count(b"x") == 1
    assert seen == []


def test_places_in_included_files_and_blocks() -> None:
    files = {
        "base": "{% block a %}{% end %}{% include part %}",
        "part": "[{{ p }}]",
        "page": "{% extends base %}{% block a %}{{ q }}{% end %}",
    }
    coroutine = DictLoader(files).load("page").generate_async(p=Fired(1), q=Fired(2))
    assert run_without_a_loop(coroutine) == b"2[1]"


class FakeDeferred:
    """As much of a Deferred as a template meets."""

    def __init__(self) -> None:
        self.errbacks: list[Callable[[Any], object]] = []
        self.cancelled = False

    def addErrback(self, errback: Callable[[Any], object]) -> None:
        self.errbacks.append(errback)

    def cancel(self) -> None:
        self.cancelled = True

    def __await__(self) -> Generator[Any, Any, object]:
        return (yield self)


def test_a_failing_deferred_cancels_the_others_at_once() -> None:
    first, second = FakeDeferred(), FakeDeferred()
    rendering = Template("{{ a }}\n{{ b }}", name="t").begin({"a": first, "b": second})
    coroutine = rendering.complete()
    assert coroutine.send(None) is first
    failure = type("Failure", (), {"value": ValueError("boom")})()
    assert second.errbacks[0](failure) is failure
    assert first.cancelled
    with pytest.raises(ValueError, match="boom") as info:
        coroutine.throw(asyncio.CancelledError())
    assert "in the template at t:2" in info.value.__notes__[0]
    assert second.errbacks[-1](failure) is None


def test_real_deferreds() -> None:
    defer = pytest.importorskip("twisted.internet.defer")
    first, second = defer.Deferred(), defer.succeed(b"<2>")
    template = Template("{{ a }}-{% raw b %}-{% apply up %}{{ b2 }}{% end %}")
    kwargs = {"a": first, "b": second, "b2": defer.succeed("x"), "up": lambda v: v.upper()}
    done: list[object] = []
    result = defer.Deferred.fromCoroutine(template.generate_async(**kwargs))
    result.addCallback(done.append)
    assert done == []
    first.callback("<1>")
    assert done == [b"&lt;1&gt;-<2>-X"]
