"""The HTTP client beside treq, Twisted's Agent, Tornado and aiohttp, in one run against one nginx.

    python benchmarks/http_client.py [get] [download] [--rounds N] [--seconds S]

``get``: 50 concurrent GETs of 1 KB over kept-alive connections, each client in a process of its own
that is pinned to the last core. ``download``: 100 MB streamed, and how much memory that took.
Rounds are interleaved, each answer is checked; medians, with least and most in
brackets. Linux; needs nginx.
"""

from __future__ import annotations

import argparse
import os
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

CLIENTS = ("cyclone", "agent", "treq", "tornado", "aiohttp")
DOWNLOAD = 100 * 1000 * 1000

CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 10000000; sendfile on;
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp;
  fastcgi_temp_path {folder}/tmp; uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;
  server {{ listen 127.0.0.1:{port}; root {folder}/html; }}
}}
"""

# What every client has in common: `one()` fetches and checks one page; `drive` keeps 50 busy.
ASYNCIO = """
import asyncio, sys, time
URL, SECONDS, N = sys.argv[1], float(sys.argv[2]), 50
async def worker(until):
    count = 0
    while time.perf_counter() < until:
        await one(); count += 1
    return count
async def drive():
    await asyncio.gather(*[one() for _ in range(N)])
    begin, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*[worker(begin + SECONDS) for _ in range(N)])
    print(sum(counts) / (time.perf_counter() - begin), (time.process_time() - cpu) / sum(counts))
"""

TWISTED = """
import sys, time
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react
URL, SECONDS, N = sys.argv[1], float(sys.argv[2]), 50
async def worker(until):
    count = 0
    while time.perf_counter() < until:
        await one(); count += 1
    return count
async def drive(_):
    await gatherResults([Deferred.fromCoroutine(one()) for _ in range(N)])
    begin, cpu = time.perf_counter(), time.process_time()
    counts = await gatherResults(
        [Deferred.fromCoroutine(worker(begin + SECONDS)) for _ in range(N)])
    print(sum(counts) / (time.perf_counter() - begin), (time.process_time() - cpu) / sum(counts))
"""

POOL = """
from twisted.web.client import Agent, HTTPConnectionPool, readBody
pool = HTTPConnectionPool(reactor); pool.maxPersistentPerHost = N
"""

PROGRAMS = {
    "cyclone": TWISTED
    + """
from cyclone.httpclient import AsyncHTTPClient
client = AsyncHTTPClient(force_instance=True, max_clients=N)
async def one():
    assert len((await client.fetch(URL)).body) == 1024
react(lambda r: Deferred.fromCoroutine(drive(r)))
""",
    "agent": TWISTED
    + POOL
    + """
agent = Agent(reactor, pool=pool)
async def one():
    assert len(await readBody(await agent.request(b"GET", URL.encode()))) == 1024
react(lambda r: Deferred.fromCoroutine(drive(r)))
""",
    "treq": TWISTED
    + POOL
    + """
import treq
async def one():
    assert len(await (await treq.get(URL, pool=pool)).content()) == 1024
react(lambda r: Deferred.fromCoroutine(drive(r)))
""",
    "tornado": ASYNCIO
    + """
from tornado.httpclient import AsyncHTTPClient
async def main():
    global one
    client = AsyncHTTPClient(force_instance=True, max_clients=N)
    async def one():
        assert len((await client.fetch(URL)).body) == 1024
    await drive()
asyncio.run(main())
""",
    "aiohttp": ASYNCIO
    + """
import aiohttp
async def main():
    global one
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=N)) as session:
        async def one():
            async with session.get(URL) as response:
                assert len(await response.read()) == 1024
        await drive()
asyncio.run(main())
""",
}

DOWNLOADER = """
import resource, sys, time
from twisted.internet.task import react
from twisted.internet.defer import Deferred
from cyclone.httpclient import AsyncHTTPClient
URL = sys.argv[1]
async def main(_):
    client = AsyncHTTPClient(force_instance=True)
    await client.fetch(URL + "/1k")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = 0
    def take(data):
        nonlocal size
        size += len(data)
    begin = time.perf_counter()
    await client.fetch(URL + "/big", streaming_callback=take, request_timeout=0)
    taken = time.perf_counter() - begin
    assert size == int(sys.argv[2]), size
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(size / taken / 1e6, grown / 1024)
    client.close()
react(lambda r: Deferred.fromCoroutine(main(r)))
"""


@contextmanager
def nginx() -> Iterator[str]:
    """An nginx with a page of 1 KB and a file of 100 MB; its URL."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise SystemExit("nginx is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "html").mkdir()
        (folder / "html" / "1k").write_bytes(b"x" * 1024)
        with (folder / "html" / "big").open("wb") as big:
            big.truncate(DOWNLOAD)
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port))
        server = subprocess.Popen(
            [program, "-p", name, "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(100):
                with socket.socket() as attempt:
                    if attempt.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def measure(program: str, *arguments: str) -> tuple[float, float]:
    """Run a client in a process of its own, on the last core."""
    core = str((os.cpu_count() or 1) - 1)
    command = ["taskset", "-c", core, sys.executable, "-W", "ignore", "-c", program, *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    first, second = output.split()
    return float(first), float(second)


def row(name: str, rates: list[float], costs: list[float], base: float) -> str:
    median = statistics.median(rates)
    spread = f"{median:,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
    cost = f"{statistics.median(costs) * 1e6:,.0f}"
    return f"| {name} | {spread} | {cost} | {base / median:.2f}x |"


def compare(url: str, rounds: int, seconds: float) -> None:
    rates: dict[str, list[float]] = {name: [] for name in CLIENTS}
    costs: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(rounds):
        for name in CLIENTS:
            rate, cost = measure(PROGRAMS[name], url + "/1k", str(seconds))
            rates[name].append(rate)
            costs[name].append(cost)
    base = statistics.median(rates["cyclone"])
    print("| client | requests/s (least-most) | CPU us/request | cyclone is |")
    print("| --- | --- | --- | --- |")
    for name in CLIENTS:
        print(row(name, rates[name], costs[name], base))


def download(url: str, rounds: int) -> None:
    results = [measure(DOWNLOADER, url, str(DOWNLOAD)) for _ in range(rounds)]
    speed = statistics.median(result[0] for result in results)
    memory = max(result[1] for result in results)
    print(f"100 MB streamed: {speed:,.0f} MB/s, at most {memory:.1f} MiB more memory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["get", "download"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    options = parser.parse_args()
    with nginx() as url:
        if "get" in options.what:
            compare(url, options.rounds, options.seconds)
        if "download" in options.what:
            download(url, 3)


if __name__ == "__main__":
    main()
