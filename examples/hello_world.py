import cyclone.web
from twisted.internet import reactor


class MainHandler(cyclone.web.RequestHandler):
    def get(self):
        self.write("Hello, world")


application = cyclone.web.Application([
    (r"/", MainHandler),
])

if __name__ == "__main__":
    reactor.listenTCP(8888, application)
    reactor.run()
