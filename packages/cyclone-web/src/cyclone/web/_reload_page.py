"""In development a page in the browser loads itself again when what it is made of has changed.

A script, added to the end of HTML answers by an output transform, keeps a stream of Server-Sent
Events open while its page is seen. The stream tells a state: another one than before means that
the program was restarted, or that a template or static file changed. Nothing of this is there, nor
costs anything, unless :func:`install` was called.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from ._execution import asynchronous
from ._handler import RequestHandler
from ._routing_matchers import PathMatches
from ._routing_rules import Rule
from ._transforms import OutputTransform

if TYPE_CHECKING:
    from collections.abc import Callable

    from cyclone.httpserver import HTTPRequest
    from cyclone.httputil import HTTPHeaders

    from ._application import Application
    from ._autoreload import Reloader

EVENTS_PATH = "/_cyclone/reload"
SCRIPT_PATH = "/_cyclone/reload.js"
#: Open streams; the oldest ends when there is one more, and its page asks again.
MAX_PAGES = 100
_LOOK_EVERY = 1.0  # seconds between looks whether the server is stopping

_TAG = b'<script src="%s"></script>\n' % SCRIPT_PATH.encode()
# Only pages that are seen listen: a browser has no more than six connections for all its tabs.
_SCRIPT = """\
(() => {
  const page = window.cycloneReload = {};
  let source;
  const stop = () => { if (source) source.close(); source = undefined; };
  const listen = () => {
    if (source) return;
    source = new EventSource("EVENTS_PATH");
    source.onmessage = (event) => {
      page.state ??= event.data;
      if (page.state !== event.data) { stop(); location.reload(); }
      else if (document.hidden) stop();
    };
    source.onerror = () => {
      if (source && source.readyState === EventSource.CLOSED) { stop(); setTimeout(listen, 1000); }
    };
  };
  document.addEventListener("visibilitychange", () => document.hidden ? stop() : listen());
  listen();
})();
""".replace("EVENTS_PATH", EVENTS_PATH)


class Pages:
    """The pages that are open, and the state they are told; *later* is the reactor's callLater."""

    def __init__(self, later: Callable[..., object]) -> None:
        self._later = later
        self._boot = secrets.token_hex(8)
        self._changes = 0
        self._streams: dict[ReloadEventsHandler, None] = {}
        self._looking = False

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def state(self) -> str:
        """Another one in each process, and after each change."""
        return f"{self._boot}-{self._changes}"

    def changed(self) -> None:
        """Have all pages load themselves again."""
        self._changes += 1
        for stream in list(self._streams):
            stream.tell(self.state)

    def add(self, stream: ReloadEventsHandler) -> None:
        """A page listens."""
        if len(self._streams) >= MAX_PAGES:
            self._end(next(iter(self._streams)))
        self._streams[stream] = None
        stream.tell(self.state)
        if not self._looking:
            self._looking = True
            self._later(_LOOK_EVERY, self._look)

    def discard(self, stream: ReloadEventsHandler) -> None:
        """A page listens no more."""
        self._streams.pop(stream, None)

    def _end(self, stream: ReloadEventsHandler) -> None:
        self.discard(stream)
        stream.finish()

    def _look(self) -> None:
        """A server that stops does not wait for open pages."""
        for stream in list(self._streams):
            if stream.request.connection.server.is_stopping:
                self._end(stream)
        self._looking = bool(self._streams)
        if self._looking:
            self._later(_LOOK_EVERY, self._look)


class ReloadEventsHandler(RequestHandler):
    """The stream of states. No line of the access log: it is opened each time a page is seen."""

    handler_timeout = 0

    def initialize(self, pages: Pages) -> None:
        """Take the pages that are open."""
        self._pages = pages

    @asynchronous
    def get(self) -> None:
        """Open the stream."""
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-store, no-transform")
        self.set_header("X-Accel-Buffering", "no")  # for nginx
        self.write("retry: 300\n")
        self._pages.add(self)

    def tell(self, state: str) -> None:
        """Send one event."""
        self.write(f"data: {state}\n\n")
        self.flush()

    def on_connection_close(self) -> None:
        """The page was left."""
        super().on_connection_close()
        self._pages.discard(self)
        if not self._finished:
            self.finish()

    def _log(self) -> None:
        pass


class ReloadScriptHandler(RequestHandler):
    """The script. It has an address, as a Content-Security-Policy asks for."""

    def get(self) -> None:
        """Send it."""
        self.set_header("Content-Type", "text/javascript; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(_SCRIPT)

    def _log(self) -> None:
        pass


class ReloadPageTransform(OutputTransform):
    """Adds the script to HTML that is sent whole and has a ``</body>``, error pages too."""

    def __init__(self, request: HTTPRequest) -> None:
        # A page kept by the browser from a server without this has no script.
        if "text/html" in request.headers.get("Accept", ""):
            request.headers.pop("If-None-Match", None)

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add the script, if this is a whole page."""
        if finishing and status_code != 206 and _is_page(headers):
            place = chunk.lower().rfind(b"</body>")
            if place >= 0:
                chunk = b"".join((chunk[:place], _TAG, chunk[place:]))
                headers.pop("Etag", None)  # it was of the page without the script
                if "Content-Length" in headers:
                    headers["Content-Length"] = str(len(chunk))
        return status_code, headers, chunk


def _is_page(headers: HTTPHeaders) -> bool:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind == "text/html" and "Content-Encoding" not in headers


def install(application: Application, reloader: Reloader) -> None:
    """Have the pages of *application* load themselves again; once, before *reloader* starts."""
    if ReloadPageTransform in application.transforms:
        return
    settings = application.settings
    reactor: Any = application.reactor
    pages = Pages(reactor.callLater)

    def changed() -> None:
        application._forget_files()
        pages.changed()

    reloader.page_folders.update(_page_folders(settings))
    reloader.page_hooks.append(changed)
    # Before compression.
    application.transforms = [ReloadPageTransform, *application.transforms]
    application.default_router.rules[:0] = [
        Rule(PathMatches(EVENTS_PATH), ReloadEventsHandler, {"pages": pages}),
        Rule(PathMatches(SCRIPT_PATH.replace(".", r"\.")), ReloadScriptHandler),
    ]


def _page_folders(settings: dict[str, Any]) -> list[str]:
    """What a page is made of without a restart: not templates that are kept once compiled."""
    names = ["static_path"]
    if not settings.get("compiled_template_cache", True):
        names.append("template_path")
    return [os.fspath(settings[name]) for name in names if settings.get(name)]
