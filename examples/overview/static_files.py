"""Static files with versioned URLs."""

from pathlib import Path

from cyclone.web import Application, RequestHandler

HERE = Path(__file__).parent


class MainHandler(RequestHandler):
    def get(self) -> None:
        self.write('<img src="' + self.static_url("logo.svg") + '">')


application = Application([(r"/", MainHandler)], static_path=str(HERE / "static"))
