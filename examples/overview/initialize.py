"""The hooks of a handler: what the routes give to initialize(), prepare() and on_finish()."""

from cyclone.web import Application, HTTPError, RequestHandler

PROFILES = {"ada": "Countess of Lovelace"}
finished: list[str] = []


class ProfileHandler(RequestHandler):
    def initialize(self, database: dict[str, str]) -> None:
        self.database = database

    def prepare(self) -> None:
        if self.request.headers.get("X-Blocked"):
            raise HTTPError(403)

    def get(self, username: str) -> None:
        self.write(self.database.get(username, "nobody"))

    def on_finish(self) -> None:
        finished.append(self.request.path)


class FinishedHandler(RequestHandler):
    def get(self) -> None:
        self.write({"finished": finished})


application = Application(
    [
        (r"/user/(.*)", ProfileHandler, {"database": PROFILES}),
        (r"/finished", FinishedHandler),
    ]
)
