"""What a type checker has to find: the lines that end in ``# expect: CODE``."""

from __future__ import annotations

import cyclone.cli.process
import cyclone.httpserver
import cyclone.web
from cyclone.web import Application, RequestHandler, StaticFileHandler, UIModule, URLSpec


class Handler(RequestHandler):
    pass


Application(Handler)  # expect: call-overload
Application([("/", Handler)], 3)  # expect: call-overload
Application([("/", Handler)], {"debug": True})  # expect: call-overload
URLSpec(3, Handler)  # expect: arg-type
URLSpec("/", Handler, "name")  # expect: arg-type
application = Application()
application.listen("8888")  # expect: arg-type
application.listen(8888, 3)  # expect: arg-type
application.listen(8888, backlog="x")  # expect: arg-type
application.listen(8888, max_body_size="x")  # expect: arg-type
application.listen(8888, max_bodysize=3)  # expect: call-arg
application.add_handlers(3, [])  # expect: arg-type
cyclone.httpserver.HTTPServer(application, xheader=True)  # expect: call-arg
cyclone.httpserver.HTTPServer(3)  # expect: arg-type
cyclone.cli.process.fork(2)  # expect: attr-defined


class Module(UIModule):
    def render(self) -> int:  # expect: override
        return 3

    def css_files(self) -> int:  # expect: override
        return 3


class Files(StaticFileHandler):
    def get_content_type(self) -> int:  # expect: override
        return 3
