"""Rendering in handlers: loaders, names, sync and async pages, failures."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater

from cyclone.httpserver import HTTPServerRequest
from cyclone.template import BaseLoader, DictLoader, Template, TemplateError
from cyclone.web import HTTPError, RequestHandler, TemplateModule
from cyclone.web._rendering import MAX_TEMPLATE_LOADERS

Serve = Callable[..., Any]


class Page(RequestHandler):
    """Renders page.html."""

    def get(self) -> None:
        self.render("page.html", title="<t>")


def page(serve: Serve, template: str, handler: type[RequestHandler] = Page, **settings: Any) -> Any:
    loader = DictLoader({"page.html": template, "other.html": "other"})
    return serve([("/", handler)], template_loader=loader, **settings)


def test_render_finishes(serve: Serve) -> None:
    response = page(serve, "<h1>{{ title }}</h1>").fetch(uri="/")
    assert response.text == "<h1>&lt;t&gt;</h1>"
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "Etag" in response.headers
    assert response.headers.get("Vary") is None


def test_render_after_finish(serve: Serve) -> None:
    seen: list[object] = []

    class Twice(RequestHandler):
        def get(self) -> None:
            seen.append(self.render("page.html"))
            try:
                self.render("page.html")
            except RuntimeError as error:
                seen.append(str(error))

    assert page(serve, "x", Twice).fetch(uri="/").text == "x"
    assert isinstance(seen[0], Deferred)
    assert seen[0].called
    assert seen[1] == "Cannot render() after finish()"


NAMES = [
    ("{{ handler.__class__.__name__ }}", "Page"),
    ("{{ request.path }}", "/"),
    ("{{ current_user }}", "None"),
    ("{{ locale.code }}", "en_US"),
    ("{{ _('hello') }}", "hello"),
    ("{{ _('one', 'many', 2) }}", "many"),
    ("{{ pgettext('menu', 'open') }}", "open"),
    ("{{ reverse_url('home') }}", "/"),
    ("{{ static_url('x.css', include_version=False) }}", "/static/x.css"),
    ("{% raw xsrf_form_html()[:20] %}", '<input type="hidden"'),
    ("{{ escape('&') }}", "&amp;amp;"),
    ("{% raw json_encode([1]) %}", "[1]"),
    ("{{ url_escape('a b') }}", "a+b"),
    ("{{ squeeze(' a  b ') }}", "a b"),
    ("{{ datetime.datetime(2020, 1, 2).year }}", "2020"),
    ("{{ modules.linkify('x') }}", "x"),
    ("{{ _modules.linkify('x') }}", "x"),
]


@pytest.mark.parametrize(("template", "text"), NAMES, ids=[name for name, _ in NAMES])
def test_names(template: str, text: str, serve: Serve, tmp_path: Path) -> None:
    loader = DictLoader({"page.html": template})
    client = serve([("/", Page, {}, "home")], template_loader=loader, static_path=str(tmp_path))
    assert client.fetch(uri="/").text == text


def test_user_and_locale_are_worked_out_only_when_used(serve: Serve) -> None:
    class Lazy(Page):
        def get_current_user(self) -> None:
            raise AssertionError("nobody asked")

        def get_user_locale(self) -> None:
            raise AssertionError("nobody asked")

    assert page(serve, "{{ title }}", Lazy).fetch(uri="/").status == 200
    assert page(serve, "{{ current_user }}", Lazy).fetch(uri="/").status == 500


def test_get_template_namespace_can_be_overridden(serve: Serve) -> None:
    class More(Page):
        def get_template_namespace(self) -> dict[str, Any]:
            namespace = super().get_template_namespace()
            namespace["more"] = "more " + namespace["locale"].code
            namespace["title"] = "hidden"
            return {**namespace}

    assert page(serve, "{{ more }} {{ title }}", More).fetch(uri="/").text == "more en_US &lt;t&gt;"


def test_a_key_error_in_get_current_user_is_not_a_missing_name(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Page):
        def get_current_user(self) -> object:
            session: dict[str, str] = {}
            return session["user"]

    assert page(serve, "{{ current_user }}", Broken).fetch(uri="/").status == 500
    assert "KeyError: 'user'" in caplog.text


def test_an_http_error_in_a_template_keeps_its_status(serve: Serve) -> None:
    def teapot(handler: RequestHandler) -> None:
        raise HTTPError(418)

    client = page(serve, "{{ teapot() }}", ui_methods={"teapot": teapot})
    assert client.fetch(uri="/").status == 418


def test_render_string(serve: Serve) -> None:
    class String(RequestHandler):
        def get(self) -> None:
            html = self.render_string("page.html", title=1)
            assert type(html) is bytes
            self.write(b"[" + html + b"]")

    assert page(serve, "{{ title }}", String).fetch(uri="/").text == "[1]"


# --- pages that wait -------------------------------------------------------------------------


def later(clock: Clock, value: object, seconds: float = 1) -> Callable[..., Deferred[object]]:
    def answer() -> object:
        if isinstance(value, Exception):
            raise value
        return value

    return lambda handler: deferLater(clock, seconds, answer)


def test_render_string_refuses_to_wait_and_says_where(
    serve: Serve, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class String(RequestHandler):
        def get(self) -> None:
            try:
                self.render_string("page.html")
            except TemplateError as error:
                self.finish(str(error))

    client = page(serve, "\n\n{{ later() }}", String, ui_methods={"later": later(clock, "x")})
    text = client.fetch(uri="/").text
    assert "page.html" in text
    assert "3" in text


@pytest.mark.parametrize(
    "template",
    [
        "a{{ later() }}b",
        "a{% raw later() %}b",
        "a{{ await later() }}b",
        "a{% set x = await later() %}{{ x }}b",
        "{% apply squeeze %}a{{ await later() }}b{% end %}",
    ],
)
def test_render_string_async(template: str, serve: Serve, clock: Clock) -> None:
    class String(RequestHandler):
        async def get(self) -> None:
            html = self.render_string_async("page.html")
            assert isinstance(html, Deferred)
            self.write(await html)

    connection = page(serve, template, String, ui_methods={"later": later(clock, "&")}).start()
    clock.advance(1)
    (response,) = connection.responses()
    assert response.text.replace("&amp;", "&") == "a&b"


def test_render_string_async_of_a_page_that_does_not_wait(serve: Serve) -> None:
    class String(RequestHandler):
        async def get(self) -> None:
            self.write(await self.render_string_async("page.html", title=2))

    assert page(serve, "{{ title }}", String).fetch(uri="/").text == "2"


def test_a_failure_is_answered_although_nobody_waits(
    serve: Serve, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    client = page(serve, "\n{{ later() }}", ui_methods={"later": later(clock, ValueError("no"))})
    connection = client.start()
    clock.advance(1)
    (response,) = connection.responses()
    assert response.status == 500
    assert caplog.text.count("ValueError: no") == 1
    gc.collect()
    assert "Unhandled" not in caplog.text


def test_an_http_error_that_comes_late_keeps_its_status(serve: Serve, clock: Clock) -> None:
    client = page(serve, "{{ later() }}", ui_methods={"later": later(clock, HTTPError(410))})
    connection = client.start()
    clock.advance(1)
    assert connection.responses()[0].status == 410


def test_a_handler_may_answer_for_the_failure_itself(serve: Serve, clock: Clock) -> None:
    class Careful(RequestHandler):
        async def get(self) -> None:
            try:
                await self.render("page.html")
            except Exception:
                self.finish("sorry")

    methods = {"later": later(clock, ValueError("no"))}
    connection = page(serve, "{{ later() }}", Careful, ui_methods=methods).start()
    clock.advance(1)
    (response,) = connection.responses()
    assert (response.status, response.text) == (200, "sorry")


def test_an_error_page_may_wait(serve: Serve, clock: Clock) -> None:
    class Wrong(RequestHandler):
        def get(self) -> None:
            raise HTTPError(404)

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.render("page.html")

    connection = page(
        serve, "not {{ later() }}", Wrong, ui_methods={"later": later(clock, "here")}
    ).start()
    clock.advance(1)
    (response,) = connection.responses()
    assert (response.status, response.text) == (404, "not here")


def test_an_error_page_that_fails_late(serve: Serve, clock: Clock) -> None:
    class Wrong(RequestHandler):
        def get(self) -> None:
            raise HTTPError(404)

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.render("page.html")

    methods = {"later": later(clock, ValueError("no"))}
    connection = page(serve, "not {{ later() }}", Wrong, ui_methods=methods).start()
    clock.advance(1)
    clock.advance(1)
    (response,) = connection.responses()
    assert response.status == 404


@pytest.mark.parametrize("cancel", [True, False])
def test_the_client_goes_away_while_the_page_waits(
    cancel: bool, serve: Serve, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cancelled: list[object] = []
    # Else the collector gives up what nobody waits for, whenever it runs
    waiting: list[Deferred[str]] = []

    def method(handler: RequestHandler) -> Deferred[str]:
        waiting.append(Deferred(cancelled.append))
        return waiting[0]

    settings: dict[str, Any] = {"ui_methods": {"later": method}, "cancel_on_disconnect": cancel}
    connection = page(serve, "{{ later() }}", **settings).start()
    connection.lose()
    assert len(cancelled) == int(cancel)
    assert "Uncaught" not in caplog.text


def test_a_page_that_will_never_be_complete_is_dropped_in_silence(
    serve: Serve, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    given_up: list[object] = []

    def method(handler: RequestHandler) -> Deferred[str]:
        return Deferred(given_up.append)

    connection = page(serve, "{{ later() }}", ui_methods={"later": method}).start()
    connection.lose()
    del connection
    gc.collect()
    assert len(given_up) == 1
    assert "Uncaught" not in caplog.text
    assert "already executing" not in caplog.text + capsys.readouterr().err


# --- loaders ------------------------------------------------------------------------------------


def test_template_path(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("from {{ title }}", "utf-8")
    for path in (tmp_path, str(tmp_path)):
        assert serve([("/", Page)], template_path=path).fetch(uri="/").text == "from &lt;t&gt;"


def test_without_template_path_the_handlers_folder_counts(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_text("beside", "utf-8")
    (tmp_path / "beside_handlers.py").write_text(
        "from cyclone.web import RequestHandler\n"
        "class Page(RequestHandler):\n"
        "    def get(self):\n"
        "        self.render('page.html')\n",
        "utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    import beside_handlers  # type: ignore[import-not-found]

    assert serve([("/", beside_handlers.Page)]).fetch(uri="/").text == "beside"


def test_autoescape_and_whitespace_settings(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("a   b\n\n{{ title }}", "utf-8")

    def text(**settings: Any) -> str:
        client = serve([("/", Page)], template_path=str(tmp_path), **settings)
        result: str = client.fetch(uri="/").text
        return result

    assert text() == "a b\n&lt;t&gt;"
    assert text(autoescape=None) == "a b\n<t>"
    assert text(template_whitespace="all") == "a   b\n\n&lt;t&gt;"
    assert text(template_whitespace="oneline") == "a b &lt;t&gt;"


@pytest.mark.parametrize(
    ("settings", "second"),
    [
        ({}, "one"),
        ({"compiled_template_cache": False}, "two"),
        ({"debug": True, "autoreload": False}, "two"),
    ],
    ids=["cached", "no-cache", "debug"],
)
def test_compiled_templates(
    settings: dict[str, Any], second: str, serve: Serve, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    file.write_text("one", "utf-8")
    client = serve([("/", Page)], template_path=str(tmp_path), **settings)
    assert client.fetch(uri="/").text == "one"
    file.write_text("two", "utf-8")
    assert client.fetch(uri="/").text == second


def test_a_loader_is_reset_once_a_request(serve: Serve) -> None:
    class Counting(DictLoader):
        resets = 0

        def reset(self) -> None:
            self.resets += 1
            super().reset()

    class Twice(RequestHandler):
        def get(self) -> None:
            self.render_string("page.html")
            self.render("page.html")

    loader = Counting({"page.html": "x"})
    client = serve([("/", Twice)], template_loader=loader, compiled_template_cache=False)
    client.fetch(uri="/")
    client.fetch(uri="/")
    assert loader.resets == 2


def test_create_template_loader_is_asked_once_per_override(serve: Serve) -> None:
    made: list[str] = []

    class Mine(Page):
        def create_template_loader(self, template_path: str) -> BaseLoader:
            made.append(template_path)
            return DictLoader({"page.html": "mine"})

    class Also(Mine):
        pass

    loader = DictLoader({"page.html": "theirs"})
    handlers = [("/mine", Mine), ("/also", Also), ("/theirs", Page)]
    client = serve(handlers, template_loader=loader, template_path="somewhere")
    texts = [client.fetch(uri=path).text for path in ("/mine", "/also", "/mine", "/theirs")]
    assert texts == ["mine", "mine", "mine", "theirs"]
    assert made == ["somewhere"]


def test_two_applications_do_not_share_loaders(serve: Serve) -> None:
    for text in ("one", "two"):
        assert page(serve, text, template_path="same").fetch(uri="/").text == text


def test_the_number_of_loaders_is_bounded(serve: Serve) -> None:
    class Computed(RequestHandler):
        def get_template_path(self) -> str:
            return str(self.get_query_argument("path"))

        def get(self) -> None:
            self.render("page.html")

    client = page(serve, "x", Computed)
    for number in range(MAX_TEMPLATE_LOADERS + 10):
        assert client.fetch(uri=f"/?path={number}").text == "x"
    loaders = client.app._template_loaders
    assert len(loaders) == MAX_TEMPLATE_LOADERS


def test_threads_that_come_first_together_make_one_loader(serve: Serve) -> None:
    made: list[BaseLoader] = []
    together = threading.Barrier(4, timeout=10)

    class Mine(Page):
        def create_template_loader(self, template_path: str) -> BaseLoader:
            made.append(DictLoader({"page.html": "mine"}))
            return made[-1]

        def get_template_path(self) -> str:
            together.wait()
            return "somewhere"

    client = serve([("/", Mine)])
    request = HTTPServerRequest("GET", "/")

    def render(_: int) -> bytes:
        return Mine(client.app, request).render_string("page.html")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(render, range(4))) == [b"mine"] * 4
    assert len(made) == 1


def test_a_missing_template_is_a_500(serve: Serve) -> None:
    class Missing(RequestHandler):
        def get(self) -> None:
            self.render("missing.html")

    assert page(serve, "x", Missing).fetch(uri="/").status == 500


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("secret source {% if %}", id="syntax"),
        pytest.param("secret source {% end %}", id="end"),
        pytest.param("secret source {{ title + }}", id="expression"),
        pytest.param("\n{{ secret_source }}", id="name"),
        pytest.param("\n{{ {'secret source': 1}[title] }}", id="run-time"),
        pytest.param("{% include secret-source.html %}", id="include"),
        pytest.param("{% extends ../secret-source.html %}", id="extends"),
        pytest.param("{% module secret_source() %}", id="module"),
    ],
)
def test_lg10_error_pages_show_no_source(serve: Serve, template: str) -> None:
    """LG-10: neither of the template nor of what was made of it, unless that is asked for."""
    response = page(serve, template).fetch(uri="/")
    assert response.status == 500
    assert "secret" not in response.text
    assert "page.html" not in response.text
    response = page(serve, template, serve_traceback=True).fetch(uri="/")
    assert response.status == 500
    assert "page.html" in response.text


HOSTILE_TITLE = "&lt;t&gt;"


@pytest.mark.parametrize(
    ("template", "settings", "text"),
    [
        pytest.param("{{ title }}", {}, HOSTILE_TITLE, id="default"),
        pytest.param("{% set x = title %}{{ x }}", {}, HOSTILE_TITLE, id="set"),
        pytest.param("{% for x in [title] %}{{ x }}{% end %}", {}, HOSTILE_TITLE, id="loop"),
        pytest.param("{{ title.encode() }}", {}, HOSTILE_TITLE, id="bytes"),
        pytest.param("{{ [title] }}", {}, f"[&#x27;{HOSTILE_TITLE}&#x27;]", id="list"),
        pytest.param("{{ _(title) }}", {}, HOSTILE_TITLE, id="translated"),
        pytest.param("{% include part.html %}", {}, HOSTILE_TITLE, id="include"),
        pytest.param(
            "{% extends base.html %}{% block a %}{{ title }}{% end %}",
            {},
            HOSTILE_TITLE,
            id="block",
        ),
        pytest.param(
            "{% module Template('part.html', title=title) %}", {}, HOSTILE_TITLE, id="module"
        ),
        pytest.param("{% raw title %}", {}, "<t>", id="raw"),
        pytest.param("{{ title }}", {"autoescape": None}, "<t>", id="switched-off"),
        pytest.param("{% autoescape None %}{{ title }}", {}, "<t>", id="file"),
        pytest.param(
            "{% include plain.html %}{{ title }}", {}, "<t>" + HOSTILE_TITLE, id="another-file"
        ),
    ],
)
def test_what_is_printed_is_escaped_LG_10(
    serve: Serve, tmp_path: Path, template: str, settings: dict[str, Any], text: str
) -> None:
    """LG-10: unless the application, the file or the expression says otherwise."""
    (tmp_path / "page.html").write_text(template)
    (tmp_path / "part.html").write_text("{{ title }}")
    (tmp_path / "plain.html").write_text("{% autoescape None %}{{ title }}")
    (tmp_path / "base.html").write_text("{% block a %}{% end %}")
    client = serve([("/", Page)], template_path=str(tmp_path), **settings)
    assert client.fetch(uri="/").text == text


class OtherEngine:
    """A loader and template as programs make them around Jinja2 and others."""

    output: Any = "{name} for {x}, {user}</body>"

    def load(self, name: str) -> OtherEngine:
        self.name = name
        return self

    def generate(self, **names: Any) -> Any:
        return self.output.format(name=self.name, x=names["x"], user=names["current_user"])

    def reset(self) -> None:
        pass


class OwnTemplate(Template):
    def generate(self, **names: Any) -> bytes:
        return super().generate(**names).upper()


@pytest.mark.parametrize("debug", [False, True])
def test_another_template_engine(serve: Serve, debug: bool) -> None:
    class Other(RequestHandler):
        def get_current_user(self) -> str:
            return "me"

        def get(self, how: str) -> None:
            if how == "render":
                self.render("p.html", x=1)
            else:
                self.write(self.render_string("p.html", x=1))

    client = serve(
        [("/(.*)", Other)],
        template_loader=OtherEngine(),
        compiled_template_cache=not debug,
    )
    assert client.fetch("GET", "/render").text == "p.html for 1, me</body>"
    assert client.fetch("GET", "/string").text == "p.html for 1, me</body>"


def test_another_engine_that_waits(serve: Serve, clock: Clock) -> None:
    class Waiting(OtherEngine):
        async def generate(self, **names: Any) -> bytes:
            await deferLater(clock, 1, lambda: None)
            return b"late"

    class Other(RequestHandler):
        def get(self, how: str) -> None:
            if how == "render":
                self.render("p.html")
            else:
                self.render_string("p.html")

    client = serve([("/(.*)", Other)], template_loader=Waiting())
    connection = client.start("GET", "/render")
    clock.advance(1)
    assert connection.responses()[0].text == "late"
    assert client.fetch("GET", "/string").status == 500


def test_a_template_class_of_ones_own(serve: Serve) -> None:
    class Own(DictLoader):
        def _create_template(self, name: str) -> Template:
            return OwnTemplate("{{ x }}y", name=name, loader=self)

    class Page(RequestHandler):
        def get(self) -> None:
            self.render("p.html", x="x")

    assert serve([("/", Page)], template_loader=Own({"p.html": ""})).fetch("GET", "/").text == "XY"


class Overriding(RequestHandler):
    """``render_string`` overridden, the other way programs put an engine in."""

    def render_string(self, template_name: str, **kwargs: Any) -> Any:
        names = self.get_template_namespace()
        names.update(kwargs)
        return f"{template_name} for {names['x']} at {names['request'].path}"


def test_render_uses_an_overridden_render_string(serve: Serve) -> None:
    class Page(Overriding):
        def get(self) -> None:
            self.render("p.html", x=1)

        def post(self) -> None:
            self.write(TemplateModule(self).render("m.html", x=2))  # type: ignore[arg-type]

    client = serve([("/", Page)])
    assert client.fetch("GET", "/").text == "p.html for 1 at /"
    assert client.fetch("POST", "/").text == "m.html for 2 at /"


def test_an_overridden_render_string_may_ask_the_original(serve: Serve) -> None:
    class Page(RequestHandler):
        def render_string(self, template_name: str, **kwargs: Any) -> bytes:
            return super().render_string(template_name, **kwargs).upper()

        def get(self) -> None:
            self.render("p.html", x="x")

    client = serve([("/", Page)], template_loader=DictLoader({"p.html": "<b>{{ x }}</b>"}))
    assert client.fetch("GET", "/").text == "<B>X</B>"


def test_an_overridden_render_string_may_wait(serve: Serve, clock: Clock) -> None:
    class Page(RequestHandler):
        def render_string(self, template_name: str, **kwargs: Any) -> Any:
            return deferLater(clock, 1, lambda: "late")

        def get(self) -> None:
            self.render("p.html")

    connection = serve([("/", Page)]).start("GET", "/")
    clock.advance(1)
    assert connection.responses()[0].text == "late"


def test_a_program_may_keep_its_loaders_where_tornado_does(serve: Any) -> None:
    class Handler(RequestHandler):
        def render_string(self, template_name: str, **kwargs: Any) -> bytes:
            with RequestHandler._template_loader_lock:
                loaders = RequestHandler._template_loaders
                loader = loaders.setdefault("here", DictLoader({"a": "{{ x }} {{ request.path }}"}))
            found: bytes = loader.load(template_name).generate(
                **{**self.get_template_namespace(), **kwargs}
            )
            return found

        def get(self) -> None:
            self.render("a", x=1)

    try:
        assert serve([("/", Handler)]).fetch("GET", "/").body == b"1 /"
    finally:
        RequestHandler._template_loaders.clear()
