"""A guestbook: pages in two languages, a form, accounts, pictures, entries in SQLite, shown live.

Run it with `python examples/guestbook/app.py`, then open http://127.0.0.1:8888.
"""

import argparse
import logging
import os
import secrets
import tempfile
from dataclasses import asdict
from pathlib import Path

import modules
from accounts import AccountError, log_in, register
from oidc import ProviderLogin, ProviderLogout, form_targets, provider_settings
from pictures import MAX_PICTURE, PictureError, keep
from store import MAX_AUTHOR, MAX_MESSAGE, Entry, EntryError, NameTakenError, Store
from twisted.internet.threads import deferToThread

import cyclone.locale
from cyclone.sse import SSEHandler
from cyclone.web import (
    Application,
    HTTPError,
    Hub,
    HubMessage,
    RequestHandler,
    StaticFileHandler,
    authenticated,
)

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en_US", "de")


class PageHandler(RequestHandler):
    """What all pages share: the store, the user, the language, error pages like the rest."""

    @property
    def store(self) -> Store:
        return self.application.store

    def set_default_headers(self) -> None:
        policy = "default-src 'self'; form-action " + form_targets(self.settings)
        self.set_header("Content-Security-Policy", policy)
        self.set_header("X-Content-Type-Options", "nosniff")

    async def prepare(self) -> None:
        user_id = self.get_secure_cookie("user")
        self.current_user = await self.store.user(int(user_id)) if user_id else None

    def get_user_locale(self) -> str | None:
        chosen = self.get_cookie("language")
        return chosen if chosen in LANGUAGES else None

    def get_template_namespace(self) -> dict[str, object]:
        namespace = super().get_template_namespace()
        others = [code for code in LANGUAGES if code != self.locale.code]
        namespace["other_languages"] = [cyclone.locale.get(code) for code in others]
        return namespace

    def write_error(self, status_code: int, **kwargs: object) -> None:
        if "exc_info" in kwargs and self.settings.get("serve_traceback"):
            super().write_error(status_code, **kwargs)
            return
        self.render("error.html", status=status_code)

    def redirect_back(self) -> None:
        """On to where the form says the visitor was, which must be a page of ours."""
        url = self.get_body_argument("next", "/")
        if not url.startswith("/") or url.startswith(("//", "/\\")) or not url.isprintable():
            url = "/"
        self.redirect(url, status=303)


class IndexHandler(PageHandler):
    """The newest entries, and the form for another."""

    max_body_size = MAX_PICTURE + 64 * 1024

    async def get(self) -> None:
        await self.show()

    async def post(self) -> None:
        user = self.current_user
        author = user.name if user else self.get_body_argument("author", "")
        message = self.get_body_argument("message", "")
        try:
            entry_id = await self.store.add(author, message, user, await self.picture())
        except (EntryError, PictureError) as error:
            self.set_status(400)
            await self.show(author=author, message=message, problem=str(error))
            return
        await self.announce(entry_id)
        self.redirect(self.reverse_url("entry", entry_id), status=303)

    async def announce(self, entry_id: int) -> None:
        """Tell the open pages of a new entry."""
        entry, count = await self.store.get(entry_id), await self.store.count()
        if entry is not None:
            await self.settings["hub"].publish("entries", {"entry": asdict(entry), "count": count})

    async def picture(self) -> str | None:
        """The file name of the picture sent with the form; only users may send one."""
        files = [file for file in self.request.files.get("picture", []) if file.body]
        if not files:
            return None
        if self.current_user is None:
            raise HTTPError(403)
        return await deferToThread(keep, self.application.pictures, files[0].body)

    async def show(self, author: str = "", message: str = "", problem: str = "") -> None:
        # Before the entries are fetched: rather announced twice than not at all
        last_id = self.settings["hub"].last_id
        self.render(
            "index.html",
            entries=await self.store.latest(),
            last_id=last_id,
            author=author,
            message=message,
            problem=problem,
            max_author=MAX_AUTHOR,
            max_message=MAX_MESSAGE,
        )


class LiveHandler(SSEHandler, PageHandler):
    """New entries for an open page, as its visitor is to see them."""

    def bind(self) -> None:
        self.join("entries", self.last_event_id or self.get_query_argument("after", None))

    def on_hub_message(self, message: HubMessage) -> object:
        entry = modules.EntryModule(self).render(Entry(**message.data["entry"]))
        tally = modules.tally(self.locale, message.data["count"])
        return self.sendEvent({"entry": entry.decode(), "tally": tally}, eid=message.id)


class EntryHandler(PageHandler):
    """The page of one entry; its owner can delete it."""

    async def get(self, entry_id: str) -> None:
        self.render("entry.html", entry=await self.entry(entry_id))

    @authenticated
    async def post(self, entry_id: str) -> None:
        entry = await self.entry(entry_id)
        if entry.user_id != self.current_user.id:
            raise HTTPError(403)
        await self.store.delete(entry)
        self.redirect(self.reverse_url("index"), status=303)

    async def entry(self, entry_id: str):
        # Longer numbers than SQLite's integers name no entry.
        entry = await self.store.get(int(entry_id)) if len(entry_id) < 19 else None
        if entry is None:
            raise HTTPError(404)
        return entry


