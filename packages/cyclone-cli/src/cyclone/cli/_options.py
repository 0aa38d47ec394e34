"""What `cyclone run` was asked for, in a form that can be sent to a worker process."""

from __future__ import annotations

import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class RunOptions:
    """The options of ``cyclone run``; times are in seconds."""

    target: str
    appopts: str | None = None
    port: int | None = None
    listen: str = "127.0.0.1"
    unix: str | None = None
    unix_mode: int = 0o666
    endpoints: tuple[str, ...] = ()
    ssl_port: int | None = None
    ssl_listen: str | None = None
    ssl_cert: str = "server.crt"
    ssl_key: str | None = None
    workers: int | None = None
    reload: bool = False
    debug: bool = False
    reactor: str | None = None
    xheaders: bool = False
    access_log: str | None = None
    pidfile: str | None = None
    drain_timeout: float = 25.0
    drain_delay: float = 0.0
    worker_timeout: float = 30.0
    backlog: int = 2048
    max_requests: int | None = None
    max_requests_jitter: int = 0

    def to_json(self) -> str:
        """For the environment of a worker."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunOptions:
        """The inverse of `to_json`."""
        fields = json.loads(text)
        fields["endpoints"] = tuple(fields["endpoints"])
        return cls(**fields)
