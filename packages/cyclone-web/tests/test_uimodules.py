"""UI modules and methods: collecting them, their assets, waiting for them all at once."""

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock, deferLater

from cyclone.template import DictLoader
from cyclone.web import RequestHandler, TemplateModule, UIModule
from cyclone.web._uimodules import load_ui_methods, load_ui_modules


class One(UIModule):
    """A module."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        return f"<b>{args}{kwargs}</b>"


class Two(One):
    """Another."""


def a_module(**names: object) -> types.ModuleType:
    module = types.ModuleType("parts")
    vars(module).update(names)
    return module


# --- collecting ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        {"One": One, "Two": Two, "other": 1, "Class": str},
        a_module(One=One, Two=Two, helper=len, path="x"),
        [{"One": One}, a_module(Two=Two)],
        [[{"One": One}], {"Two": Two}],
        ({"One": One}, {"Two": Two}),
    ],
    ids=["mapping", "module", "list", "nested", "tuple"],
)
def test_ui_modules_from(source: Any) -> None:
    found = load_ui_modules(source)
    assert set(found) == {"One", "Two", "linkify", "xsrf_form_html", "Template"}
    assert found["Two"] is Two


@pytest.mark.parametrize("source", [1, object(), "name"], ids=["number", "object", "text"])
def test_what_holds_no_names(source: Any) -> None:
    with pytest.raises(TypeError, match="modules, dicts or lists"):
        load_ui_modules(source)


def test_a_ui_module_may_replace_a_built_in_one() -> None:
    assert load_ui_modules({"linkify": One})["linkify"] is One


def test_ui_methods_from() -> None:
    def greet(handler: RequestHandler) -> str:
        return "hello"

    source = {"greet": greet, "_hidden": greet, "Upper": greet, "number": 1}
    for given in (source, a_module(**source), [source]):
        assert load_ui_methods(given) == {"greet": greet}
    assert load_ui_methods(None) == {}


# --- in a page --------------------------------------------------------------------------------

PAGE = "<html><head></head><body>{body}</body></html>"

Serve = Callable[..., Any]


def fetch(serve: Serve, templates: dict[str, str], **settings: Any) -> Any:
    class Page(RequestHandler):
        def get(self) -> None:
            self.render("page.html", entries=[1, 2])

    return serve([("/", Page)], template_loader=DictLoader(templates), **settings).fetch(uri="/")


def test_modules_get_their_arguments_and_are_not_escaped(serve: Serve) -> None:
    template = "{% module One(1, 'a', x=2) %}|{{ modules.One() }}|{% raw _modules.One() %}"
    response = fetch(serve, {"page.html": template}, ui_modules={"One": One})
    assert response.text == (
        "<b>(1, &#39;a&#39;){&#39;x&#39;: 2}</b>|".replace("&#39;", "'")
        + "&lt;b&gt;(){}&lt;/b&gt;|<b>(){}</b>"
    )


def test_an_unknown_module_is_an_error(serve: Serve) -> None:
    assert fetch(serve, {"page.html": "{% module Missing() %}"}).status == 500


def test_methods_and_modules_know_their_handler(serve: Serve) -> None:
    class Mine(UIModule):
        def render(self, x: int) -> str:
            assert self.request is self.handler.request
            return f"module {x} {self.current_user} {self.locale.code} {self.ui.greet('m')}"

    class Page(RequestHandler):
        def get_current_user(self) -> str:
            return "Ben"

        def get(self) -> None:
            self.render("page.html")

    def greet(handler: RequestHandler, name: str) -> str:
        return f"{handler.current_user} greets {name}"

    client = serve(
        [("/", Page)],
        template_loader=DictLoader({"page.html": "{{ greet('t') }}, {% module Mine(1) %}"}),
        ui_methods={"greet": greet},
        ui_modules={"Mine": Mine},
    )
    assert client.fetch(uri="/").text == "Ben greets t, module 1 Ben en_US Ben greets m"


def test_the_user_is_not_asked_for_by_a_module_that_does_not_use_it(serve: Serve) -> None:
    class Page(RequestHandler):
        asked = False

        def get_current_user(self) -> None:
            self.asked = True

        def get(self) -> None:
            self.render_string("page.html")
            self.finish(str(self.asked))

    loader = DictLoader({"page.html": "{% module One() %}"})
    client = serve([("/", Page)], template_loader=loader, ui_modules={"One": One})
    assert client.fetch(uri="/").text == "False"


def test_built_in_modules(serve: Serve) -> None:
    template = "{% module linkify('http://example.com') %}{% module xsrf_form_html() %}"
    text = fetch(serve, {"page.html": template}).text
    assert text.startswith(
        '<a href="http://example.com">http://example.com</a><input type="hidden"'
    )


def test_resources_of_templates(serve: Serve) -> None:
    templates = {
        "page.html": PAGE.format(
            body='\n{% for e in entries %}{% module Template("entry.html", entry=e) %}{% end %}'
        ),
        "entry.html": """{{ set_resources(embedded_css=".entry {}", embedded_javascript="go()",
            css_files=["/base.css", "/foo.css"], javascript_files="/common.js",
            html_head="<meta>", html_body="<hr>") }}<p>{{ entry }}</p>""",
    }
    assert fetch(serve, templates).text == (
        '<html><head><link href="/base.css" type="text/css" rel="stylesheet"/>'
        '<link href="/foo.css" type="text/css" rel="stylesheet"/>\n'
        '<style type="text/css">\n.entry {}\n</style>\n'
        "<meta>\n"
        "</head><body>\n<p>1</p><p>2</p>"
        '<script src="/common.js" type="text/javascript"></script>\n'
        '<script type="text/javascript">\n//<![CDATA[\ngo()\n//]]>\n</script>\n'
        "<hr>\n"
        "</body></html>"
    )


def test_other_resources_for_the_same_template(serve: Serve) -> None:
    templates = {
        "page.html": "{% for e in entries %}{% module Template('e.html', e=e) %}{% end %}",
        "e.html": "{{ set_resources(html_head=str(e)) }}",
    }
    assert fetch(serve, templates).status == 500


class Assets(UIModule):
    """Everything a module can bring along."""

    def render(self) -> str:
        return "x"

    def embedded_javascript(self) -> bytes:
        return b"js()"

    def javascript_files(self) -> Iterable[str]:
        return ["a.js", "https://cdn.example/b.js", "a.js"]

    def embedded_css(self) -> str:
        return "i {}"

    def css_files(self) -> str:
        return "/<&>.css"

    def html_head(self) -> str:
        return "<meta>"

    def html_body(self) -> str:
        return "<hr>"


class AssetPage(RequestHandler):
    """Shows one module, and makes its links in its own way."""

    def get(self) -> None:
        self.render("page.html")

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        return f"/static/{path}?v=1"


def test_assets_of_a_module_used_twice_come_once(serve: Serve) -> None:
    page = PAGE.format(body="{% module Assets() %}{% module Assets() %}")
    client = serve(
        [("/", AssetPage)],
        template_loader=DictLoader({"page.html": page}),
        ui_modules={"Assets": Assets},
    )
    assert client.fetch(uri="/").text == (
        '<html><head><link href="/&lt;&amp;&gt;.css" type="text/css" rel="stylesheet"/>\n'
        '<style type="text/css">\ni {}\n</style>\n<meta>\n'
        "</head><body>xx"
        '<script src="/static/a.js?v=1" type="text/javascript"></script>'
        '<script src="https://cdn.example/b.js" type="text/javascript"></script>\n'
        '<script type="text/javascript">\n//<![CDATA[\njs()\n//]]>\n</script>\n'
        "<hr>\n</body></html>"
    )


def test_a_page_without_head_and_body_gets_its_assets_around(serve: Serve) -> None:
    client = serve(
        [("/", AssetPage)],
        template_loader=DictLoader({"page.html": "<p>{% module Assets() %}</p>"}),
        ui_modules={"Assets": Assets},
    )
    text = client.fetch(uri="/").text
    assert text.startswith("<link ")
    assert text.endswith("<hr>\n")


def test_an_error_page_has_not_the_assets_of_the_page_that_failed(serve: Serve) -> None:
    class Page(AssetPage):
        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.render("error.html")

    page = PAGE.format(body="{% module Assets() %}{{ 1 / 0 }}")
    error = PAGE.format(body="sorry")
    client = serve(
        [("/", Page)],
        template_loader=DictLoader({"page.html": page, "error.html": error}),
        ui_modules={"Assets": Assets},
    )
    assert client.fetch(uri="/").text == error


def test_the_way_assets_are_written_can_be_overridden(serve: Serve) -> None:
    class Page(AssetPage):
        def render_linked_js(self, js_files: Iterable[str]) -> str:
            return "LJ" + ",".join(js_files)

        def render_embed_js(self, js_embed: Iterable[bytes]) -> bytes:
            return b"EJ" + b",".join(js_embed)

        def render_linked_css(self, css_files: Iterable[str]) -> str:
            return "LC" + ",".join(css_files)

        def render_embed_css(self, css_embed: Iterable[bytes]) -> bytes:
            return b"EC" + b",".join(css_embed)

    client = serve(
        [("/", Page)],
        template_loader=DictLoader({"page.html": PAGE.format(body="{% module Assets() %}")}),
        ui_modules={"Assets": Assets},
    )
    assert client.fetch(uri="/").text == (
        "<html><head>LC/<&>.css\nECi {}\n<meta>\n</head><body>x"
        "LJa.js,https://cdn.example/b.js,a.js\nEJjs()\n<hr>\n</body></html>"
    )


# --- modules that wait ---------------------------------------------------------------------


class Slow(UIModule):
    """Waits on the test's clock."""

    clock: Clock
    log: list[str]

    async def render(self, number: int, seconds: float = 0.05) -> str:
        self.log.append(f"start {number}")
        try:
            await deferLater(self.clock, seconds)
        except BaseException as error:
            self.log.append(f"{type(error).__name__} {number}")
            raise
        if seconds < 0.05:
            raise ValueError(f"module {number} fails")
        return f"<{number}>"


