"""An OAuth 1.0a provider made of oauthlib's server side, for the login tests.

    python oauth1_provider.py

Prints its URL. /authorize asks for a name; /api/me and /api/echo want signed requests.
"""

# oauthlib's types are narrower than what its server side takes.
# mypy: ignore-errors

import json
import secrets
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

from oauthlib.oauth1 import OAuth1Error, RequestValidator, WebApplicationServer

CLIENT = "cyclone0client0of0tests0"
SECRET = "a secret, 100% & more"


class Validator(RequestValidator):
    """Keeps everything in memory."""

    def __init__(self):
        super().__init__()
        self.requests, self.access, self.nonces = {}, {}, set()

    enforce_ssl = False
    realms = ("all",)
    safe_characters = RequestValidator.safe_characters.fget(None) | {"_", "-"}
    dummy_client = dummy_request_token = dummy_access_token = "x" * 24

    def get_client_secret(self, client_key, request):
        return SECRET if client_key == CLIENT else "y" * 24

    def validate_client_key(self, client_key, request):
        return client_key == CLIENT

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, **tokens):
        used = (timestamp, nonce) in self.nonces
        self.nonces.add((timestamp, nonce))
        return not used

    def get_default_realms(self, client_key, request):
        return ["all"]

    def get_realms(self, token, request):
        return ["all"]

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def verify_realms(self, token, realms, request):
        return True

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri == "oob" or redirect_uri.startswith("http://127.0.0.1:")

    def get_redirect_uri(self, token, request):
        return self.requests[token]["callback"]

    def save_request_token(self, token, request):
        self.requests[token["oauth_token"]] = {
            "secret": token["oauth_token_secret"],
            "callback": request.redirect_uri,
        }

    def verify_request_token(self, token, request):
        return token in self.requests

    def save_verifier(self, token, verifier, request):
        self.requests[token].update(verifier=verifier["oauth_verifier"], user=verifier["user_name"])

    def validate_request_token(self, client_key, token, request):
        return token in self.requests

    def get_request_token_secret(self, client_key, token, request):
        return self.requests.get(token, {}).get("secret", "z" * 24)

    def validate_verifier(self, client_key, token, verifier, request):
        return secrets.compare_digest(self.requests[token].get("verifier", ""), verifier)

    def save_access_token(self, token, request):
        self.access[token["oauth_token"]] = {
            "secret": token["oauth_token_secret"],
            "user": self.requests[request.resource_owner_key]["user"],
        }

    def invalidate_request_token(self, client_key, request_token, request):
        del self.requests[request_token]

    def validate_access_token(self, client_key, token, request):
        return token in self.access

    def get_access_token_secret(self, client_key, token, request):
        return self.access.get(token, {}).get("secret", "z" * 24)


validator = Validator()
server = WebApplicationServer(validator)


class Handler(BaseHTTPRequestHandler):
    """The endpoints."""

    def handle_any(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        uri = f"http://127.0.0.1:{self.server.server_port}{self.path}"
        path = urlsplit(uri).path
        headers = dict(self.headers)
        try:
            if path == "/request_token":
                self.answer(*server.create_request_token_response(uri, "GET", body, headers))
            elif path == "/access_token":
                self.answer(*server.create_access_token_response(uri, "GET", body, headers))
            elif path in ("/authorize", "/authenticate"):
                self.authorize(uri, body, headers)
            elif path.startswith("/api/"):
                self.resource(uri, body, headers)
            else:
                self.answer({}, "", 404)
        except OAuth1Error as error:
            self.answer({}, error.description or error.error, error.status_code)

    do_GET = do_POST = handle_any

    def authorize(self, uri, body, headers):
        if self.command == "GET":
            action = escape(self.path)
            form = f'<form action="{action}" method="post"><input name="user"></form>'
            self.answer({"Content-Type": "text/html"}, form, 200)
            return
        user = parse_qs(body)["user"][0]
        answer = server.create_authorization_response(
            uri, "GET", None, headers, ["all"], {"user_name": user}
        )
        self.answer(*answer)

    def resource(self, uri, body, headers):
        valid, request = server.validate_protected_resource_request(
            uri, self.command, body, headers, ["all"]
        )
        if not valid:
            self.answer({}, "refused", 401)
            return
        user = validator.access[request.resource_owner_key]["user"]
        values = {"screen_name": user, "name": user.title(), "echo": parse_qsl(body, True)}
        self.answer({"Content-Type": "application/json"}, json.dumps(values), 200)

    def answer(self, headers, body, status):
        data = (body or "").encode()
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
    print(f"http://127.0.0.1:{listener.server_port}", flush=True)
    listener.serve_forever()
