"""Requests that wait: with @asynchronous, with inlineCallbacks, and with async def."""

import json

from twisted.internet import defer

from cyclone import httpclient
from cyclone.web import Application, HTTPError, RequestHandler, asynchronous

FEED = {"entries": ["one", "two"]}


class FeedHandler(RequestHandler):
    """Stands for the remote service that the other handlers ask."""

    def get(self) -> None:
        if self.get_argument("broken", ""):
            raise HTTPError(503)
        self.write(FEED)


class AskingHandler(RequestHandler):
    def feed_url(self) -> str:
        path = "/feed?broken=1" if self.get_argument("broken", "") else "/feed"
        return f"http://{self.request.host}{path}"

    def answer(self, response: httpclient.HTTPResponse) -> None:
        if response.error:
            raise HTTPError(502)
        count = len(json.loads(response.body)["entries"])
        self.write(f"Fetched {count} entries from the feed")


class CallbackHandler(AskingHandler):
    @asynchronous
    def get(self) -> None:
        d = httpclient.fetch(self.feed_url())
        d.addCallback(self.async_callback(self.on_response))

    def on_response(self, response: httpclient.HTTPResponse) -> None:
        self.answer(response)
        self.finish()


class InlineHandler(AskingHandler):
    @defer.inlineCallbacks
    def get(self):  # type: ignore[no-untyped-def]
        response = yield httpclient.fetch(self.feed_url())
        self.answer(response)


class CoroutineHandler(AskingHandler):
    async def get(self) -> None:
        self.answer(await httpclient.fetch(self.feed_url()))


application = Application(
    [
        (r"/feed", FeedHandler),
        (r"/callback", CallbackHandler),
        (r"/inline", InlineHandler),
        (r"/coroutine", CoroutineHandler),
    ]
)
