"""cyclone.template and UI modules."""

from __future__ import annotations

from typing import Any, assert_type

from cyclone.template import BaseLoader, DictLoader, Loader, ParseError, Template
from cyclone.web import Application, TemplateModule, UIModule

assert_type(Template("{{ a }}").generate(a=1), bytes)
loader = Loader("templates", autoescape=None, namespace={"a": 1}, whitespace="all")
assert_type(loader.load("page.html").generate(rows=[1]), bytes)
DictLoader({"page.html": "x"}, autoescape="xhtml_escape").reset()


async def render() -> bytes:
    return await Template("{{ await a() }}", name="x", loader=loader).generate_async(a=render)


try:
    Template("{{")
except ParseError as error:
    assert_type(error.filename, str | None)
    assert_type(error.lineno, int)


class OwnLoader(BaseLoader):
    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        return name

    def _create_template(self, name: str) -> Template:
        return Template("x", name=name, loader=self)


class Entry(UIModule):
    def render(self, entry: dict[str, Any], show: bool = False) -> str:
        return self.locale.translate("x")

    def css_files(self) -> str:
        return "entry.css"

    def embedded_javascript(self) -> str | None:
        return None


class Comments(UIModule):
    def render(self, name: str) -> bytes:
        return self.render_string("comments.html", name=name, user=self.current_user)

    def javascript_files(self) -> list[str]:
        return ["a.js", "b.js"]


class Latest(UIModule):
    async def render(self, count: int) -> bytes:
        return await self.render_string_async("latest.html", count=count)


modules = {"Entry": Entry, "Comments": Comments, "Latest": Latest, "Template": TemplateModule}
Application(ui_modules=modules, template_loader=OwnLoader())
