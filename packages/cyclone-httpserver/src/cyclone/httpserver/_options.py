"""All limits and switches of the server in one frozen object."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Self

MiB = 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Limits and switches of an `HTTPServer`; each is a keyword argument of it as well.

    Sizes are in bytes and times in seconds. ``None`` or ``0`` turns a limit or a timeout off,
    except for the sizes of the head, which always have a bound.
    """

    #: Close after each answer.
    no_keep_alive: bool = False
    #: Believe ``X-Real-Ip``, ``X-Forwarded-For``, ``X-Scheme``, ``Forwarded`` and their like.
    xheaders: bool = False
    #: With ``xheaders``: the peers they are believed from (addresses or networks); all if None.
    trusted_downstream: tuple[str, ...] | None = None
    #: With ``xheaders``: believe ``X-Forwarded-Host`` and ``-Port`` too.
    xheaders_host: bool = False
    #: ``http`` or ``https`` when a proxy in front ends TLS; None asks the transport.
    protocol: str | None = None
    #: Inflate gzip request bodies, up to the body limit.
    decompress_request: bool = False
    #: Expect the PROXY protocol, version 1 or 2, at the start of each connection.
    proxy_protocol: bool = False

    #: Bytes of a streamed body handed over in one piece, at most.
    chunk_size: int = 65536
    max_request_line: int = 8192
    max_header_line: int = 16384
    max_header_size: int = 65536
    max_header_count: int = 128
    max_trailer_size: int = 8192
    max_chunk_line: int = 256
    max_body_size: int | None = 100 * MiB
    #: A body above it goes to a temporary file.
    spool_threshold: int = 512 * 1024
    #: Where temporary files are made; None: the system's folder.
    spool_dir: str | None = None
    #: Input kept while an earlier request of the connection is being answered.
    max_pipelined_size: int = 65536
    #: Output waiting for a slow client: protocols over a detached transport tell a writer to wait
    #: from here on (an HTTP response waits for any output that was not taken at once) ...
    write_high_water: int = 65536
    #: ... and a writer that does not wait loses the connection at the second.
    max_buffer_size: int | None = 8 * MiB
    #: None: what the limit of open files allows; 0: no limit.
    max_connections: int | None = None
    #: When that many are connected: answer 503 and close, in place of letting clients wait.
    refuse_when_full: bool = False
    max_requests_per_connection: int | None = 10_000

    #: From the first byte of a request to the end of its head.
    header_timeout: float | None = 10.0
    #: From accept to the end of the first head.
    first_request_timeout: float | None = 15.0
    tls_handshake_timeout: float | None = 10.0
    idle_connection_timeout: float | None = 75.0
    #: Without any byte of the body.
    body_timeout: float | None = 30.0
    #: Bytes per second, averaged over ``body_timeout``.
    min_body_rate: float | None = 240.0
    #: Without the client taking any byte of the answer.
    write_timeout: float | None = 60.0
    #: How long a refused body is read and thrown away so that the client can read the answer.
    linger_timeout: float = 5.0
    #: How much of it, when the connection is to be kept.
    max_drain_size: int = 65536
    #: How long a client that closed its sending side may still wait for its answer.
    half_close_timeout: float = 5.0

    #: A head up to this size is within the limits of its lines and their number.
    unchecked_size: int = dataclasses.field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        trusted: object = self.trusted_downstream
        if isinstance(trusted, str):
            raise TypeError("trusted_downstream is a list of addresses, not a string")
        if isinstance(trusted, Iterable) and not isinstance(trusted, tuple):
            object.__setattr__(self, "trusted_downstream", tuple(trusted))
        if self.protocol not in (None, "http", "https"):
            raise ValueError(f"protocol is 'http', 'https' or None, not {self.protocol!r}")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, str | bytes) and type(field.default) in (int, float):
                raise TypeError(f"{field.name} is a number, not {value!r}")
            if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
                raise ValueError(f"{field.name} cannot be negative")
            if field.name in _ALWAYS_BOUNDED and not value:
                raise ValueError(f"{field.name} needs a bound above 0")
        # A field takes four bytes at least
        unchecked = min(4 * self.max_header_count, self.max_request_line, self.max_header_line)
        object.__setattr__(self, "unchecked_size", unchecked)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Pick the known names out of a mapping of settings; others are ignored.

        A None is taken for "the default" where None has no meaning of its own.
        """
        picked = {}
        for field in dataclasses.fields(cls):
            if field.init and field.name in settings:
                value = settings[field.name]
                if value is None and field.default is not None and field.name not in _NULLABLE:
                    continue
                picked[field.name] = value
        return cls(**picked)


_ALWAYS_BOUNDED = frozenset(
    (
        "chunk_size",
        "max_request_line",
        "max_header_line",
        "max_header_size",
        "max_header_count",
        "max_trailer_size",
        "max_chunk_line",
        "max_pipelined_size",
        "write_high_water",
    )
)
_NULLABLE = frozenset(
    (
        "max_body_size",
        "max_buffer_size",
        "max_requests_per_connection",
        "header_timeout",
        "first_request_timeout",
        "tls_handshake_timeout",
        "idle_connection_timeout",
        "body_timeout",
        "min_body_rate",
        "write_timeout",
    )
)
