"""Hello world on Cyclone 1.3: python cyclone1_server.py PORT, with a Python that has it.

It needs Python 3.8, Twisted 19.2.1 (what its requirements admit) and pyOpenSSL 19.
"""

import sys

from twisted.internet import reactor

import cyclone.web


class Hello(cyclone.web.RequestHandler):
    def get(self):  # type: ignore[no-untyped-def]
        self.write("Hello, world")


application = cyclone.web.Application([("/", Hello)])
reactor.listenTCP(int(sys.argv[1]), application, interface="127.0.0.1")  # type: ignore[attr-defined]
reactor.run()  # type: ignore[attr-defined]
