"""nginx as the tests run it: in the foreground, with all its files in one folder."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from programs import find_program

_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def temporary_paths(folder: Path) -> str:
    """The directives, for ``http``, that keep nginx's temporary files in the folder."""
    return "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in _TEMPORARY)


def configuration(folder: Path, http: str, connections: int = 256) -> str:
    """A whole configuration of which ``http`` is the block of that name."""
    return (
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nworker_processes 1;\n"
        f"events {{ worker_connections {connections}; }}\n"
        f"http {{\n{temporary_paths(folder)}{http}}}\n"
    )


@contextmanager
def running_nginx(folder: Path, text: str, port: int) -> Iterator[None]:
    """Run nginx with this configuration; it answers on ``port`` when the block begins."""
    program, path = find_program("nginx"), folder / "nginx.conf"
    # The folder is this user's: a worker of another one could not write to it
    user = "user root;\n" if os.geteuid() == 0 else ""
    path.write_text(f"daemon off;\n{user}{text}", "utf-8")
    with (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen([program, "-p", str(folder), "-c", str(path)], stderr=errors)
    try:
        limit = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None, (folder / "stderr").read_text("utf-8", "replace")
            assert time.monotonic() < limit, "nginx did not start"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int) -> bool:
    """Whether a program takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
