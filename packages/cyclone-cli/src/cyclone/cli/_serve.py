"""Serving an application in this process, from its import to its end."""

from __future__ import annotations

import dataclasses
import gc
import inspect
import logging
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ReactorNotRestartable

from cyclone.httpserver import HTTPServer
from cyclone.web import Application, spawn

from . import _target
from ._clock import steady
from ._drain import Drain, Signals
from ._errors import StartError, in_one_line
from ._leaving import Leaving
from ._logs import apply_access_log, set_up
from ._options import RunOptions
from ._sockets import Listener

if TYPE_CHECKING:
    from ._writer import BackgroundHandler

log = logging.getLogger("cyclone.general")


class Serving:
    """One process that serves. ``on_ready(urls)`` is called once everything listens."""

    def __init__(
        self,
        options: RunOptions,
        listeners: Sequence[Listener],
        *,
        on_ready: Callable[[list[str]], object],
        on_stopping: Callable[[], object] = lambda: None,
        on_drained: Callable[[int], object] = lambda cut: None,
        on_leaving: Callable[[], object] = lambda: None,
        stop_signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT),
        worker: int | None = None,
    ) -> None:
        self.options = options
        self.listeners = list(listeners)
        self.exit_code = 0
        self.problem: StartError | None = None
        self.server: HTTPServer | None = None
        self.drain: Drain | None = None
        self.reactor: Any = None
        self._on_ready = on_ready
        self._on_stopping = on_stopping
        self._on_drained = on_drained
        self._stop_signals = stop_signals
        self.worker = worker
        self._found: Any = None
        self._handler: BackgroundHandler | None = None
        self._signals: Signals | None = None
        self._on_leaving = on_leaving
        #: Ends the process in time, whatever threads are busy.
        self._leaving = Leaving(lambda: self.exit_code, self._leave)

    def load(self) -> None:
        """Install the reactor, set up logging and import the application's module.

        :raises StartError: when that fails.
        """
        if self.options.reactor is not None:
            from ._reactors import install

            install(self.options.reactor)
        self._found = _target.find(self.options.target)
        self._handler = set_up(debug=self.options.debug, worker=self.worker)

    def run(self) -> int:
        """Serve until a signal, and return the exit code. :raises StartError: if it cannot."""
        from twisted.internet import reactor

        self.reactor = steady(reactor)
        try:
            self.reactor.callWhenRunning(self._start)
            self.reactor.run()
        except ReactorNotRestartable:
            raise StartError(
                f"{self.options.target!r} runs the reactor when it is imported: `cyclone run` does "
                'that, so put reactor.run() under `if __name__ == "__main__":`'
            ) from None
        finally:
            self._close_sockets()
            if self._handler is not None:
                self._handler.flush_within(2.0)
        if self.problem is not None:
            self._leaving.cancel()
            raise self.problem
        return self.exit_code

    def _leave(self) -> None:
        """The process ends without what comes after `run`."""
        try:
            self._close_sockets()
            self._on_leaving()
        finally:
            if self._handler is not None:
                self._handler.flush_within(1.0)

    def _start(self) -> None:
        at_once, insisted = self._at_once, self._insisted
        if self.worker is not None:
            # Who signals the whole group (systemd, timeout) and its supervisor both say stop: only
            # the supervisor knows of a second time, and kills
            at_once = insisted = _nothing_more
        self._signals = Signals(self.reactor, self.stop, at_once, insisted)
        self._signals.install(*self._stop_signals)
        spawn(self._begin()).addErrback(self._failed)

    async def _begin(self) -> None:
        target = self.options.target
        made = _target.call(self._found, target, self.options.appopts)
        if inspect.isawaitable(made):
            made = await made
        self.server = server = _target.checked(made, target)
        configure(server, self.options, worker=self.worker)
        urls = await self._listen(server)
        self.drain = Drain(
            server,
            self.reactor,
            timeout=self.options.drain_timeout,
            delay=self.options.drain_delay,
            done=self._drained,
            closed=self._close_sockets,
        )
        if self.options.reload:
            from cyclone.web import autoreload

            autoreload.start()
        # All that was made so far stays: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        self._on_ready(urls)

    async def _listen(self, server: HTTPServer) -> list[str]:
        for listener in self.listeners:
            add_listener(server, listener, self.options)
        urls = [listener.url for listener in self.listeners]
        for description in self.options.endpoints:
            urls.append(await listen_endpoint(self.reactor, server, description))
        return urls

    def _failed(self, failure: Any) -> None:
        error = failure.value
        if not isinstance(error, StartError):
            error = StartError(f"cannot start {self.options.target!r}: {in_one_line(error)}")
            error.__cause__ = failure.value
        self.problem = error
        self._end()

    def _close_sockets(self) -> None:
        listeners, self.listeners = self.listeners, []
        for listener in listeners:
            listener.close()

    def stop(self, why: str) -> None:
        """Drain, then end the reactor."""
        self._on_stopping()
        if self.drain is None:
            self._end()
        else:
            self.drain.begin(why)

    def _drained(self, cut: int) -> None:
        self._on_drained(cut)
        self._leaving.within(self.drain.left() if self.drain is not None else 0)
        self._end()

    def _insisted(self, number: int) -> None:
        if self._leaving.begun:
            self.exit_code = 128 + number
            self._leaving.within(0)

    def _at_once(self, number: int) -> None:
        log.warning("%s again: stopping at once", signal.Signals(number).name)
        self.exit_code = 128 + number
        self._leaving.within(0)
        self._end()

    def _end(self) -> None:
        if self.reactor.running:
            self.reactor.stop()


