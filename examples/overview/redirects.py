"""Redirection from a handler, and from the routes."""

from cyclone.web import Application, RedirectHandler, RequestHandler


class OldHandler(RequestHandler):
    def get(self) -> None:
        self.redirect("/new")


class NewHandler(RequestHandler):
    def get(self) -> None:
        self.write("new")


application = Application(
    [
        (r"/old", OldHandler),
        (r"/moved", RedirectHandler, {"url": "/new", "permanent": False}),
        (r"/pictures/(.*)", RedirectHandler, {"url": "/photos/{0}"}),
        (r"/new", NewHandler),
    ]
)
