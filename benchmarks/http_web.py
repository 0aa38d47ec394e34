"""Web frameworks side by side: requests per second of one core.

    python benchmarks/http_web.py [--scenarios hello,json] [--rounds 3] [--markdown FILE]

Needs wrk, and for a comparison tornado, klein, starlette with uvicorn[standard] and
python-multipart, blacksheep, jinja2. Each server runs alone on the first core, wrk on the second.
Every server's answer is checked before it is measured; the servers take turns within each round,
and the tables show medians of requests per second of the server's own CPU time: what a core that
does nothing else would serve, also when the machine has other work. Only ratios within one run mean
anything: machines differ, and drift. The variable CYCLONE1_PYTHON names a Python that has Cyclone
1.3 (see cyclone1_server.py) for `--scenarios hello --frameworks cyclone,cyclone1`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SERVERS = Path(__file__).with_name("http_web_servers.py")
FRAMEWORKS = ("cyclone", "tornado", "klein", "starlette", "blacksheep")
UPLOAD = 5 * 1024 * 1024
BOUNDARY = "benchmark-boundary"


@dataclass
class Scenario:
    """One kind of request, and what its answer has to be."""

    name: str
    path: str
    check: Callable[[bytes], bool]
    method: str = "GET"
    body: bytes = b""
    content_type: str = ""
    cookie: bool = False
    connections: int = 64
    routes: int = 0


def multipart(size: int) -> bytes:
    head = (
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        'name="file"; filename="f.bin"\r\nContent-Type: application/octet-stream\r\n\r\n'
    )
    return head.encode() + os.urandom(size) + f"\r\n--{BOUNDARY}--\r\n".encode()


def greeting(body: bytes) -> bool:
    return body == b"Hello, world"


def orders(body: bytes) -> bool:
    return body.count(b"<tr class=") == 50 and b"user49@example.com" in body


SCENARIOS = [
    Scenario("hello", "/", greeting),
    Scenario("json", "/json", lambda body: b'"numbers"' in body and b'"nested"' in body),
    Scenario("page", "/page", orders),
    Scenario("page of dictionaries", "/dicts", orders),
    Scenario(
        "rows",
        "/rows",
        lambda body: body.count(b"<tr>") == 100 and b"Name &amp; 99" in body,
    ),
    Scenario(
        "form",
        "/form",
        lambda body: body == b"J\xc3\xbcrgen M 42",
        method="POST",
        body=b"name=J%C3%BCrgen+M&age=42&comment=" + b"word+" * 20,
        content_type="application/x-www-form-urlencoded",
    ),
    Scenario("cookie", "/cookie", lambda body: body.isdigit(), cookie=True),
    Scenario("1 route", "/route0/item/42", greeting, routes=1),
    Scenario("200 routes", "/route199/item/42", greeting, routes=200),
    Scenario("500 routes", "/route499/item/42", greeting, routes=500),
    Scenario("1 ms wait", "/wait", greeting, connections=256),
    Scenario("16 KB file", "/static/small.bin", lambda body: len(body) == 16 * 1024),
    Scenario("1 MB file", "/static/large.bin", lambda body: len(body) == 1024**2, connections=16),
    Scenario(
        "5 MB upload",
        "/upload",
        lambda body: body == str(UPLOAD).encode(),
        method="POST",
        body=multipart(UPLOAD),
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        connections=8,
    ),
]


@contextlib.contextmanager
def server(framework: str, folder: str, routes: int) -> Iterator[tuple[int, int]]:
    """Start a server on the first core; its port and its process, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(SERVERS), framework, str(port), folder, str(routes)]
    if framework == "cyclone1":
        command = [
            os.environ["CYCLONE1_PYTHON"],
            str(SERVERS.parent / "cyclone1_server.py"),
            str(port),
        ]
    process = subprocess.Popen(["taskset", "-c", "0", *command], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None:
                raise RuntimeError(f"{framework} did not start")
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(10)


def ask(port: int, scenario: Scenario) -> tuple[bytes, str]:
    """One request: the body of the answer, and its cookie."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{scenario.path}",
        data=scenario.body or None,
        method=scenario.method,
        headers={"Content-Type": scenario.content_type} if scenario.body else {},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]
        return answer.read(), cookie


def script(scenario: Scenario, cookie: str, folder: str) -> list[str]:
    """What wrk needs to know of the request, as a Lua file."""
    lines = []
    if scenario.body:
        body = Path(folder, f"body-{scenario.name.replace(' ', '-')}")
        body.write_bytes(scenario.body)
        lines += [
            f'wrk.method = "{scenario.method}"',
            f'local file = io.open("{body}", "rb")',
            'wrk.body = file:read("*a")',
            "file:close()",
            f'wrk.headers["Content-Type"] = "{scenario.content_type}"',
        ]
    if scenario.cookie:
        lines.append(f"wrk.headers[\"Cookie\"] = '{cookie}'")
    if not lines:
        return []
    path = Path(folder, "request.lua")
    path.write_text("\n".join(lines) + "\n")
    return ["-s", str(path)]


def cpu_seconds(pid: int) -> float:
    """What a process used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run_wrk(
    port: int, pid: int, scenario: Scenario, cookie: str, folder: str, seconds: int
) -> float:
    """Requests per second of the server's CPU; an error when any answer was not a 2xx."""
    options = script(scenario, cookie, folder)
    url = f"http://127.0.0.1:{port}{scenario.path}"
    load = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", *options, url]
    begun = cpu_seconds(pid)
    done = subprocess.run(["taskset", "-c", "1", *load], capture_output=True, text=True, check=True)
    used = cpu_seconds(pid) - begun
    if "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    found = re.search(r"(\d+) requests in", done.stdout)
    if found is None or not used:
        raise RuntimeError(done.stdout)
    return int(found[1]) / used


def measure(
    scenario: Scenario, frameworks: list[str], folder: str, rounds: int, seconds: int
) -> dict[str, list[float]]:
    """Requests per second of each framework, in rounds."""
    results: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        ready: dict[str, tuple[int, int, str]] = {}
        for framework in frameworks:
            try:
                port, pid = stack.enter_context(server(framework, folder, scenario.routes))
                body, cookie = ask(port, scenario)
            except (RuntimeError, OSError, urllib.error.HTTPError) as error:
                print(f"  {framework}: {error}", file=sys.stderr)
                continue
            if not scenario.check(body):
                print(f"  {framework}: wrong answer {body[:80]!r}", file=sys.stderr)
                continue
            ready[framework] = (port, pid, cookie)
        for _ in range(rounds):
            for framework, (port, pid, cookie) in ready.items():
                rate = run_wrk(port, pid, scenario, cookie, folder, seconds)
                results.setdefault(framework, []).append(rate)
    return results


def table_row(scenario: Scenario, results: dict[str, list[float]], frameworks: list[str]) -> str:
    ours = statistics.median(results["cyclone"])
    cells = [scenario.name]
    for framework in frameworks:
        rates = results.get(framework)
        if rates is None:
            cells.append("-")
            continue
        rate = statistics.median(rates)
        ratio = "" if framework == "cyclone" else f" ({ours / rate:.1f}x)"
        cells.append(f"{rate:,.0f}{ratio}")
    return "| " + " | ".join(cells) + " |"


def versions(frameworks: list[str]) -> str:
    found = []
    for name in [*frameworks, "uvicorn", "twisted"]:
        with contextlib.suppress(PackageNotFoundError):
            found.append(f"{name} {version('cyclone-web' if name == 'cyclone' else name)}")
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", default="", help="names, separated by commas")
    parser.add_argument("--frameworks", default=",".join(FRAMEWORKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--markdown", type=Path, help="append the rows to this file")
    options = parser.parse_args()
    if shutil.which("wrk") is None or (os.cpu_count() or 1) < 2:
        sys.exit("This needs wrk and two cores.")
    frameworks = options.frameworks.split(",")
    wanted = [name for name in options.scenarios.split(",") if name]
    print(f"Python {platform.python_version()}, {versions(frameworks)}")
    rows = ["| | " + " | ".join(frameworks) + " |", "| --- |" + " --- |" * len(frameworks)]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "small.bin").write_bytes(os.urandom(16 * 1024))
        Path(folder, "large.bin").write_bytes(os.urandom(1024 * 1024))
        for scenario in SCENARIOS:
            if wanted and scenario.name not in wanted:
                continue
            results = measure(scenario, frameworks, folder, options.rounds, options.seconds)
            if "cyclone" in results:
                rows.append(table_row(scenario, results, frameworks))
                print(rows[-1], flush=True)
    if options.markdown is not None:
        with options.markdown.open("a", encoding="utf-8") as out:
            out.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
