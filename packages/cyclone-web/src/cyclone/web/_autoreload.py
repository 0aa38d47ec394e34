"""Restarts the program when its sources change.

A thread looks at the files of all loaded modules and translations twice a second; with the extra
``cyclone-web[reload]`` the operating system tells it at once. When something changed, the reactor's
thread runs the hooks and replaces the process by a new one with the same command line. While a
changed source has a syntax error, the old program keeps running and the error is logged.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from cyclone.locale import get_loaded_files

from ._autoreload_detector import ChangeDetector, files_below, loaded_sources, source_error
from ._log import general_log

_LOOK_EVERY = 5.0  # seconds between looks at everything when the system tells of changes


class Reloader:
    """Watches files, and restarts the program; *restart* is what does it in the end."""

    def __init__(
        self, restart: Callable[[], object], detector: ChangeDetector | None = None
    ) -> None:
        self._restart = restart
        self._detector = detector or ChangeDetector()
        self._page_detector = ChangeDetector()
        self._pending: dict[str, str | None] = {}
        self.files: set[str] = set()
        self.folders: set[str] = set()
        self.hooks: list[Callable[[], object]] = []
        #: Folders whose changes need no restart, only the browser's page again; who does that.
        self.page_folders: set[str] = set()
        self.page_hooks: list[Callable[[], object]] = []

    def watched(self) -> list[str]:
        """Return all files whose change means a restart."""
        return [
            *loaded_sources(),
            *get_loaded_files(),
            *self.files,
            *files_below(self.folders),
        ]

    def look(self) -> list[str]:
        """Look at the files once; return those that changed."""
        return self._detector.scan(self.watched())

    def look_at_pages(self) -> list[str]:
        """Look at the files that pages are made of once; return those that changed."""
        return self._page_detector.scan(files_below(self.page_folders))

    def pages_changed(self) -> None:
        """Have the browsers' pages load themselves again."""
        for hook in self.page_hooks:
            hook()

    def changed(self, paths: list[str]) -> bool:
        """Restart because of *paths*; not if one of them, or of those before, cannot be compiled.

        Each error is logged once. Returns False if there was one.
        """
        for path in {**dict.fromkeys(paths), **self._pending}:
            error = source_error(path)
            if error is not None and self._pending.get(path) != error:
                general_log.error(
                    "{path}, {error}; the old code keeps running until that is corrected",
                    path=path,
                    error=error,
                )
            self._pending[path] = error
        if any(error is not None for error in self._pending.values()):
            return False
        general_log.info("{paths} modified; restarting server", paths=", ".join(paths))
        for hook in self.hooks:
            hook()
        self._restart()
        return True


def restart() -> None:
    """Replace this process by a new one with the same command line."""
    command = [sys.executable, *sys.orig_argv[1:]]
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        subprocess.Popen(command)  # its execv does not quote
        os._exit(0)
    import signal

    # A timer would be inherited, and kill the new process before it has a handler.
    signal.setitimer(signal.ITIMER_REAL, 0, 0)
    os.execv(sys.executable, command)


reloader = Reloader(restart)
_lock = threading.Lock()
_thread: threading.Thread | None = None


def start(check_time: float = 500) -> None:
    """Begin to watch; *check_time* is in milliseconds. Does nothing when called again.

    The thread ends with the program and leaves nothing in the reactor.
    """
    global _thread
    with _lock:
        if _thread is None:
            reloader.look()
            reloader.look_at_pages()
            _thread = threading.Thread(
                target=_watch, args=(check_time / 1000,), name="cyclone-autoreload", daemon=True
            )
            _thread.start()


def start_for(settings: Mapping[str, Any]) -> None:
    """Begin to watch for an application with these settings.

    Templates are watched too when they are kept once compiled; else a change shows by itself.
    """
    folder = settings.get("template_path")
    if folder and settings.get("compiled_template_cache", True):
        reloader.folders.add(os.fspath(folder))
    start()


def wait(watching: Callable[[], object] | None = None) -> None:
    """Wait, without a reactor, until a file changes, then restart. For the end of a script.

    *watching* is called when every later change will be seen, so to say that one is waited for.
    """
    reloader.look()
    if watching is not None:
        watching()
    while True:
        time.sleep(0.5)
        paths = reloader.look()
        if paths and reloader.changed(paths):
            return


def watch(filename: str) -> None:
    """Watch one more file; those of loaded modules are watched anyway."""
    reloader.files.add(os.fspath(filename))


def add_reload_hook(fn: Callable[[], object]) -> None:
    """Have *fn* called before the program is restarted."""
    reloader.hooks.append(fn)


def _watch(interval: float) -> None:
    """Run in the thread: look now and then, and hand changes to the reactor's thread."""
    from twisted.internet import reactor

    call: Any = reactor.callFromThread  # type: ignore[attr-defined]
    pause = _pauses(interval)
    while True:
        pause()
        paths = reloader.look()
        if reloader.look_at_pages():
            call(reloader.pages_changed)
        if paths:
            call(reloader.changed, paths)


def _pauses(interval: float) -> Callable[[], object]:
    """Return a function that waits until it is worth looking again."""
    try:
        watchfiles: Any = importlib.import_module("watchfiles")
    except ImportError:
        return lambda: time.sleep(interval)

    def pause() -> None:
        paths = [*reloader.watched(), *files_below(reloader.page_folders)]
        folders = {os.path.dirname(os.path.abspath(path)) for path in paths}
        present = [folder for folder in folders if os.path.isdir(folder)]
        stop = threading.Event()
        timer = threading.Timer(_LOOK_EVERY, stop.set)
        timer.daemon = True
        timer.start()
        try:
            for _ in watchfiles.watch(
                *present,
                stop_event=stop,
                recursive=False,
                step=20,
                rust_timeout=200,
                raise_interrupt=False,
                watch_filter=None,
            ):
                return
        except Exception:
            time.sleep(interval)  # too many folders for the system, or one went away
        finally:
            timer.cancel()

    return pause
