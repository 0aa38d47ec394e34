"""One worker process beside two, three, ...: what `cyclone run --workers N` gains.

    python benchmarks/workers.py [--workers 1,2] [--rounds 5] [--seconds 4] [--connections 64]

Linux; needs wrk. All start together and take turns within each round, unpinned, so that the kernel
spreads them over the cores as it would for anybody. The page sorts 800 items and shows the first 40
by a template, which costs a few hundred microseconds: wrk is light beside it. Answers are checked
first. The columns: requests per second; what that is of the first one, in the same round;
microseconds of CPU for one request (of the supervisor, its workers and wrk); how the connections
fell to the workers; and how busy other programs kept the machine meanwhile, in cores: what they
take is missing to the second worker first.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

APP = '''
import os

from cyclone.template import DictLoader
from cyclone.web import Application, RequestHandler

PAGE = """<!DOCTYPE html><html><head><title>{{ title }}</title></head><body><table>
{% for row in rows %}<tr class="{{ row["kind"] }}"><td><a href="/item/{{ row["number"] }}">
{{ row["name"] }}</a></td><td>{{ row["text"] }}</td></tr>
{% end %}</table></body></html>"""
ITEMS = [
    {"number": n, "kind": "odd" if n % 2 else "even", "name": f"Item <{n}>", "text": "a & b " * 8}
    for n in range(800)
]


class Page(RequestHandler):
    def get(self):
        rows = sorted(ITEMS, key=lambda item: (item["kind"], -item["number"]))
        self.render("page.html", title="Items", rows=rows[:40])


class Process(RequestHandler):
    def get(self):
        self.write(str(os.getpid()))


application = Application(
    [("/", Page), ("/process", Process)], template_loader=DictLoader({"page.html": PAGE})
)
'''
TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """Seconds of CPU a process has had."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(stat[11]) + int(stat[12])) / TICK


def busy() -> float:
    """Seconds of CPU that all programs of the machine have had."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])
    return (user + nice + system) / TICK


def children_cpu() -> float:
    """Seconds of CPU that the processes we have waited for had."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@dataclass
class Measured:
    """One turn of one server."""

    rate: float
    server_us: float
    wrk_us: float
    others: float


@dataclass
class Server:
    """`cyclone run --workers N` on a port of its own."""

    workers: int
    process: subprocess.Popen[bytes]
    port: int
    turns: list[Measured] = field(default_factory=list)

    def cpu(self) -> float:
        """Seconds of CPU of the supervisor and its workers."""
        pid = self.process.pid
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(map(cpu_of, [pid, *map(int, below)]))

    def fetch(self, path: str, sock: socket.socket) -> bytes:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = re.search(rb"Content-Length: (\d+)", head)
        assert length is not None
        while len(body) < int(length[1]):
            body += sock.recv(65536)
        return body

    def check(self, connections: int) -> list[int]:
        """Ask for the right answer; returns how many connections each worker gets."""
        seen: collections.Counter[bytes] = collections.Counter()
        with contextlib.ExitStack() as stack:
            address = ("127.0.0.1", self.port)
            socks = [
                stack.enter_context(socket.create_connection(address, 10))
                for _ in range(connections)
            ]
            for sock in socks:
                page = self.fetch("/", sock)
                assert page.count(b"<tr ") == 40, page
                assert page.count(b"Item &lt;798&gt;") == 1, page
                seen[self.fetch("/process", sock)] += 1
        return sorted(seen.values())

    def turn(self, seconds: int, connections: int) -> None:
        """Let wrk ask for some time."""
        url = f"http://127.0.0.1:{self.port}/"
        server, wrk, all_of_it = self.cpu(), children_cpu(), busy()
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        server, wrk = self.cpu() - server, children_cpu() - wrk
        others = max(0.0, busy() - all_of_it - server - wrk)
        assert "Non-2xx" not in out, out
        assert "Socket errors" not in out, out
        count = re.search(r"(\d+) requests in", out)
        rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
        assert count is not None
        assert rate is not None
        requests = int(count[1]) / 1e6
        self.turns.append(
            Measured(float(rate[1]), server / requests, wrk / requests, others / seconds)
        )


@contextlib.contextmanager
def servers(counts: list[int]) -> Iterator[list[Server]]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        Path(folder, "app.py").write_text(APP, "utf-8")
        running = []
        for workers in counts:
            command = [sys.executable, "-m", "cyclone.cli", "run", "app.py", "--port", "0"]
            command += ["--workers", str(workers), "--access-log", "off"]
            process = subprocess.Popen(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            stack.enter_context(process)
            stack.callback(process.terminate)
            assert process.stdout is not None
            port = re.search(rb"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
            assert port is not None
            running.append(Server(workers, process, int(port[1])))
        yield running


def show(values: list[float], form: str) -> str:
    low, mid, high = min(values), statistics.median(values), max(values)
    return f"{mid:{form}} [{low:{form}} - {high:{form}}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="1,2", help="numbers to compare with the first")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    counts = [int(count) for count in options.workers.split(",")]
    with servers(counts) as running:
        for server in running:
            server.check(options.connections)  # the first request compiles the template
        shares = {server.workers: server.check(options.connections) for server in running}
        for server in running:
            server.turn(1, options.connections)  # warm
            server.turns.clear()
        for _ in range(options.rounds):
            for server in running:
                server.turn(options.seconds, options.connections)
    print(
        "| workers | requests per second | of the first | server us per request "
        "| wrk us per request | connections of each | other programs, cores |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    first = running[0].turns
    for server in running:
        turns = server.turns
        cells = [
            str(server.workers),
            show([turn.rate for turn in turns], ",.0f"),
            show([a.rate / b.rate for a, b in zip(turns, first, strict=True)], ".2f"),
            show([turn.server_us for turn in turns], ",.0f"),
            show([turn.wrk_us for turn in turns], ",.0f"),
            " ".join(map(str, shares[server.workers])),
            show([turn.others for turn in turns], ".2f"),
        ]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
