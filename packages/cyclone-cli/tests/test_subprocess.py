"""Processes on the reactor: real ones, and outputs fed by hand."""

# mypy: allow-untyped-calls

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from cyclone.cli import _subprocess
from cyclone.cli._subprocess import UNREAD, ProcessOutput
from cyclone.cli.process import Subprocess
from cyclone.httpserver import StreamClosedError

STREAM = Subprocess.STREAM


def python(code: str, **options: Any) -> Any:
    return Subprocess([sys.executable, "-c", code], **options)


class RealTests(TestCase):
    async def test_a_talk(self) -> None:
        code = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"
        process = python(code, stdin=STREAM, stdout=STREAM)
        await process.stdin.write(b"one\n")
        self.assertEqual(await process.stdout.read_until(b"\n"), b"ONE\n")
        await process.stdin.write(b"two\nthree\n")
        self.assertEqual(await process.stdout.read_bytes(6), b"TWO\nTH")
        self.assertIsNone(process.returncode)
        process.stdin.close()
        self.assertEqual(await process.stdout.read_until_close(), b"REE\n")
        self.assertEqual(await process.wait_for_exit(), 0)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(await process.wait_for_exit(), 0)
        with self.assertRaises(StreamClosedError):
            await process.stdin.write(b"more")

    async def test_much_that_nobody_reads_yet(self) -> None:
        size = 3_000_000
        process = python(f"import sys; sys.stdout.write('x' * {size})", stdout=STREAM)
        first = await process.stdout.read_bytes(1)
        self.assertLess(len(process.stdout._data), UNREAD + 2**18)  # the process waits
        self.assertIsNone(process.returncode)
        rest = await process.stdout.read_until_close()
        self.assertEqual(len(first + rest), size)
        self.assertTrue(process.stdout.closed())
        await process.wait_for_exit()

    async def test_much_is_written(self) -> None:
        code = "import sys; print(len(sys.stdin.buffer.read()))"
        process = python(code, stdin=STREAM, stdout=STREAM)
        for _ in range(30):
            await process.stdin.write(bytes(100_000))
        process.stdin.close()
        self.assertEqual(await process.stdout.read_until_close(), b"3000000\n")
        await process.wait_for_exit()

    async def test_it_does_not_read(self) -> None:
        process = python("import os; os.close(0); input", stdin=STREAM)

        async def flood() -> None:
            for _ in range(10_000):
                await process.stdin.write(bytes(100_000))

        with self.assertRaises(StreamClosedError):
            await flood()
        self.assertTrue(process.stdin.closed())
        await process.wait_for_exit()

    async def test_how_it_ends(self) -> None:
        process = python("raise SystemExit(3)")
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            await process.wait_for_exit()
        self.assertEqual(caught.exception.returncode, 3)
        self.assertEqual(await process.wait_for_exit(raise_error=False), 3)
        process = python("import time; time.sleep(100)")
        os.kill(process.pid, signal.SIGKILL)
        self.assertEqual(await process.wait_for_exit(raise_error=False), -9)

    async def test_the_exit_callback(self) -> None:
        Subprocess.initialize()
        for late in (False, True):
            process = python("raise SystemExit(4)")
            if late:
                await process.wait_for_exit(raise_error=False)
            told: Deferred[int] = Deferred()
            process.set_exit_callback(told.callback)
            self.assertEqual(await told, 4)
        Subprocess.uninitialize()

    async def test_where_the_output_goes(self) -> None:
        code = "import os; os.write(1, b'out'); os.write(2, b'err')"
        process = python(code, stdout=STREAM, stderr=STREAM)
        self.assertEqual(await process.stderr.read_until_close(), b"err")
        self.assertEqual(await process.stdout.read_until_close(), b"out")
        process = python(code, stdout=STREAM, stderr=subprocess.STDOUT)
        both = await process.stdout.read_until_close()
        self.assertEqual(sorted(both), sorted(b"outerr"))
        self.assertIsNone(process.stderr)
        with tempfile.TemporaryFile() as file:
            process = python(code, stdout=file, stderr=subprocess.STDOUT)
            await process.wait_for_exit()
            file.seek(0)
            self.assertEqual(file.read(), b"outerr")
            self.assertIsNone(process.stdout)
        process = python(code, stdin=subprocess.DEVNULL, stdout=-3, stderr=STREAM)
        self.assertEqual(await process.stderr.read_until_close(), b"err")
        await process.wait_for_exit()

    async def test_shell_folder_and_environment(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            process: Any = Subprocess(
                'echo "$PWD $WORD"', shell=True, cwd=folder, env={"WORD": "w"}, stdout=STREAM
            )
            found = (await process.stdout.read_until_close()).decode()
            await process.wait_for_exit()
            self.assertEqual(found, f"{Path(folder).resolve()} w\n")
            Path(folder, "tool").write_text("#!/bin/sh\necho tool\n")
            Path(folder, "tool").chmod(0o700)
            process = Subprocess(["./tool"], cwd=folder, stdout=STREAM)
            self.assertEqual(await process.stdout.read_until_close(), b"tool\n")
            await process.wait_for_exit()


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("no-such-program", {}, errno.ENOENT),
        ("./none", {}, errno.ENOENT),
        (__file__, {}, errno.EACCES),
        ("sh", {"env": {"PATH": "/none"}}, errno.ENOENT),
        ("sh", {"cwd": "/none"}, errno.ENOENT),
    ],
)
def test_what_cannot_be_started(name: str, options: dict[str, Any], code: int) -> None:
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        Subprocess([name], **options)
    assert caught.value.errno == code


