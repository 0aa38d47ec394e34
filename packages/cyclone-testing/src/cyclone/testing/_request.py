"""Making the bytes of a request."""

from __future__ import annotations

import json as json_module
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cyclone.escape import utf8
from cyclone.httputil import HTTPFile, HTTPHeaders, is_token

#: Keywords or pairs; a value may be a list of values.
Params = Mapping[str, Any] | Iterable[tuple[str, Any]]
#: Field name to one file or several: `HTTPFile`, ``(filename, body[, content_type])`` or bytes.
Files = Mapping[str, Any]

# Left out of a URL, as browsers and urlsplit() do
_LINE_ENDS = dict.fromkeys(map(ord, "\t\r\n"))
_WITH_FORM = frozenset({"POST", "PUT", "PATCH"})


def pairs(params: Params | None) -> list[tuple[str, str | bytes]]:
    """The parameters as pairs of a name and text."""
    if params is None:
        return []
    items = params.items() if isinstance(params, Mapping) else params
    found: list[tuple[str, str | bytes]] = []
    for name, value in items:
        values = value if isinstance(value, list | tuple) else [value]
        found += [(name, item if isinstance(item, bytes) else str(item)) for item in values]
    return found


class OutgoingRequest:
    """One request: its method, target, headers and body.

    ``params`` go into the query, or into a form if the method is POST, PUT or PATCH and there is
    no other body. ``files`` make it a multipart form. ``json`` is sent as JSON.

    :raises ValueError: for two bodies, or a header that cannot be sent.
    """

    def __init__(
        self,
        method: str,
        uri: str,
        params: Params | None = None,
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        files: Files | None = None,
        json: object = None,
    ) -> None:
        self.method = method.upper()
        self.headers = HTTPHeaders(headers or {})
        if sum(value is not None for value in (body, json)) + bool(files and body) > 1:
            raise ValueError("give one of body, json and files")
        if not is_token(self.method):
            raise ValueError(f"{method!r} is no method")
        self.scheme, self.netloc, path, query = _parts(uri)
        self.path = quote(path, safe="/%:@!$&'()*+,;=~[]|^`{}\"<>\\") or "/"
        self.query = quote(query, safe="/?%:@!$&'()*+,;=~[]|^`{}\"<>\\")
        fields = pairs(params)
        self.body: bytes | None = None if body is None else utf8(body)
        if files:
            self.body = self._multipart(fields, files)
            return
        if json is not None:
            self.body = json_module.dumps(json).encode()
            self.headers.setdefault("Content-Type", "application/json")
        elif body is None and fields and self.method in _WITH_FORM:
            self.body = urlencode(fields).encode()
            self.headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            return
        if fields:
            self.query = "&".join(filter(None, [self.query, urlencode(fields)]))

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def wire(self, version: str) -> bytes:
        """The request as it is sent."""
        body = self.body or b""
        has_body = self.body is not None or self.method in _WITH_FORM
        if has_body and "Transfer-Encoding" not in self.headers:
            self.headers.setdefault("Content-Length", str(len(body)))
        line = f"{self.method} {self.target} {version}\r\n".encode("latin-1")
        return line + self.headers.wire() + b"\r\n" + body

    def _multipart(self, fields: list[tuple[str, str | bytes]], files: Files) -> bytes:
        boundary = secrets.token_hex(16)
        self.headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
        parts = [_part(name, utf8(value)) for name, value in fields]
        for name, given in files.items():
            for one in given if isinstance(given, list) else [given]:
                parts.append(_file_part(name, one))
        delimiter = f"--{boundary}\r\n".encode()
        return delimiter + delimiter.join(parts) + f"--{boundary}--\r\n".encode()


def _parts(uri: str) -> tuple[str, str, str, str]:
    """Scheme, host, path and query; what begins with a slash is a path, also with two of them."""
    if uri.startswith("/"):
        text = uri.translate(_LINE_ENDS).partition("#")[0]
        path, _, query = text.partition("?")
        return "", "", path, query
    url = urlsplit(uri)
    return url.scheme, url.netloc, url.path, url.query


def _part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def _file_part(name: str, given: Any) -> bytes:
    if isinstance(given, bytes | str):
        filename, body, kind = name, given, None
    elif isinstance(given, tuple):
        filename, body, kind = (*given, None)[:3]
    elif isinstance(given, HTTPFile | Mapping):
        filename, body, kind = given["filename"], given["body"], given.get("content_type")
    else:
        raise ValueError(f"a file is an HTTPFile, a tuple or bytes, not {type(given).__name__}")
    kind = kind or "application/octet-stream"
    if not kind.isprintable():
        raise ValueError(f"{kind!r} is no content type")
    more = f'; filename="{_quoted(filename)}"\r\nContent-Type: {kind}'
    return _part(name, utf8(body), more)


def _quoted(text: str) -> str:
    """As browsers do in multipart forms."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