class SlowDeferred(Slow):
    """The same with a Deferred."""

    def render(self, number: int, seconds: float = 0.05) -> Deferred[str]:  # type: ignore[override]
        self.log.append(f"start {number}")
        return deferLater(self.clock, seconds, lambda: f"<{number}>")


@pytest.fixture
def slow(clock: Clock) -> dict[str, type[UIModule]]:
    log: list[str] = []
    names = {"clock": clock, "log": log}
    return {
        "Slow": type("Slow", (Slow,), names),
        "SlowDeferred": type("SlowDeferred", (SlowDeferred,), names),
    }


class WaitingPage(RequestHandler):
    """Renders and returns at once."""

    def get(self) -> None:
        self.render("page.html")


class AwaitingPage(RequestHandler):
    """Renders and waits for it."""

    async def get(self) -> None:
        await self.render("page.html")


class ReturningPage(RequestHandler):
    """Renders and returns the Deferred."""

    def get(self) -> Deferred[None]:
        return self.render("page.html")


PAGES = pytest.mark.parametrize("page", [WaitingPage, AwaitingPage, ReturningPage])


@PAGES
@pytest.mark.parametrize("name", ["Slow", "SlowDeferred"])
def test_ten_modules_of_50_ms_take_50_ms(
    name: str,
    page: type[RequestHandler],
    serve: Serve,
    clock: Clock,
    slow: dict[str, type[UIModule]],
) -> None:
    body = "{% for n in range(10) %}{% module " + name + "(n) %},{% end %}"
    loader = DictLoader({"page.html": PAGE.format(body=body)})
    client = serve([("/", page)], template_loader=loader, ui_modules=slow)
    connection = client.start(uri="/")
    assert slow[name].log == [f"start {n}" for n in range(10)]  # type: ignore[attr-defined]
    clock.advance(0.049)
    assert connection.received == b""
    clock.advance(0.002)
    (response,) = connection.responses()
    assert response.status == 200
    assert response.text == PAGE.format(body="".join(f"<{n}>," for n in range(10)))


