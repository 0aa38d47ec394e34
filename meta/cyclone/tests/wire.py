"""Raw connections to a server in another process."""

from __future__ import annotations

import base64
import http.client
import importlib.util
import os
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

#: A socket option: close with a reset, at once.
ABORT = b"\1\0\0\0\0\0\0\0"
_TESTS = Path(__file__).resolve().parents[3] / "packages/cyclone-httpserver/tests"


def load(name: str) -> Any:
    """A module of cyclone-httpserver's tests, which have the probes and the mutations."""
    if name != "http_support":
        load("http_support")  # the others import it
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _TESTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


def connect(url: str, timeout: float = 20.0) -> socket.socket:
    """A connection to the host and port of *url*."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return socket.create_connection((parts.hostname, parts.port), timeout)


def keep_alive(url: str, timeout: float = 20.0) -> http.client.HTTPConnection:
    """A client that keeps its connection."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)


def read_to_end(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = bytearray()
    with suppress(ConnectionError):
        while piece := client.recv(65536):
            received += piece
    return bytes(received)


def read_head(client: socket.socket) -> bytes:
    """The head of an answer, and nothing behind it."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        piece = client.recv(1)
        assert piece, received
        received += piece
    return received


def read_now(client: socket.socket) -> bytes | None:
    """What has come so far; None once the server has closed."""
    received = b""
    timeout = client.gettimeout()
    client.settimeout(0)
    try:
        while piece := client.recv(65536):
            received += piece
    except BlockingIOError:
        return received
    except ConnectionError:
        pass
    finally:
        client.settimeout(timeout)
    return received or None


def upgrade(url: str, path: str) -> socket.socket:
    """A WebSocket, its handshake done."""
    client = connect(url)
    key = base64.b64encode(os.urandom(16)).decode()
    client.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        "".encode()
    )
    assert read_head(client).startswith(b"HTTP/1.1 101 ")
    return client


def frame(opcode: int, payload: bytes) -> bytes:
    """A final frame of a client, masked with zeros."""
    size = len(payload)
    assert size < 65536
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0xFE, size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload
