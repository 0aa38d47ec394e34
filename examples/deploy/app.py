"""What is served behind nginx: who asks, and by what way; live pages; a health check."""

import os
from pathlib import Path

from cyclone.cli import HealthHandler
from cyclone.sse import SSEHandler
from cyclone.web import Application, RequestHandler, url
from cyclone.websocket import WebSocketHandler


class WhoHandler(RequestHandler):
    def get(self):
        self.write(
            {
                "process": os.getpid(),
                "remote_ip": self.request.remote_ip,
                "url": self.request.full_url(),
                "stylesheet": self.static_url("style.css"),
            }
        )


class UploadHandler(RequestHandler):
    def post(self):
        self.write(
            {name: [len(file.body) for file in files] for name, files in self.request.files.items()}
        )


class EchoHandler(WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


class NewsHandler(SSEHandler):
    def bind(self):
        self.sendEvent("welcome", event="news")


def make_app():
    return Application(
        [
            url(r"/", WhoHandler),
            url(r"/upload", UploadHandler),
            url(r"/echo", EchoHandler),
            url(r"/news", NewsHandler),
            url(r"/health", HealthHandler),
        ],
        # nginx serves these; the application only makes their versioned addresses.
        static_path=str(Path(__file__).parent / "static"),
        # Believed only from this machine, where nginx is: nobody else can forge an address.
        xheaders=True,
        trusted_downstream=["127.0.0.1", "::1"],
    )