class LoginHandler(PageHandler):
    """The page to log in or make an account."""

    def get(self) -> None:
        self.show(self.get_query_argument("next", "/"))

    async def post(self) -> None:
        name = self.get_body_argument("name", "")
        password = self.get_body_argument("password", "", strip=False)
        try:
            if self.get_body_argument("new", ""):
                user = await register(self.store, name, password)
            else:
                user = await log_in(self.store, name, password)
        except NameTakenError:
            self.show_again(name, "This name is taken.")
        except AccountError as error:
            self.show_again(name, str(error))
        else:
            if user is None:
                self.show_again(name, "Name or password is wrong.")
                return
            secure = self.request.protocol == "https"
            self.set_secure_cookie(
                "user", str(user.id), httponly=True, samesite="Lax", secure=secure
            )
            self.redirect_back()

    def show_again(self, name: str, problem: str) -> None:
        self.set_status(400)
        self.show(self.get_body_argument("next", "/"), name, problem)

    def show(self, next_url: str, name: str = "", problem: str = "") -> None:
        self.render("login.html", next_url=next_url, name=name, problem=problem)


class LogoutHandler(PageHandler):
    """Forgets who the visitor is."""

    def post(self) -> None:
        self.clear_cookie("user")
        self.redirect_back()


class ProviderLoginHandler(ProviderLogin, PageHandler):
    """Logs in with the OpenID Connect provider."""


class ProviderLogoutHandler(ProviderLogout, LogoutHandler):
    """Forgets who the visitor is, and has the provider forget too."""


class LanguageHandler(PageHandler):
    """Notes the language the visitor wants."""

    def post(self) -> None:
        code = self.get_body_argument("code")
        if code not in LANGUAGES:
            raise HTTPError(400)
        self.set_cookie("language", code, expires_days=365, samesite="Lax")
        self.redirect_back()


class NotFoundHandler(PageHandler):
    """Every other address, for whatever method: there is nothing that a forged request could do."""

    no_xsrf = True

    def check_trusted_origin(self, origin: str) -> bool:
        return True

    async def prepare(self) -> None:
        await super().prepare()
        raise HTTPError(404)


class Guestbook(Application):
    """The application; `database` is the SQLite file, made when it is missing.

    The key that signs cookies and the pictures are kept beside it. `provider` is the setting
    `openid_connect`, for logins with a provider.
    """

    def __init__(
        self, database: Path, provider: dict[str, str] | None = None, **settings: object
    ) -> None:
        self.store = Store(database)
        self.pictures = database.with_suffix(".pictures")
        self.pictures.mkdir(exist_ok=True)
        cyclone.locale.load_translations(str(HERE / "translations"))
        handlers = [
            (r"/", IndexHandler, {}, "index"),
            (r"/entry/([0-9]+)", EntryHandler, {}, "entry"),
            (r"/picture/([0-9a-f]{64}\.[a-z]+)", Picture, {"path": str(self.pictures)}, "picture"),
            (r"/live", LiveHandler, {}, "live"),
            (r"/login", LoginHandler, {}, "login"),
            (r"/logout", ProviderLogoutHandler if provider else LogoutHandler, {}, "logout"),
            (r"/language", LanguageHandler, {}, "language"),
        ]
        if provider:
            handlers.append((r"/oidc", ProviderLoginHandler, {}, "oidc"))
            settings["openid_connect"] = provider
        super().__init__(
            handlers,
            hub=Hub(),
            template_path=str(HERE / "templates"),
            static_path=str(HERE / "static"),
            default_handler_class=NotFoundHandler,
            ui_modules=modules,
            login_url="/login",
            cookie_secret=secret_key(database.with_suffix(".key")),
            min_version=2,
            xsrf_cookies=True,
            xsrf_query_argument=False,
            cross_origin_protection=True,
            **settings,
        )


class Picture(StaticFileHandler):
    """A picture. Its name is a hash of its content, so it never changes."""

    def get_cache_time(self, path: str, modified: object, mime_type: str) -> int:
        return self.CACHE_MAX_AGE

    def set_extra_headers(self, path: str) -> None:
        self.set_header("X-Content-Type-Options", "nosniff")


def secret_key(path: Path) -> str:
    """The key in a file that only this user can read; made at the first start."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text("ascii")


def main() -> None:
    """Serve the guestbook until interrupted."""
    parser = argparse.ArgumentParser(description="The Cyclone guestbook")
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS")
    parser.add_argument("--database", type=Path, help="SQLite file (default: a temporary one)")
    parser.add_argument("--debug", action="store_true")
    parser.add_argument(
        "--oidc", metavar="ISSUER", help="log in with this OpenID Connect provider too"
    )
    parser.add_argument("--oidc-client", default="guestbook", metavar="ID")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")

    from twisted.internet import reactor

    database = options.database or Path(tempfile.mkdtemp(prefix="guestbook-")) / "guestbook.db"
    provider = None
    if options.oidc:
        secret = os.environ["OIDC_CLIENT_SECRET"]
        base = f"http://{options.listen}:{options.port}"
        provider = provider_settings(options.oidc, options.oidc_client, secret, base)
    application = Guestbook(database, provider, debug=options.debug)
    port = reactor.listenTCP(options.port, application, interface=options.listen)
    address = port.getHost()
    print(f"Guestbook on http://{address.host}:{address.port} (entries in {database})", flush=True)
    reactor.run()


if __name__ == "__main__":
    main()
