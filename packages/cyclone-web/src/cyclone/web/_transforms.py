"""Output transforms.

What may be done to a response on its way out. Compression is the one we have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclone.httputil import choose_encoding

from ._response import add_vary
from ._transforms_codecs import Codec, available_codecs

if TYPE_CHECKING:
    from cyclone.httpserver import HTTPRequest
    from cyclone.httputil import HTTPHeaders


class OutputTransform:
    """Changes a response as it is written.

    One is made for each request; this one changes nothing.
    """

    def __init__(self, request: HTTPRequest) -> None:
        pass

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Return the status, headers and first part of the body to send in place of these.

        *finishing* is true when *chunk* is the whole body.
        """
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Return what to send in place of *chunk*, a later part; the last one if *finishing*."""
        return chunk


class GZipContentEncoding(OutputTransform):
    """Compresses responses: gzip, and Brotli or Zstandard when installed and the client likes them.

    What the client accepts is weighed by its q-values (RFC 9110, section 12.5.3). Not compressed
    are types that do not gain by it, whole bodies under ``MIN_LENGTH`` bytes, parts of a
    representation (206), what has a ``Content-Encoding``, and responses that say ``Cache-Control:
    no-transform``. A strong ``ETag`` of a compressed response becomes weak: its bytes are others
    than the plain one's.

    The three attributes may be changed, on a subclass or here.
    """

    #: Types that are compressed besides ``text/*`` and those that end in ``+json`` or ``+xml``.
    CONTENT_TYPES = {  # noqa: RUF012 - applications add to it
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/wasm",
        "application/x-javascript",
        "application/xhtml+xml",
        "application/atom+xml",
        "application/xml",
        "image/svg+xml",
    }
    #: zlib's level, 1 (fast) to 9 (small); Brotli's and Zstandard's are derived from it.
    GZIP_LEVEL = 6
    #: Whole bodies shorter than this, in bytes, are sent as they are; streamed ones never are.
    MIN_LENGTH = 1024

    def __init__(self, request: HTTPRequest) -> None:
        self._accepted: str = request.headers.get("Accept-Encoding") or ""
        self._is_head = request.method == "HEAD"
        self._codec: Codec | None = None

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Decide whether to compress, and compress the first part."""
        if not self._may_depend(status_code, headers):
            return status_code, headers, chunk
        add_vary(headers, ["Accept-Encoding"])
        unsent = self._is_head and finishing and not chunk and "Content-Length" in headers
        size = int(headers["Content-Length"]) if unsent else len(chunk)
        coding = self._choose(status_code, size, finishing)
        if coding is None:
            return status_code, headers, chunk
        headers["Content-Encoding"] = coding
        weaken_etag(headers)
        if unsent:
            del headers["Content-Length"]  # nobody knows the compressed length
            return status_code, headers, chunk
        self._codec = available_codecs()[coding](self.GZIP_LEVEL)
        chunk = self._codec.piece(chunk, finishing)
        if "Content-Length" in headers:
            if finishing:
                headers["Content-Length"] = str(len(chunk))
            else:
                del headers["Content-Length"]
        return status_code, headers, chunk

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Compress a later part."""
        return chunk if self._codec is None else self._codec.piece(chunk, finishing)

    def _compressible_type(self, ctype: str) -> bool:
        return (
            ctype.startswith("text/")
            or ctype in self.CONTENT_TYPES
            or ctype.endswith(("+json", "+xml"))
        )

    def _may_depend(self, status_code: int, headers: HTTPHeaders) -> bool:
        """Tell whether this resource is one that some clients get compressed."""
        if status_code == 304:
            return True
        if status_code < 200 or status_code == 204:
            return False
        if status_code != 206 and "Content-Range" in headers:
            return False
        if "Content-Encoding" in headers:
            return False
        if "no-transform" in headers.get("Cache-Control", "").lower():
            return False
        ctype = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if status_code == 206 and ctype == "multipart/byteranges":
            return True  # of what type the file is, only the parts say
        return self._compressible_type(ctype)

    def _choose(self, status_code: int, size: int, finishing: bool) -> str | None:
        if status_code in (206, 304) or not self._accepted:
            return None
        if finishing and size < self.MIN_LENGTH:
            return None
        coding = choose_encoding(self._accepted, list(available_codecs()))
        return coding if coding in available_codecs() else None


class ChunkedTransferEncoding(OutputTransform):
    """Does nothing: the server frames responses. Kept for applications that name it."""


def weaken_etag(headers: HTTPHeaders) -> None:
    """Make the ``ETag`` weak: the bytes sent are not those of the plain representation."""
    etag = headers.get("Etag")
    if etag and not etag.startswith("W/"):
        headers["Etag"] = "W/" + etag
