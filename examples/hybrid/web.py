"""The guestbook on the web: a page, a form, and new entries as they come."""

import dataclasses
import secrets
from pathlib import Path

from book import Book, Entry

from cyclone.sse import SSEHandler
from cyclone.web import Application, RequestHandler, url

HERE = Path(__file__).parent


class BookHandler(RequestHandler):
    def initialize(self, book: Book) -> None:
        self.book = book

    def get(self) -> None:
        self.render("book.html", entries=self.book.entries)

    def post(self) -> None:
        try:
            self.book.add(self.get_argument("name", ""), self.get_argument("text"), "web")
        except ValueError:
            self.send_error(400)
        else:
            self.redirect("/")


class LiveHandler(SSEHandler):
    def initialize(self, book: Book) -> None:
        super().initialize()
        self.book = book

    def bind(self) -> None:
        self.book.watch(self.tell)

    def unbind(self) -> None:
        self.book.unwatch(self.tell)

    def tell(self, entry: Entry) -> None:
        self.sendEvent(dataclasses.asdict(entry), event="entry", eid=entry.number)


def make_app(book: Book) -> Application:
    return Application(
        [
            url(r"/", BookHandler, {"book": book}),
            url(r"/live", LiveHandler, {"book": book}),
        ],
        template_path=str(HERE / "templates"),
        cookie_secret=secrets.token_urlsafe(48),
        min_version=2,
        xsrf_cookies=True,
    )
