"""Pages in the reader's language, chosen by the browser or by the user's preference."""

from pathlib import Path

import cyclone.locale
from cyclone.web import Application, RequestHandler

HERE = Path(__file__).parent
PREFERENCES = {"ana": {"locale": "es_GT"}, "bob": {}}


class MainHandler(RequestHandler):
    def get_user_locale(self) -> str | None:
        name = self.get_argument("user", "bob")
        return PREFERENCES[name].get("locale")

    def get(self) -> None:
        self.render("greeting.html", people=int(self.get_argument("people", "1")))


cyclone.locale.load_translations(str(HERE / "locale"))
application = Application([(r"/", MainHandler)], template_path=str(HERE / "templates"))