def test_a_blocking_pipe_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Subprocess\.STREAM"):
        Subprocess(["sh"], stdin=subprocess.PIPE)


# --- outputs --------------------------------------------------------------------------------------


def output(*data: bytes, closed: bool = False) -> ProcessOutput:
    made = ProcessOutput(lambda held: None)
    made._opened()
    for piece in data:
        made._received(piece)
    if closed:
        made._ended()
    return made


def result(read: Deferred[bytes]) -> Any:
    """What came of it: bytes, an error, or None so far."""
    seen: list[Any] = []
    read.addCallbacks(seen.append, lambda failure: seen.append(failure.value))
    return seen[0] if seen else None


def test_reads_that_are_done_at_once() -> None:
    made = output(b"one,two,three")
    assert result(made.read_until(b",")) == b"one,"
    assert result(made.read_bytes(0)) == b""
    assert result(made.read_bytes(100, partial=True)) == b"two,three"


def test_reads_that_fail() -> None:
    assert isinstance(result(output(b"ab", closed=True).read_bytes(3)), StreamClosedError)
    assert isinstance(result(output(b"ab", closed=True).read_until(b"c")), StreamClosedError)
    assert isinstance(result(output(b"abc").read_until(b"x", max_bytes=2)), ValueError)
    assert isinstance(result(output(b"abcx").read_until(b"x", max_bytes=3)), ValueError)
    assert result(output(b"abx").read_until(b"x", max_bytes=3)) == b"abx"
    assert result(output(b"ab", closed=True).read_until_close()) == b"ab"
    assert result(output(closed=True).read_until_close()) == b""


def test_one_read_at_a_time() -> None:
    made = output()
    made.read_bytes(1)
    with pytest.raises(RuntimeError, match="another read"):
        made.read_bytes(1)


def test_a_read_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_subprocess, "MAX_BUFFER", 10)
    made = output(b"12345678901")
    assert isinstance(result(made.read_until_close()), ValueError)
    assert result(made.read_bytes(11)) == b"12345678901"


def test_the_process_is_held_while_nobody_reads() -> None:
    held: list[bool] = []
    made = ProcessOutput(held.append)
    made._opened()
    made._received(bytes(UNREAD - 1))
    assert held == []
    made._received(b"x")
    assert held == [True]
    read = made.read_bytes(UNREAD + 1)
    assert held == [True, False]
    made._received(b"y")
    assert len(result(read)) == UNREAD + 1
    assert held == [True, False]


@given(st.lists(st.binary(max_size=5), max_size=12), st.sampled_from([b"\n", b"ab", b"aab"]))
def test_it_does_not_matter_how_the_bytes_come(pieces: list[bytes], delimiter: bytes) -> None:
    data = b"".join(pieces)
    made = output()
    read = made.read_until(delimiter)
    for piece in pieces:
        made._received(piece)
    before, found, _ = data.partition(delimiter)
    assert result(read) == (before + found if found else None)
