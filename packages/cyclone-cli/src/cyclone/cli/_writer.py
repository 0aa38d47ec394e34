"""A log handler whose writing never holds up the program."""

from __future__ import annotations

import collections
import logging
import os
import threading
import time

#: Lines that wait to be written, at most; more are dropped and counted.
MAX_LINES = 10_000


class BackgroundHandler(logging.Handler):
    """Writes lines to a file descriptor from a thread of its own.

    A reader that has stopped, a full disk or a closed descriptor cost log lines and nothing else:
    lines that find no room are dropped, and their number is logged when writing goes on.
    """

    def __init__(self, descriptor: int, max_lines: int = MAX_LINES) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._max_lines = max_lines
        self._lines: collections.deque[str] = collections.deque()
        self._dropped = 0
        self._writing = False
        self._closed = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the formatted record."""
        try:
            line = self.format(record)
        except Exception:
            line = f"a log record of {record.name} cannot be formatted"
        self.write(line)

    def write(self, line: str) -> None:
        """Queue a line; the caller holds the handler's lock, as `handle` does."""
        if len(self._lines) >= self._max_lines:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            if self._thread is None and not self._closed:
                self._start()
            self._wake.set()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="cyclone-log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            self._writing = True
            self._write_all()
            self._writing = False
            if self._closed:
                return

    def _write_all(self) -> None:
        while self._lines:
            batch = [self._lines.popleft() for _ in range(min(500, len(self._lines)))]
            dropped, self._dropped = self._dropped, 0
            if dropped:
                batch.append(f"{dropped} log lines were dropped")
            data = ("\n".join(batch) + "\n").encode("utf-8", "backslashreplace")
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                time.sleep(0.05)
                self._dropped += len(batch)
            except OSError:
                self._dropped += len(batch)

    def flush_within(self, seconds: float) -> bool:
        """Wait until all is written, for at most so long. False if it is not."""
        limit = time.monotonic() + seconds
        while self._lines or self._writing:
            if time.monotonic() > limit:
                return False
            self._wake.set()
            time.sleep(0.002)
        return True

    def close(self) -> None:
        """Write what is left, for at most a second, and end the thread."""
        if not self._closed and self._thread is not None:
            self.flush_within(1.0)
            self._closed = True
            self._wake.set()
        self._closed = True
        super().close()
