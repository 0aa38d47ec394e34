"""What a browser's own JavaScript sees: forged requests, cookies, uploads, WebSockets, events."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ports import free_port

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

SERVER = """
import itertools, sys
from twisted.internet import reactor, task
from cyclone.httputil import content_disposition
from cyclone.sse import SSEHandler
from cyclone.web import Application, RequestHandler, stream_request_body
from cyclone.websocket import WebSocketHandler

class Page(RequestHandler):
    def get(self):
        self.xsrf_token
        for name in ("__Host-one", "__Secure-two"):
            self.set_cookie(name, "x", secure=True)
        self.set_cookie("parted", "x", secure=True, samesite="None", partitioned=True)
        self.set_cookie("strict", 'a,"b"', samesite="Strict", httponly=True)
        self.write("<!doctype html><title>page</title>")

class Echo(RequestHandler):
    def post(self):
        self.write({
            "cookies": sorted(self.cookies), "strict": self.get_cookie("strict"),
            "files": [[f.filename, f.size] for f in self.request.files.get("f", ())],
            "text": self.get_body_argument("text", "", strip=False), "size": len(self.request.body),
        })

class Again(RequestHandler):
    def post(self):
        self.redirect("/echo", status=307)

@stream_request_body
class Upload(RequestHandler):
    ends = []
    def data_received(self, chunk):
        return task.deferLater(reactor, 0.02)
    def post(self):
        self.write("all of it")
    def on_connection_close(self):
        self.ends.append("gone")
    def get(self):
        self.write({"ends": self.ends})

class Socket(WebSocketHandler):
    def get_compression_options(self):
        return {}
    def select_subprotocol(self, names):
        return "second" if "second" in names else None
    def on_message(self, message):
        if message == "close":
            self.close(4001, "wie gewünscht")
        elif message == "fail":
            raise ValueError("on purpose")
        else:
            self.write_message(message, binary=isinstance(message, bytes))

class Events(SSEHandler):
    async def bind(self):
        for number in itertools.count(int(self.last_event_id or 0) + 1):
            await self.sendEvent(str(number), eid=number, retry=50)
            await task.deferLater(reactor, 0.02)

application = Application(
    [("/", Page), ("/echo", Echo), ("/again", Again), ("/upload", Upload), ("/socket", Socket),
     ("/events", Events)],
    xsrf_cookies=True, cross_origin_protection=True, websocket_max_message_size=1000,
    spool_threshold=100_000,
)
application.listen(int(sys.argv[1]), "127.0.0.1")
print(f"http://localhost:{sys.argv[1]}", flush=True)
reactor.addSystemEventTrigger("before", "shutdown", lambda: application.stop(0))
reactor.run()
"""

SCRIPT = r"""
const token = document.cookie.match(/_xsrf=([^;]*)/)[1], header = {"X-XSRFToken": token};
const post = async (path, body, headers) => {
  const answer = await fetch(path, {method: "POST", body, headers});
  return answer.ok ? await answer.json() : answer.status;
};
const form = new FormData();
form.append("_xsrf", token);
form.append("text", " ä\nb");
for (const size of [0, 300000]) form.append("f", new Blob([new Uint8Array(size)]), "grü\"ß.bin");
const filled = await new Promise((done, failed) => {
  const request = new XMLHttpRequest();
  let told = 0;
  request.upload.onprogress = event => { told = event.loaded / event.total; };
  request.onload = () => done({told, ...JSON.parse(request.responseText)});
  request.onerror = failed;
  request.open("POST", "/echo");
  request.send(form);
});
const upload = await new Promise(done => {
  const request = new XMLHttpRequest();
  request.upload.onprogress = () => request.abort();
  request.onabort = () => done("aborted");
  request.onloadend = () => done(request.status);
  request.open("POST", "/upload");
  request.setRequestHeader("X-XSRFToken", token);
  request.send(new Uint8Array(20000000));
});
const socket = names => new WebSocket(location.origin.replace("http", "ws") + "/socket", names);
const ended = message => new Promise(done => {
  const one = socket([]);
  one.onopen = () => one.send(message);
  one.onclose = event => done([event.code, event.reason, event.wasClean]);
});
const talk = await new Promise((done, failed) => {
  const one = socket(["first", "second"]), got = [];
  one.binaryType = "arraybuffer";
  one.onopen = () => { one.send("ä".repeat(400)); one.send(new Blob(["abc"])); };
  one.onmessage = event => {
    got.push(event.data.length || event.data.byteLength);
    if (got.length == 2) done([one.protocol, one.extensions, ...got]);
  };
  one.onclose = failed;
});
return {
  forged: await post("/echo", "x"), meant: await post("/echo", "x", header),
  again: await post("/again", "y".repeat(200000), header), filled, talk,
  ends: [await ended("close"), await ended("fail"), await ended("x".repeat(1001))],
  upload,
};
"""


def run(browser: Chrome, script: str) -> Any:
    """The value of a script, which may await."""
    wrapped = (
        f"const done = arguments[0]; (async () => {{{script}}})()"
        ".then(value => done([value]), error => done(String(error)));"
    )
    result: Any = browser.execute_async_script(wrapped)
    assert isinstance(result, list), result
    return result[0]


def test_what_scripts_see(start_program: Any, browser: Chrome) -> None:
    port = free_port()
    command = [sys.executable, "-c", SERVER, str(port)]
    server = start_program(*command)
    browser.set_script_timeout(30)
    browser.get(server.url)
    found = run(browser, SCRIPT)
    assert found["forged"] == 403
    names = ["__Host-one", "__Secure-two", "_xsrf", "parted", "strict"]
    assert found["meant"]["cookies"] == names
    assert found["meant"]["strict"] == 'a,"b"'
    assert found["again"]["size"] == 200_000
    assert found["filled"]["told"] == 1
    assert found["filled"]["text"] == " ä\r\nb"
    assert found["filled"]["files"] == [["grü%22ß.bin", 0], ["grü%22ß.bin", 300_000]]
    assert found["talk"] == ["second", "permessage-deflate", 400, 3]
    assert found["ends"] == [
        [4001, "wie gewünscht", True],
        [1011, "", True],
        [1009, "message too big", True],
    ]
    assert found["upload"] == "aborted"
    run(browser, "while (!(await (await fetch('/upload')).json()).ends.length);")

    # The server is started anew: events go on where they ended
    browser.execute_script(
        "window.ids = []; new EventSource('/events').onmessage = event => ids.push(+event.data);"
    )
    many = "while (ids.length < {0}) await new Promise(done => setTimeout(done, 10)); return ids"
    before = len(run(browser, many.format(5)))
    server.close()
    start_program(*command)
    ids = run(browser, many.format(before + 20))
    assert ids == list(range(1, len(ids) + 1))
