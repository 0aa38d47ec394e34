"""A guestbook: pages from templates, a form, entries in SQLite.

Run it with `python examples/guestbook/app.py`, then open http://127.0.0.1:8888.
"""

import argparse
import logging
import tempfile
from pathlib import Path

from store import MAX_AUTHOR, MAX_MESSAGE, EntryError, Store

from cyclone.web import Application, RequestHandler

HERE = Path(__file__).resolve().parent


class PageHandler(RequestHandler):
    """What all pages share: the store, and error pages that look like the rest."""

    @property
    def store(self) -> Store:
        store: Store = self.application.store
        return store

    def write_error(self, status_code: int, **kwargs: object) -> None:
        if "exc_info" in kwargs and self.settings.get("serve_traceback"):
            super().write_error(status_code, **kwargs)
            return
        self.render("error.html", status=status_code)


class IndexHandler(PageHandler):
    """The newest entries, and the form for another."""

    async def get(self) -> None:
        await self.show()

    async def post(self) -> None:
        author = self.get_body_argument("author", "")
        message = self.get_body_argument("message", "")
        try:
            entry_id = await self.store.add(author, message)
        except EntryError as error:
            self.set_status(400)
            await self.show(author=author, message=message, problem=str(error))
            return
        self.redirect(self.reverse_url("entry", entry_id), status=303)

    async def show(self, author: str = "", message: str = "", problem: str = "") -> None:
        self.render(
            "index.html",
            entries=await self.store.latest(),
            author=author,
            message=message,
            problem=problem,
            max_author=MAX_AUTHOR,
            max_message=MAX_MESSAGE,
        )


class EntryHandler(PageHandler):
    """The page of one entry."""

    async def get(self, entry_id: str) -> None:
        # Longer numbers than SQLite's integers name no entry.
        entry = await self.store.get(int(entry_id)) if len(entry_id) < 19 else None
        if entry is None:
            self.send_error(404)
            return
        self.render("entry.html", entry=entry)


class NotFoundHandler(PageHandler):
    """Every other address."""

    def prepare(self) -> None:
        self.send_error(404)


class Guestbook(Application):
    """The application; `database` is the SQLite file, made when it is missing."""

    def __init__(self, database: Path, **settings: object) -> None:
        self.store = Store(database)
        handlers = [
            (r"/", IndexHandler, {}, "index"),
            (r"/entry/([0-9]+)", EntryHandler, {}, "entry"),
        ]
        super().__init__(
            handlers,
            template_path=str(HERE / "templates"),
            static_path=str(HERE / "static"),
            default_handler_class=NotFoundHandler,
            **settings,
        )


def main() -> None:
    """Serve the guestbook until interrupted."""
    parser = argparse.ArgumentParser(description="The Cyclone guestbook")
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS")
    parser.add_argument("--database", type=Path, help="SQLite file (default: a temporary one)")
    parser.add_argument("--debug", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")

    from twisted.internet import reactor

    database = options.database or Path(tempfile.mkdtemp(prefix="guestbook-")) / "guestbook.db"
    application = Guestbook(database, debug=options.debug)
    port = reactor.listenTCP(options.port, application, interface=options.listen)
    reactor.addSystemEventTrigger("after", "shutdown", application.store.close)
    address = port.getHost()
    print(f"Guestbook on http://{address.host}:{address.port} (entries in {database})", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
