"""Pages from templates: loops, inheritance, escaping, and functions given to the template."""

from pathlib import Path

from cyclone.web import Application, RequestHandler


def add(x: int, y: int) -> int:
    return x + y


class MainHandler(RequestHandler):
    def get(self) -> None:
        items = ["Item 1", "Item 2", "Item <3>"]
        self.render("home.html", title="My title", items=items, add=add)


application = Application(
    [(r"/", MainHandler)], template_path=str(Path(__file__).parent / "templates")
)
