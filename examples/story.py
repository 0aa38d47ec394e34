"""A handler whose path group becomes an argument: http://127.0.0.1:8888/story/42."""

from cyclone.web import Application, RequestHandler


class MainHandler(RequestHandler):
    def get(self) -> None:
        self.write("You requested the main page")


class StoryHandler(RequestHandler):
    def get(self, story_id: str) -> None:
        self.write("You requested the story " + story_id)


application = Application(
    [
        (r"/", MainHandler),
        (r"/story/([0-9]+)", StoryHandler),
    ]
)

if __name__ == "__main__":
    from twisted.internet import reactor

    reactor.listenTCP(8888, application, interface="127.0.0.1")
    reactor.run()
