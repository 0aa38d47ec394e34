"""The options of a server as type checkers see them where they are keywords."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict


class ServerKeywords(TypedDict, total=False):
    """The keywords of `HTTPServer` that are fields of `ServerOptions`, which explains them.

    For annotations: ``def serve(**options: Unpack[ServerKeywords])``.
    """

    no_keep_alive: bool
    xheaders: bool
    trusted_downstream: Iterable[str] | None
    xheaders_host: bool
    protocol: str | None
    decompress_request: bool
    proxy_protocol: bool
    chunk_size: int
    max_request_line: int
    max_header_line: int
    max_header_size: int
    max_header_count: int
    max_trailer_size: int
    max_chunk_line: int
    max_body_size: int | None
    spool_threshold: int
    spool_dir: str | None
    max_pipelined_size: int
    write_high_water: int
    max_buffer_size: int | None
    max_connections: int | None
    refuse_when_full: bool
    max_requests_per_connection: int | None
    header_timeout: float | None
    first_request_timeout: float | None
    tls_handshake_timeout: float | None
    idle_connection_timeout: float | None
    body_timeout: float | None
    min_body_rate: float | None
    write_timeout: float | None
    linger_timeout: float
    max_drain_size: int
    half_close_timeout: float
