"""UI modules: parts of pages with their own style and script, one of which asks a database."""

from pathlib import Path

from twisted.internet.defer import Deferred, succeed

from cyclone.web import Application, RequestHandler, UIModule

HERE = Path(__file__).parent
ENTRIES = ["First <entry>", "Second entry"]


class Entry(UIModule):
    def render(self, entry: str, show_comments: bool = False) -> bytes:
        return self.render_string("module-entry.html", entry=entry, show_comments=show_comments)

    def embedded_css(self) -> str:
        return ".entry { margin-bottom: 1em; }"

    def javascript_files(self) -> str:
        return "/shared.js"


class Count(UIModule):
    """The overview says that UI modules cannot use a database; these can."""

    async def render(self) -> str:
        return f"<p>{await self.count()} entries</p>"

    def count(self) -> "Deferred[int]":
        return succeed(len(ENTRIES))


class HomeHandler(RequestHandler):
    def get(self) -> None:
        self.render("entries.html", entries=ENTRIES)


application = Application(
    [(r"/", HomeHandler)],
    template_path=str(HERE / "templates"),
    ui_modules={"Entry": Entry, "Count": Count},
)
