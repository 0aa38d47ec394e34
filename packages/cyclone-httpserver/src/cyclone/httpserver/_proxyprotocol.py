"""The header of the PROXY protocol, versions 1 and 2, without I/O.

https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
"""

from __future__ import annotations

import socket
import struct
from ipaddress import ip_address
from typing import Final

from ._errors import RequestError
from ._proxy import plain_address

_V1: Final = b"PROXY "
_V1_MAX: Final = 107
_V2: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_V2_MAX: Final = 16 + 4096


class ProxyHeader:
    """Reads the header that a proxy puts before the first byte of a connection.

    `feed` returns None until the header is complete, then what follows it; ``source`` is the
    client's address then, or None if the proxy speaks for itself. `RequestError` if the bytes
    are anything else: such a connection is closed without an answer.
    """

    __slots__ = ("_buffer", "source")

    def __init__(self) -> None:
        self._buffer = b""
        self.source: str | None = None

    def feed(self, data: bytes) -> bytes | None:
        """Take the next bytes."""
        # Bounded: at most 4 KiB are ever kept
        data = self._buffer + data
        if data.startswith(_V2[: len(data)]):
            used = self._version2(data)
        elif data.startswith(_V1[: len(data)]):
            used = self._version1(data)
        else:
            raise RequestError(400, "no PROXY protocol header")
        if not used:
            self._buffer = data
            return None
        self._buffer = b""
        return data[used:]

    def _version1(self, data: bytes) -> int:
        end = data.find(b"\r\n", 0, _V1_MAX)
        if end < 0:
            if len(data) >= _V1_MAX:
                raise RequestError(400, "PROXY protocol header too long")
            return 0
        try:
            fields = data[:end].decode("ascii").split(" ")
            if fields[1] != "UNKNOWN":
                self._version1_addresses(fields)
        except (ValueError, IndexError):
            raise RequestError(400, "malformed PROXY protocol header") from None
        return end + 2

    def _version1_addresses(self, fields: list[str]) -> None:
        _, family, source, destination, *ports = fields
        version = {"TCP4": 4, "TCP6": 6}.get(family)
        if ip_address(source).version != version or ip_address(destination).version != version:
            raise ValueError
        if len(ports) != 2 or not all(
            port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65536
            for port in ports
        ):
            raise ValueError
        self.source = plain_address(str(ip_address(source)))

    def _version2(self, data: bytes) -> int:
        if len(data) < 16:
            return 0
        command, family, length = struct.unpack("!BBH", data[12:16])
        if command not in (0x20, 0x21) or 16 + length > _V2_MAX:
            raise RequestError(400, "malformed PROXY protocol header")
        end: int = 16 + length
        if len(data) < end:
            return 0
        sizes = {0x11: (socket.AF_INET, 4, 12), 0x21: (socket.AF_INET6, 16, 36)}
        if command == 0x21 and family in sizes:
            kind, size, needed = sizes[family]
            if length < needed:
                raise RequestError(400, "malformed PROXY protocol header")
            self.source = plain_address(socket.inet_ntop(kind, data[16 : 16 + size]))
        return end
