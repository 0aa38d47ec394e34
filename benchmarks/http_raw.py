"""HTTPServer beside a bare protocol, twisted.web and Tornado, in one run.

    python benchmarks/http_raw.py [requests] [pipelined] [idle] [upload] [--rounds N] [--seconds S]

Linux; needs wrk. Servers are pinned to one core and wrk to the other; rounds are interleaved; every
server is first asked for the right answer. Medians, with least and most in brackets; the CPU time
of the server for one request says more than the rate where the machine is shared.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PIPELINE = """
init = function(args)
  local r = {}
  for i = 1, 16 do r[i] = wrk.format("GET", "/") end
  req = table.concat(r)
end
request = function() return req end
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def pin(core: int) -> list[str]:
    cores = os.cpu_count() or 1
    return ["taskset", "-c", str(core % cores)] if cores > 1 and shutil.which("taskset") else []


class Server:
    """One server process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.process = subprocess.Popen(
            [*pin(0), sys.executable, str(HERE / "http_raw_servers.py"), name, str(self.port)]
        )

    def wait(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                    sock.sendall(REQUEST)
                    answer = sock.recv(4096)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        assert answer.startswith(b"HTTP/1.1 200"), answer
        if self.name != "upload":
            assert answer.endswith(b"\r\n\r\nhello world!"), answer

    @property
    def cpu(self) -> float:
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found is not None
        return int(found[1]) * 1024

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def servers(*names: str) -> Iterator[list[Server]]:
    running = [Server(name) for name in names]
    try:
        for server in running:
            server.wait()
        yield running
    finally:
        for server in running:
            server.stop()


def wrk(server: Server, seconds: float, script: str | None = None) -> tuple[float, float]:
    """Requests per second, and microseconds of the server's CPU time for each."""
    command = [*pin(1), "wrk", "-t1", "-c64", f"-d{max(1, round(seconds))}s"]
    if script is not None:
        command += ["-s", script]
    before = server.cpu
    out = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}/"], capture_output=True, text=True, check=True
    ).stdout
    used = server.cpu - before
    assert "Non-2xx" not in out, out
    total = re.search(r"(\d+) requests in", out)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    assert total is not None
    assert rate is not None
    return float(rate[1]), used / int(total[1]) * 1e6


def show(value: list[float], form: str = ",.0f") -> str:
    low, mid, high = min(value), statistics.median(value), max(value)
    return f"{mid:{form}} [{low:{form}} - {high:{form}}]"


def rates(options: argparse.Namespace, script: str | None, names: list[str]) -> dict[str, float]:
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    with servers(*names) as running:
        for server in running:
            wrk(server, 1, script)
        for _ in range(options.rounds):
            for server in running:
                results[server.name].append(wrk(server, options.seconds, script))
    medians = {}
    print("| server | requests per second | CPU microseconds per request |\n| --- | --- | --- |")
    for name, found in results.items():
        medians[name] = statistics.median(rate for rate, _ in found)
        print(
            f"| {name} | {show([rate for rate, _ in found])} "
            f"| {show([cpu for _, cpu in found], '.2f')} |"
        )
    first = results[names[0]]
    for name in names[1:]:
        by_rate = [a[0] / b[0] for a, b in zip(results[name], first, strict=True)]
        by_cpu = [b[1] / a[1] for a, b in zip(results[name], first, strict=True)]
        print(f"\n{name} : {names[0]} = {show(by_rate, '.2f')}; by CPU time {show(by_cpu, '.2f')}")
    return medians


def requests(options: argparse.Namespace) -> None:
    print("## A constant answer, 64 connections\n")
    rates(options, None, ["bare", "ours", "ours_headers", "site", "tornado"])


def pipelined(options: argparse.Namespace) -> None:
    print("\n## 16 requests pipelined\n")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(PIPELINE)
        script.flush()
        many = rates(options, script.name, ["bare", "ours"])
    print("\nThe same without pipelining:\n")
    one = rates(options, None, ["bare", "ours"])
    for name in ("bare", "ours"):
        print(f"\n{name}: pipelined : plain = {many[name] / one[name]:.2f}")


def idle(options: argparse.Namespace) -> None:
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2 * wanted, hard), hard))
    wanted = min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 300)
    print(f"\n## {wanted:,} idle connections that each had one answer\n")
    print("| server | bytes for each | rate of 64 busy ones with them : without |")
    print("| --- | --- | --- |")
    for name in ("bare", "ours", "site", "tornado"):
        with servers(name) as (server,):
            wrk(server, 1)
            without = [wrk(server, options.seconds)[1] for _ in range(options.rounds)]
            before = server.memory
            open_ones = []
            for _ in range(wanted):
                sock = socket.create_connection(("127.0.0.1", server.port))
                sock.sendall(REQUEST)
                sock.recv(4096)
                open_ones.append(sock)
            time.sleep(0.5)
            each = (server.memory - before) / wanted
            with_them = [wrk(server, options.seconds)[1] for _ in range(options.rounds)]
            for sock in open_ones:
                sock.close()
        ratio = statistics.median(without) / statistics.median(with_them)
        print(f"| {name} | {each:,.0f} | {ratio:.2f} (by CPU time) |")


def plain_copy(size: int) -> float:
    """Bytes per second of a loopback socket into a file, as dd would do it."""
    script = (
        "import socket,sys,tempfile\n"
        "s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True)\n"
        "c,_=s.accept(); f=tempfile.TemporaryFile(buffering=0)\n"
        "b=memoryview(bytearray(1<<18))\n"
        "while n:=c.recv_into(b): f.write(b[:n])\n"
        "c.sendall(b'x')\n"
    )
    process = subprocess.Popen(
        [*pin(0), sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with socket.create_connection(("127.0.0.1", int(process.stdout.readline()))) as sock:
        started = time.monotonic()
        send(sock, size)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
        taken = time.monotonic() - started
    process.communicate()
    return size / taken


def send(sock: socket.socket, size: int) -> None:
    piece = bytes(1 << 18)
    for _ in range(size // len(piece)):
        sock.sendall(piece)
    sock.sendall(bytes(size % len(piece)))


def upload(options: argparse.Namespace) -> None:
    size = 500_000_000
    print("\n## An upload of 500 MB, spooled to disk\n")
    rates_: list[float] = []
    copies: list[float] = []
    growth: list[float] = []
    with servers("upload") as (server,):
        for _ in range(options.rounds):
            copies.append(plain_copy(size) / 1e6)
            before = server.memory
            with socket.create_connection(("127.0.0.1", server.port)) as sock:
                started = time.monotonic()
                sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
                peak = 0
                piece = bytes(1 << 20)
                for i in range(size // len(piece)):
                    sock.sendall(piece)
                    if i % 50 == 0:
                        peak = max(peak, server.memory)
                sock.sendall(bytes(size % len(piece)))
                answer = sock.recv(4096)
                taken = time.monotonic() - started
            assert answer.endswith(b"\r\n\r\n%d" % size), answer
            rates_.append(size / taken / 1e6)
            growth.append((peak - before) / 1e6)
    print(f"MB per second: {show(rates_)}; a plain copy from a socket to a file: {show(copies)}")
    print(f"\nratio: {show([a / b for a, b in zip(rates_, copies, strict=True)], '.2f')}")
    print(f"\nmemory above the start, MB: {show(growth, '.1f')}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    modes = {"requests": requests, "pipelined": pipelined, "idle": idle, "upload": upload}
    parser.add_argument("modes", nargs="*", choices=[*modes, []], default=[])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    for name in options.modes or modes:
        modes[name](options)


if __name__ == "__main__":
    main()
