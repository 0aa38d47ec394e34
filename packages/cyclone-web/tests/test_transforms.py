import gzip
from types import SimpleNamespace
from typing import Any

import pytest

from cyclone.httputil import HTTPHeaders
from cyclone.web import RequestHandler
from cyclone.web._transforms import ChunkedTransferEncoding, GZipContentEncoding, OutputTransform

BODY = b"x" * 2000


def request(accepted: str | None = "gzip", method: str = "GET") -> Any:
    headers = HTTPHeaders()
    if accepted is not None:
        headers["Accept-Encoding"] = accepted
    return SimpleNamespace(headers=headers, method=method)


def first(
    accepted: str | None = "gzip",
    status: int = 200,
    body: bytes = BODY,
    finishing: bool = True,
    method: str = "GET",
    **fields: str,
) -> tuple[HTTPHeaders, bytes]:
    headers = HTTPHeaders({"Content-Type": "text/html; charset=UTF-8"})
    for name, value in fields.items():
        headers[name.replace("_", "-")] = value
    transform = GZipContentEncoding(request(accepted, method))
    _, headers, body = transform.transform_first_chunk(status, headers, body, finishing)
    return headers, body


def test_a_whole_body() -> None:
    headers, body = first(Content_Length="2000", Etag='"abc"')
    assert gzip.decompress(body) == BODY
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Length"] == str(len(body))
    assert headers["Vary"] == "Accept-Encoding"
    assert headers["Etag"] == 'W/"abc"'  # ST-17


def test_a_streamed_body() -> None:
    transform = GZipContentEncoding(request())
    headers = HTTPHeaders({"Content-Type": "text/plain", "Content-Length": "6"})
    _, headers, start = transform.transform_first_chunk(200, headers, b"one", False)
    assert "Content-Length" not in headers
    rest = transform.transform_chunk(b"two", False) + transform.transform_chunk(b"", True)
    assert gzip.decompress(start + rest) == b"onetwo"


@pytest.mark.parametrize(
    "accepted",
    [None, "", "gzip;q=0", "xgzip", "identity", "*;q=0", "identity, gzip;q=0.5"],
)
def test_o22_what_the_client_does_not_want(accepted: str | None) -> None:
    headers, body = first(accepted)
    assert (body, "Content-Encoding" in headers) == (BODY, False)
    assert headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "accepted", ["gzip", "GZIP", "x-gzip, deflate", "gzip;q=0.1", "*", "br;q=0, gzip"]
)
def test_what_it_wants(accepted: str) -> None:
    if accepted == "*":
        assert "Content-Encoding" in first(accepted)[0]
    else:
        assert first(accepted)[0]["Content-Encoding"] == "gzip"


def test_the_best_of_equals() -> None:
    pytest.importorskip("brotli")
    assert first("gzip, br")[0]["Content-Encoding"] == "br"
    assert first("gzip, br;q=0.9")[0]["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("arguments", "vary"),
    [
        pytest.param({"body": b"small"}, True, id="small"),
        pytest.param({"Content_Type": "image/png"}, False, id="compressed-type"),
        pytest.param({"Content_Encoding": "br"}, False, id="encoded-already"),
        pytest.param({"status": 206, "Content_Range": "bytes 0-1/3"}, True, id="RI-16"),
        pytest.param(
            {"status": 206, "Content_Type": "multipart/byteranges; boundary=x"}, True, id="parts"
        ),
        pytest.param({"status": 206, "Content_Type": "image/png"}, False, id="part-of-a-picture"),
        pytest.param({"status": 416, "Content_Range": "bytes */3"}, False, id="no-range"),
        pytest.param({"status": 204, "body": b""}, False, id="204"),
        pytest.param({"status": 304, "body": b""}, True, id="304"),
        pytest.param({"Cache_Control": "public, No-Transform"}, False, id="no-transform"),
    ],
)
def test_left_alone(arguments: dict[str, Any], vary: bool) -> None:
    headers, body = first(**arguments)
    assert body == arguments.get("body", BODY)
    assert headers.get("Content-Encoding") == arguments.get("Content_Encoding")
    assert ("Vary" in headers) is vary


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/json; charset=UTF-8",
        "application/ld+json",
        "image/svg+xml",
        "TEXT/CSS",
    ],
)
def test_types_that_gain(content_type: str) -> None:
    assert "Content-Encoding" in first(Content_Type=content_type)[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Origin", ["Origin", "Accept-Encoding"]),
        ("Accept-Language,Cookie", ["Accept-Language", "Cookie", "Accept-Encoding"]),
        ("accept-encoding", ["accept-encoding"]),
        ("*", ["*"]),
    ],
)
def test_ri15_vary_is_merged(before: str, after: list[str]) -> None:
    """RI-15."""
    headers, _ = first(Vary=before)
    assert [name.strip() for name in headers["Vary"].split(",")] == after


