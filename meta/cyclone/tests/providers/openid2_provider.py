"""An OpenID 2.0 provider made of python3-openid's server side, for the login tests.

    python openid2_provider.py

Prints its URL; /openid is its endpoint. The form asks for a name, which becomes user and email.
"""

# python3-openid has no types.
# mypy: ignore-errors

import warnings
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

# python3-openid is older than some of the warnings it causes.
warnings.simplefilter("ignore")

from openid.extensions import ax  # noqa: E402
from openid.server.server import Server  # noqa: E402
from openid.store.memstore import MemoryStore  # noqa: E402

EMAIL = "http://axschema.org/contact/email"
NAME = "http://axschema.org/namePerson"
LANGUAGE = "http://axschema.org/pref/language"


class Handler(BaseHTTPRequestHandler):
    """The endpoint and its login form."""

    def handle_any(self):
        length = int(self.headers.get("Content-Length", 0))
        fields = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        fields |= dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
        user = fields.pop("user", None)
        request = self.server.openid.decodeRequest(fields)
        if request.mode != "checkid_setup":
            self.send(self.server.openid.handleRequest(request))
        elif user is None:
            hidden = "".join(
                f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
                for name, value in fields.items()
            )
            page = f'<form action="/openid" method="post">{hidden}<input name="user"></form>'
            self.answer(200, {"Content-Type": "text/html"}, page)
        elif user == "cancel":
            self.send(request.answer(False))
        else:
            identity = f"{self.server.base}/id/{user}"
            response = request.answer(True, identity=identity, claimed_id=identity)
            asked = ax.FetchRequest.fromOpenIDRequest(request)
            told = ax.FetchResponse(asked)
            told.addValue(EMAIL, f"{user}@example.com")
            told.addValue(NAME, user.title())
            told.addValue(LANGUAGE, "EN")
            response.addExtension(told)
            self.send(response)

    do_GET = do_POST = handle_any

    def send(self, response):
        encoded = self.server.openid.encodeResponse(response)
        self.answer(encoded.code, encoded.headers, encoded.body)

    def answer(self, status, headers, body):
        data = body.encode() if isinstance(body, str) else body or b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.base = f"http://127.0.0.1:{listener.server_port}"
    listener.openid = Server(MemoryStore(), listener.base + "/openid")
    print(listener.base, flush=True)
    listener.serve_forever()