@PAGES
def test_the_first_failure_cancels_the_rest_and_names_the_line(
    page: type[RequestHandler],
    serve: Serve,
    clock: Clock,
    slow: dict[str, type[UIModule]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    template = "{% module Slow(1) %}\n\n{% module Slow(2, 0.01) %}\n{% module Slow(3) %}"
    client = serve(
        [("/", page)], template_loader=DictLoader({"page.html": template}), ui_modules=slow
    )
    connection = client.start(uri="/")
    clock.advance(0.011)
    (response,) = connection.responses()
    assert response.status == 500
    log = slow["Slow"].log  # type: ignore[attr-defined]
    assert sorted(log[3:]) == ["CancelledError 1", "CancelledError 3"]
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len([record for record in errors if record.name == "cyclone.application"]) == 1
    assert "module 2 fails" in caplog.text
    assert "page.html:3" in caplog.text


def test_assets_of_modules_that_wait(serve: Serve, clock: Clock) -> None:
    class Late(Assets):
        async def render(self) -> str:  # type: ignore[override]
            await deferLater(clock, 1)
            return "late"

    client = serve(
        [("/", AssetPage)],
        template_loader=DictLoader({"page.html": PAGE.format(body="{% module Late() %}")}),
        ui_modules={"Late": Late},
    )
    connection = client.start(uri="/")
    clock.advance(1)
    (response,) = connection.responses()
    assert "late<script" in response.text


def test_a_template_module_may_wait_inside(
    serve: Serve, clock: Clock, slow: dict[str, type[UIModule]]
) -> None:
    templates = {
        "page.html": "{% module Template('a.html') %}{% module Template('b.html') %}",
        "a.html": "a{% module Slow(1) %}",
        "b.html": "b{% module Slow(2) %}{{ set_resources(html_body='end') }}",
    }
    client = serve([("/", WaitingPage)], template_loader=DictLoader(templates), ui_modules=slow)
    connection = client.start(uri="/")
    clock.advance(0.051)
    (response,) = connection.responses()
    assert response.text == "a<1>b<2>end\n"


def test_a_module_may_render_a_template_that_waits(
    serve: Serve, clock: Clock, slow: dict[str, type[UIModule]]
) -> None:
    class Outer(UIModule):
        def render(self) -> Deferred[bytes]:
            return self.render_string_async("inner.html", title="<t>")

    templates = {
        "page.html": "{% module Outer() %}{% module Slow(1) %}",
        "inner.html": "{{ title }}{% module Slow(2) %}",
    }
    modules = {"Outer": Outer, **slow}
    client = serve([("/", WaitingPage)], template_loader=DictLoader(templates), ui_modules=modules)
    connection = client.start(uri="/")
    clock.advance(0.051)
    (response,) = connection.responses()
    assert response.text == "&lt;t&gt;<2><1>"


@pytest.mark.parametrize("result", [succeed("done"), succeed(b"done")], ids=["str", "bytes"])
def test_a_deferred_that_has_fired_costs_no_wait(result: Deferred[Any], serve: Serve) -> None:
    class Done(UIModule):
        def render(self) -> Awaitable[Any]:
            return result

    assert (
        fetch(serve, {"page.html": "{% module Done() %}"}, ui_modules={"Done": Done}).text == "done"
    )


def test_a_deferred_that_has_failed(serve: Serve) -> None:
    class Failed(UIModule):
        def render(self) -> Deferred[str]:
            return fail(ValueError("no"))

    response = fetch(serve, {"page.html": "{% module Failed() %}"}, ui_modules={"Failed": Failed})
    assert response.status == 500


def test_template_module_is_public() -> None:
    assert issubclass(TemplateModule, UIModule)


# Two modules, one of each world, in a page of a real server.
ASYNCIO = """
import asyncio, sys
from twisted.internet import asyncioreactor
asyncioreactor.install()
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.web.client import Agent, readBody
from cyclone.template import DictLoader
from cyclone.web import Application, RequestHandler, UIModule

class FromAsyncio(UIModule):
    async def render(self):
        await asyncio.gather(asyncio.sleep(0.01), deferLater(reactor, 0.01))
        return f"{asyncio.current_task() is not None},"

class FromTwisted(UIModule):
    def render(self):
        return deferLater(reactor, 0.01, lambda: "twisted,")

class Failing(UIModule):
    async def render(self):
        await asyncio.sleep(0.01)
        raise ValueError("no")

class Page(RequestHandler):
    async def get(self, name):
        await self.render(name)

page = "{% module FromAsyncio() %}{% module FromTwisted() %}{{ await handler.wait() }}"
Page.wait = lambda self: asyncio.sleep(0.01, "slept")
application = Application(
    [("/(.*)", Page)],
    template_loader=DictLoader({"good": page, "bad": page + "{% module Failing() %}"}),
    ui_modules=[{"FromAsyncio": FromAsyncio, "FromTwisted": FromTwisted, "Failing": Failing}],
)

async def main():
    port = reactor.listenTCP(0, application, interface="127.0.0.1")
    for name in ("good", "bad"):
        url = f"http://127.0.0.1:{port.getHost().port}/{name}"
        response = await Agent(reactor).request(b"GET", url.encode())
        print(response.code, (await readBody(response)).decode()[:30])
    reactor.stop()

reactor.callWhenRunning(lambda: asyncio.ensure_future(run()))
async def run():
    from twisted.internet.defer import Deferred
    await Deferred.fromCoroutine(main()).asFuture(asyncio.get_running_loop())
reactor.run()
"""


def test_modules_of_both_worlds_under_the_asyncio_reactor() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASYNCIO],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines[:1] == ["200 True,twisted,slept"], done.stderr
    assert lines[1].startswith("500 ")
    assert "ValueError: no" in done.stderr