@pytest.mark.parametrize("accepted", ["gzip", ""])
@pytest.mark.parametrize("streamed", [False, True])
def test_vary_of_a_handler_stays_RI_15(serve: Any, accepted: str, streamed: bool) -> None:
    """RI-15: whether this client gets it compressed or not."""

    class Page(RequestHandler):
        def get(self) -> None:
            self.set_header("Vary", "Origin")
            self.add_header("Vary", "Accept-Language")
            self.write("x" * 2000)
            if streamed:
                self.flush()

    client = serve([("/", Page)], gzip=True)
    headers = client.fetch("GET", "/", headers={"Accept-Encoding": accepted}).headers
    assert headers.get("Content-Encoding", "") == accepted
    names = [name.strip() for name in headers["Vary"].split(",")]
    assert sorted(names) == ["Accept-Encoding", "Accept-Language", "Origin"]


def test_head_has_the_fields_of_get_without_a_length() -> None:
    headers, body = first(method="HEAD", body=b"", Content_Length="5000")
    assert (body, headers["Content-Encoding"], "Content-Length" in headers) == (b"", "gzip", False)
    headers, body = first(method="HEAD", body=b"", Content_Length="50")
    assert (body, "Content-Encoding" in headers, headers["Content-Length"]) == (b"", False, "50")


def test_attributes_may_be_changed() -> None:
    class Mine(GZipContentEncoding):
        MIN_LENGTH = 1
        CONTENT_TYPES = {"application/x-mine"}  # noqa: RUF012

    headers = HTTPHeaders({"Content-Type": "application/x-mine"})
    _, headers, _ = Mine(request()).transform_first_chunk(200, headers, b"a", True)
    assert headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("transform", [OutputTransform, ChunkedTransferEncoding])
def test_transforms_that_change_nothing(transform: type[OutputTransform]) -> None:
    headers = HTTPHeaders()
    made = transform(request())
    assert made.transform_first_chunk(200, headers, b"a", False) == (200, headers, b"a")
    assert made.transform_chunk(b"b", True) == b"b"


def test_answers_without_a_body_are_transformed_too(serve: Any) -> None:
    class Text(RequestHandler):
        def get(self) -> None:
            if self.get_argument("empty", None):
                self.set_status(204)
            else:
                self.write("x" * 2000)

    class Stamp(OutputTransform):
        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            headers["X-Stamp"] = f"{status_code} {len(chunk)} {finishing}"
            return status_code, headers, chunk or b"no body may have"

    client = serve([("/", Text)], transforms=[GZipContentEncoding, Stamp])
    etag = client.fetch("GET", "/").headers["Etag"]
    unchanged = client.fetch("GET", "/", headers={"If-None-Match": etag})
    assert (unchanged.status, unchanged.headers["X-Stamp"]) == (304, "304 0 True")
    assert (unchanged.headers["Vary"], unchanged.text) == ("Accept-Encoding", "")
    empty = client.fetch("GET", "/?empty=1")
    assert (empty.status, empty.headers["X-Stamp"], empty.text) == (204, "204 0 True", "")
    assert "Vary" not in empty.headers
