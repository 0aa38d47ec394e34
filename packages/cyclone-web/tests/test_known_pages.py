"""A page that was rendered before: everything that may change where its template comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cyclone.template import BaseLoader, DictLoader, Template
from cyclone.web import RequestHandler
from cyclone.web._known_pages import MAX_KNOWN_PAGES

Serve = Callable[..., Any]


class Page(RequestHandler):
    """Renders page.html."""

    def get(self) -> None:
        self.render("page.html")


def test_it_is_remembered_and_forgotten_with_its_loader(serve: Serve) -> None:
    loader = DictLoader({"page.html": "one"})
    client = serve([("/", Page)], template_loader=loader)
    assert client.fetch(uri="/").text == client.fetch(uri="/").text == "one"
    assert list(client.app._known_pages) == [(Page, "page.html")]
    loader.dict = {"page.html": "two"}
    assert client.fetch(uri="/").text == "one"
    loader.reset()
    assert client.fetch(uri="/").text == "two"


def test_settings_that_change(serve: Serve, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.html").write_text(name)
    client = serve([("/", Page)], template_path=str(tmp_path / "one"))
    assert client.fetch(uri="/").text == client.fetch(uri="/").text == "one"
    client.app.settings["template_path"] = str(tmp_path / "two")
    assert client.fetch(uri="/").text == client.fetch(uri="/").text == "two"
    client.app.settings["compiled_template_cache"] = False
    (tmp_path / "two" / "page.html").write_text("three")
    assert client.fetch(uri="/").text == "three"


def test_names_that_come_later(serve: Serve) -> None:
    loader = DictLoader({"page.html": "{{ request.path }} {{ len([1]) }}"})
    client = serve([("/", Page)], template_loader=loader)
    assert client.fetch(uri="/").text == client.fetch(uri="/").text == "/ 1"
    client.app.ui_methods["len"] = lambda handler, value: f"{handler.request.path}{value}"
    assert client.fetch(uri="/").text == "/ /[1]"
    with patch.object(Page, "get_template_namespace", lambda self: {"request": self, "path": ""}):
        assert client.fetch(uri="/").code == 500
    with patch.object(Page, "render_string", lambda self, name: b"mine"):
        assert client.fetch(uri="/").text == "mine"
    assert client.fetch(uri="/").text == "/ /[1]"


def test_a_class_that_says_where_its_templates_are_is_asked_each_time(
    serve: Serve, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.html").write_text(name)

    class Themed(Page):
        def get_template_path(self) -> str:
            return str(tmp_path / self.get_argument("theme"))

    client = serve([("/", Themed)])
    answers = [client.fetch(uri=f"/?theme={theme}").text for theme in "abab"]
    assert answers == ["a", "b", "a", "b"]


def test_a_loader_with_its_own_load_is_asked_each_time(serve: Serve) -> None:
    asked = []

    class Own(DictLoader):
        def load(self, name: str, parent_path: str | None = None) -> Template:
            asked.append(name)
            return super().load(name, parent_path)

    client = serve([("/", Page)], template_loader=Own({"page.html": "x"}))
    assert client.fetch(uri="/").text == client.fetch(uri="/").text == "x"
    assert asked == ["page.html", "page.html"]
    assert isinstance(client.app.settings["template_loader"], BaseLoader)


def test_so_many_are_remembered(serve: Serve) -> None:
    class Any_(RequestHandler):
        def get(self, name: str) -> None:
            self.render(name)

    loader = DictLoader({f"{n}": f"page {n}" for n in range(MAX_KNOWN_PAGES + 1)})
    client = serve([("/(.*)", Any_)], template_loader=loader)
    for n in range(MAX_KNOWN_PAGES + 1):
        assert client.fetch(uri=f"/{n}").text == f"page {n}"
    assert 0 < len(client.app._known_pages) <= MAX_KNOWN_PAGES