def configure(server: HTTPServer, options: RunOptions, *, worker: int | None = None) -> None:
    """Apply the options that are settings of the application. It must not listen yet."""
    if options.xheaders and not server.server_options.xheaders:
        # What depends on the options is worked out by the server's own constructor.
        receive = server.headers_received
        HTTPServer.__init__(
            server,
            server.request_callback,
            options=dataclasses.replace(server.server_options, xheaders=True),
            ssl_options=server.ssl_options,
            monotonic=server.monotonic,
        )
        server.headers_received = receive
    if not isinstance(server, Application):
        return
    settings = server.settings
    if options.debug:
        settings.setdefault("autoreload", False)  # that is what --reload is for
        server.enable_debug()
    if worker is not None and settings.get("autoreload"):
        settings["autoreload"] = False  # workers are replaced by their supervisor
    if options.reload:
        settings["autoreload"] = True
        settings.setdefault("reload_page", True)
    apply_access_log(server, options.access_log)


def add_listener(server: HTTPServer, listener: Listener, options: RunOptions) -> None:
    """Let *server* accept connections on a socket, with TLS if that is what the socket is for.

    :raises StartError: when the certificate or key cannot be used.
    """
    if not listener.tls:
        _give(server, listener)
        return
    before = server.ssl_options
    server.ssl_options = {
        "certfile": options.ssl_cert,
        "keyfile": options.ssl_key or options.ssl_cert,
    }
    try:
        _give(server, listener)
    except ImportError as error:
        raise StartError("TLS needs pyOpenSSL: pip install 'cyclone-cli[ssl]'") from error
    except Exception as error:
        files = " and ".join(filter(None, [options.ssl_cert, options.ssl_key]))
        reason = _tls_reason(error)
        if options.ssl_key is None and not isinstance(error, OSError):
            reason += " (without --ssl-key it holds the private key as well)"
        raise StartError(f"cannot use {files} for TLS: {reason}") from error
    finally:
        server.ssl_options = before


def _tls_reason(error: Exception) -> str:
    """What is wrong with a certificate or key, without the names of OpenSSL's functions."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}"
    found = error.args[0] if error.args else None
    if isinstance(found, list) and found and isinstance(found[0], tuple):
        return str(found[0][-1]) or "OpenSSL does not say why"
    return in_one_line(error)


def _give(server: HTTPServer, listener: Listener) -> None:
    """Let the server have a duplicate: it closes what it was given when it stops."""
    sock = listener.sock.dup()
    try:
        server.add_socket(sock)
    except BaseException:
        sock.close()
        raise


async def listen_endpoint(reactor: Any, server: HTTPServer, description: str) -> str:
    """Listen on a Twisted endpoint; returns its description, or the URL if it is plain TCP."""
    from twisted.internet.endpoints import serverFromString

    try:
        endpoint: Any = serverFromString
        port = await endpoint(reactor, description).listen(server)
    except (ValueError, TypeError, KeyError) as error:
        raise StartError(f"{description!r} is no endpoint: {error}", 2) from error
    except Exception as error:
        reason = getattr(error, "socketError", None) or error
        text = getattr(reason, "strerror", None)
        text = text[:1].lower() + text[1:] if text else in_one_line(reason)
        raise StartError(f"cannot listen on {description}: {text}") from error
    host = port.getHost()
    scheme = {"tcp": "http", "tcp6": "http", "ssl": "https"}.get(description.split(":")[0])
    if scheme and hasattr(host, "port"):
        name = host.host if host.host not in ("0.0.0.0", "::") else "localhost"
        return f"{scheme}://{f'[{name}]' if ':' in name else name}:{host.port}"
    return description


def announce(target: str, urls: Sequence[str], extra: str = "") -> None:
    """Say where the application is, on standard output."""
    line = f"{target} is served on {', '.join(urls)}{extra}"
    try:
        print(line, flush=True)
    except (OSError, ValueError):
        log.info("%s", line)


def _nothing_more(number: int) -> None:
    """A worker is stopping already."""
