"""An error answered with HTTPError, and an error page of one's own: http://127.0.0.1:8888/."""

from cyclone.web import Application, HTTPError, RequestHandler


class MembersHandler(RequestHandler):
    def get(self) -> None:
        if self.get_argument("member", "") != "yes":
            raise HTTPError(403, "not a member: %s", self.request.remote_ip)
        self.write("Welcome back")


class BrokenHandler(RequestHandler):
    def get(self) -> None:
        raise RuntimeError("a secret detail that only the log shows")

    def write_error(self, status_code: int, **kwargs: object) -> None:
        self.set_header("Content-Type", "text/plain")
        self.finish(f"Something went wrong ({status_code})")


application = Application(
    [
        (r"/", MembersHandler),
        (r"/broken", BrokenHandler),
    ]
)

if __name__ == "__main__":
    from twisted.internet import reactor

    reactor.listenTCP(8888, application, interface="127.0.0.1")
    reactor.run()
