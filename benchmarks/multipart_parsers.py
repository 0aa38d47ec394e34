"""Cyclone's multipart parser beside the `multipart` package's push parser.

    python benchmarks/multipart_parsers.py [--rounds N]

Two things decide between them: how fast they are on the bodies that are meant to be slow, and
whether the verdict on a body depends on how its bytes are cut into pieces. Process CPU time,
interleaved rounds, medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

from multipart import MultipartError, PushMultipartParser

from cyclone.httputil import HTTPInputError, MultipartLimits, MultipartReceiver

BOUNDARY = b"boundary"
SIZE = 20 * 1024 * 1024
HEAD = b'--boundary\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
TAIL = b"\r\n--boundary--\r\n"
PAYLOADS = {
    "ordinary bytes": bytes(range(256)) * (SIZE // 256),
    "CR only": b"\r" * SIZE,
    "CRLF only": b"\r\n" * (SIZE // 2),
    "near matches": b"\r\n--boundarx" * (SIZE // 12),
}
FIELD = b'--boundary\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
VERDICTS = {
    "a preamble": b"preamble\r\n" + FIELD + b"1" + TAIL,
    "a part without a body (RFC 2046, 5.1.1)": FIELD + b"--boundary--\r\n",
    "a long header block of short lines": (
        b"--boundary\r\n"
        + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 3000) for n in range(7))
        + FIELD.partition(b"\r\n")[2]
        + b"1"
        + TAIL
    ),
}


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def ours(body: bytes, size: int) -> None:
    receiver = MultipartReceiver(BOUNDARY, MultipartLimits())
    for piece in pieces(body, size):
        for _ in receiver.feed(piece):
            pass
    receiver.finish()


def package(body: bytes, size: int) -> None:
    parser = PushMultipartParser(BOUNDARY, strict=True)
    for piece in pieces(body, size):
        for _ in parser.parse(piece):
            pass
    parser.close()


PARSERS: dict[str, Callable[[bytes, int], None]] = {"cyclone": ours, "multipart": package}


def rate(parse: Callable[[bytes, int], None], body: bytes) -> float:
    started = time.process_time()
    parse(body, 65536)
    return len(body) / (time.process_time() - started) / 1e9


def verdict(parse: Callable[[bytes, int], None], body: bytes, size: int) -> str:
    try:
        parse(body, size)
    except (HTTPInputError, MultipartError):
        return "refused"
    return "accepted"


def main() -> None:
    parser = argparse.ArgumentParser(description="Multipart parsers side by side")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()

    print("| 20 MB in pieces of 64 KiB, GB/s |", " | ".join(PARSERS), "|")
    print("| --- |" + " --- |" * len(PARSERS))
    for name, payload in PAYLOADS.items():
        body = HEAD + payload + TAIL
        rates: dict[str, list[float]] = {key: [] for key in PARSERS}
        for _ in range(options.rounds):
            for key, parse in PARSERS.items():
                rates[key].append(rate(parse, body))
        cells = [f"{statistics.median(rates[key]):.2f}" for key in PARSERS]
        print(f"| {name} |", " | ".join(cells), "|")

    print("\n| verdict whole / in pieces of 16 bytes / byte by byte |", " | ".join(PARSERS), "|")
    print("| --- |" + " --- |" * len(PARSERS))
    for name, body in VERDICTS.items():
        cells = [
            " / ".join(verdict(parse, body, size) for size in (len(body), 16, 1))
            for parse in PARSERS.values()
        ]
        print(f"| {name} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
