"""examples/deploy: nginx in front of four processes."""

import base64
import configparser
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from nginx import running_nginx, temporary_paths
from ports import free_port
from programs import missing

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "deploy"
pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="the examples are not in the sdist")


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def processes() -> Iterator[dict[int, subprocess.Popen[bytes]]]:
    """Four processes, by port."""
    started = {}
    for _ in range(4):
        port = free_port()
        command = [sys.executable, "-m", "cyclone.cli", "run", "app.py", "--port", str(port)]
        started[port] = subprocess.Popen(
            [*command, "--access-log", "off"], cwd=EXAMPLE, stdout=subprocess.PIPE
        )
    for process in started.values():
        assert process.stdout is not None
        assert b"http://" in process.stdout.readline()
    yield started
    for process in started.values():
        end(process)


@pytest.fixture(scope="module")
def nginx(
    processes: dict[int, subprocess.Popen[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The example's configuration, with other ports and folders."""
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    text = (EXAMPLE / "nginx.conf").read_text("utf-8")
    changes = {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "/var/log/nginx": str(folder),
        "/srv/app/static/": f"{EXAMPLE}/static/",
        "events {": f"events {{\n    # {folder}",
        "http {\n": f"http {{\n{temporary_paths(folder)}",
    }
    for index, upstream in enumerate(processes):
        changes[f"127.0.0.1:{8000 + index} "] = f"127.0.0.1:{upstream} "
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    with running_nginx(folder, text, port):
        yield f"http://127.0.0.1:{port}"


def fetch(url: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(
        url, data, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def test_address_and_scheme_come_through(nginx: str) -> None:
    status, _, body = fetch(f"{nginx}/", X_Real_Ip="6.6.6.6", X_Forwarded_For="6.6.6.6")
    answer = json.loads(body)
    assert status == 200
    assert answer["remote_ip"] == "127.0.0.1"
    assert answer["url"] == f"{nginx}/"


def test_all_four_work(nginx: str, processes: dict[int, subprocess.Popen[bytes]]) -> None:
    seen = {json.loads(fetch(f"{nginx}/")[2])["process"] for _ in range(40)}
    assert seen == {process.pid for process in processes.values()}


def test_static_files_are_nginxs_own(nginx: str) -> None:
    address = json.loads(fetch(f"{nginx}/")[2])["stylesheet"]
    status, headers, body = fetch(nginx + address)
    assert (status, headers["Server"]) == (200, "nginx")
    assert body == (EXAMPLE / "static" / "style.css").read_bytes()
    assert "max-age=315360000" in headers["Cache-Control"]
    assert fetch(f"{nginx}/static/none.css")[0] == 404


def test_an_upload(nginx: str) -> None:
    data = (
        b"--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n"
        + b"x" * 2_000_000
        + b"\r\n--b--\r\n"
    )
    kind = "multipart/form-data; boundary=b"
    assert fetch(f"{nginx}/upload", data, Content_Type=kind)[2] == b'{"f": [2000000]}'


def exchange(nginx: str, head: str) -> socket.socket:
    host, _, port = nginx.removeprefix("http://").partition(":")
    sock = socket.create_connection((host, int(port)), timeout=60)
    sock.sendall(head.replace("\n", "\r\n").encode())
    return sock


def read_until(sock: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        piece = sock.recv(4096)
        assert piece, data
        data += piece
    return data


def test_a_websocket(nginx: str) -> None:
    key = base64.b64encode(b"0123456789abcdef").decode()
    head = (
        "GET /echo HTTP/1.1\nHost: example\nUpgrade: websocket\nConnection: Upgrade\n"
        f"Sec-WebSocket-Key: {key}\nSec-WebSocket-Version: 13\n\n"
    )
    with exchange(nginx, head) as sock:
        assert b" 101 " in read_until(sock, b"\r\n\r\n")
        sock.sendall(b"\x81\x82\0\0\0\0hi")
        assert read_until(sock, b"hi") == b"\x81\x02hi"


def test_events_are_not_held_back(nginx: str) -> None:
    with exchange(nginx, "GET /news HTTP/1.1\nHost: example\n\n") as sock:
        assert b" 200 " in read_until(sock, b"data: welcome")


def test_health(nginx: str) -> None:
    assert fetch(f"{nginx}/health")[::2] == (200, b'{"status": "ok", "checks": {}}')


def test_a_process_that_stops_is_not_missed(
    nginx: str, processes: dict[int, subprocess.Popen[bytes]]
) -> None:
    process = next(iter(processes.values()))
    process.terminate()
    assert [fetch(f"{nginx}/")[0] for _ in range(30)] == [200] * 30
    assert process.wait(60) == 0
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("name", ["cyclone.service", "cyclone@.service"])
def test_units_name_options_that_exist(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(EXAMPLE / name)
    command = unit["Service"]["ExecStart"].split()
    assert command[0].endswith("/bin/cyclone")
    known = subprocess.run(
        [sys.executable, "-m", "cyclone.cli", "run", "--help"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert [word for word in command if word.startswith("--") and word not in known] == []


# --- the container: there may be no Docker here, so its steps are done one by one ---------------


def steps() -> dict[str, list[str]]:
    """What the Dockerfile says, by instruction."""
    found: dict[str, list[str]] = {}
    lines = (EXAMPLE / "Dockerfile").read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        instruction, _, rest = line.partition(" ")
        assert instruction.isupper(), line
        found.setdefault(instruction, []).append(rest)
    return found


def words(instruction: str) -> list[str]:
    """The command of CMD or HEALTHCHECK in its JSON form: no shell stands between."""
    command: list[str] = json.loads("[" + steps()[instruction][-1].partition("[")[2])
    return command


def test_the_container_is_of_one_piece() -> None:
    found, command = steps(), words("CMD")
    (user,) = found["USER"]
    assert user not in ("root", "0")
    assert any(one.startswith("useradd ") and one.endswith(f" {user}") for one in found["RUN"])
    assert found["COPY"] == [". ."]
    assert command[:2] == ["cyclone", "run"]
    assert (EXAMPLE / command[2]).is_file()
    ignored = (EXAMPLE / ".dockerignore").read_text("utf-8").split()
    for name in ignored:
        assert name.startswith("**/") or list(EXAMPLE.glob(name)), name
    assert not {command[2], "static"} & set(ignored)
    (port,) = found["EXPOSE"]
    assert command[command.index("--port") + 1] == port
    assert f"127.0.0.1:{port}/" in words("HEALTHCHECK")[-1]
    assert found["STOPSIGNAL"] == ["SIGTERM"]


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment in which the Dockerfile's `pip install` was done with our wheels."""
    wheels = EXAMPLE.parents[1] / "dist"
    if not list(wheels.glob("cyclone_cli-*.whl")):
        missing("no wheels in dist/: `./dev build` makes them")
    (install,) = (one for one in steps()["RUN"] if one.startswith("pip install "))
    requirements = [one for one in install.split()[2:] if not one.startswith("-")]
    home = tmp_path_factory.mktemp("container")
    uv: list[str | Path] = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, home / "env"], check=True)
    command = [*uv, "pip", "install", "-q", "--python", home / "env/bin/python"]
    command += ["--find-links", wheels]
    for wheel in wheels.glob("*.whl"):
        # Their version stays from build to build: do not take yesterday's
        command += ["--refresh-package", wheel.name.partition("-")[0].replace("_", "-")]
    subprocess.run([*command, *requirements], check=True)
    shutil.copytree(EXAMPLE, home / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return home


def test_the_container_starts_is_healthy_and_stops(container: Path) -> None:
    (given,) = steps()["EXPOSE"]
    port = str(free_port())
    changes = {given: port, "0.0.0.0": "127.0.0.1", "5": "60"}
    command = [changes.get(word, word) for word in words("CMD")]
    check = [word.replace(f":{given}/", f":{port}/") for word in words("HEALTHCHECK")]
    for one in (command, check):
        one[0] = str(container / "env/bin" / one[0])
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(container)}

    def healthy() -> bool:
        done = subprocess.run(check, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            assert "503" in done.stderr
        return done.returncode == 0

    log = container / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=container / "app", env=environment, stdout=subprocess.PIPE, stderr=errors
        )
    assert process.stdout is not None
    with process:
        try:
            assert b"by 2 workers" in process.stdout.readline(), log.read_text("utf-8")
            assert healthy()
            process.terminate()
            limit = time.monotonic() + 60
            while healthy():  # with --drain-delay it still answers, and is not ready
                assert time.monotonic() < limit
            process.terminate()
            assert process.wait(60) == 128 + 15
        finally:
            process.kill()
    assert "Traceback" not in log.read_text("utf-8")
