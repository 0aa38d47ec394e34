"""``cyclone run``: this process serves, or supervises workers, until it is told to stop."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from ._errors import StartError
from ._options import RunOptions
from ._pidfile import PidFile
from ._sockets import Listener, open_listeners


def run(options: RunOptions) -> int:
    """Serve; returns the exit code. :raises StartError: when it cannot be started."""
    pidfile = None if options.pidfile is None else PidFile(options.pidfile)
    if pidfile is not None:
        pidfile.write()
    try:
        if options.workers is not None:
            return _supervise(options)
        return _serve(options, lambda: None if pidfile is None else pidfile.remove())
    finally:
        if pidfile is not None:
            pidfile.remove()


def listeners_for(options: RunOptions) -> list[Listener]:
    """The sockets of systemd, else of the program this one has replaced, else new ones."""
    from ._reload import take_sockets as take_kept
    from ._systemd import take_sockets

    return take_sockets() or take_kept() or open_listeners(options)


def _supervise(options: RunOptions) -> int:
    from ._supervisor import Supervisor

    return Supervisor(options, listeners_for(options)).run()


def _serve(options: RunOptions, on_leaving: Callable[[], object]) -> int:
    from ._reload import keep_sockets
    from ._serve import Serving, announce
    from ._systemd import keep_watchdog, notify_ready, notify_stopping

    def ready(urls: list[str]) -> None:
        announce(options.target, urls)
        notify_ready()
        keep_watchdog(serving.reactor)

    listeners = listeners_for(options)
    serving = Serving(
        options,
        listeners,
        on_ready=ready,
        on_stopping=notify_stopping,
        on_leaving=on_leaving,
    )
    if options.reload:
        keep_sockets(listeners)
    try:
        serving.load()
        return serving.run()
    except StartError as error:
        if not options.reload:
            raise
        _wait_for_a_change(options, error)
        return 1


def _wait_for_a_change(options: RunOptions, error: StartError) -> None:
    """With ``--reload`` a broken program is shown, and started again when a file changes."""
    from cyclone.web import autoreload

    from ._target import is_file, split_target

    cause = error.__cause__ or error
    if error.__cause__ is not None:
        traceback.print_exception(cause)
    for frame in traceback.extract_tb(cause.__traceback__):
        if os.path.isfile(frame.filename):
            autoreload.watch(frame.filename)
    filename = getattr(cause, "filename", None)  # of a source or translation with an error in it
    if isinstance(filename, str):
        autoreload.watch(filename)
    place = split_target(options.target)[0]
    if is_file(place):
        autoreload.watch(place)
    text = f"cyclone: {error}; waiting for a change"
    autoreload.wait(lambda: print(text, file=sys.stderr, flush=True))
