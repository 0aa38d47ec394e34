"""The service behind ``twistd cyclone`` and ``twist cyclone``."""

from __future__ import annotations

import atexit
import contextlib
import getopt
import inspect
import logging
import os
import sys
from typing import Any

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger, LogLevel
from twisted.python import usage

from cyclone.httpserver import EventLogger, HTTPServer
from cyclone.web import Application, spawn

from . import _target
from ._commands import MOST_WORKERS
from ._drain import accept_waiting
from ._errors import StartError, in_one_line
from ._logs import access_function
from ._options import RunOptions
from ._serve import add_listener, configure, listen_endpoint
from ._sockets import DEFAULT_PORT, Listener, open_listeners

general_log = EventLogger("cyclone.general")
access_log = EventLogger("cyclone.access")
_FORMATS = ("combined", "json", "off")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ValueError(f"{text!r} is no port")
    return int(text)


class Options(usage.Options):
    """The options: those of Cyclone 1.3, and those of ``cyclone run``."""

    synopsis = "[options] [file.py | module:attribute]"
    longdesc = "Serve an Application, a subclass of it, or what a function makes."
    optParameters = [  # noqa: RUF012 - Twisted reads it so
        ["port", "p", None, "TCP port (default 8888)", _port],
        ["listen", "l", "127.0.0.1", "address to listen on"],
        ["unix", "u", None, "UNIX socket to listen on"],
        ["app", "r", None, "application, as module.Class or module:attribute"],
        ["appopts", "c", None, "the one argument of the application"],
        ["ssl-port", None, None, "TCP port for HTTPS (default 8443, when asked for)", _port],
        ["ssl-listen", None, None, "address for HTTPS (default: that of --listen)"],
        ["ssl-cert", None, None, "certificate chain, PEM (default server.crt)"],
        ["ssl-key", None, None, "private key, PEM (default server.key, if there is one)"],
        ["ssl-app", None, None, "another application for HTTPS"],
        ["ssl-appopts", None, None, "its argument"],
        ["workers", "w", None, "number of worker processes, or auto"],
        ["max-requests", None, None, "requests after which a worker is replaced", int],
        ["max-requests-jitter", None, 0, "up to so many more, at random", int],
        ["access-log", None, None, "combined, json or off (default: the application's own)"],
        ["drain-timeout", None, 25.0, "seconds that running requests get at a stop", float],
    ]
    optFlags = [  # noqa: RUF012
        ["xheaders", None, "believe X-Real-IP, X-Scheme and their like"],
        ["debug", None, "debug mode"],
        ["reload", None, "restart when a source changes"],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["endpoints"] = []
        self["target"] = None

    def parseOptions(self, options: Any = None) -> None:
        """Twisted: parse; here options may follow the file."""
        arguments = sys.argv[1:] if options is None else list(options)
        try:
            found, rest = getopt.gnu_getopt(arguments, self.shortOpt, self.longOpt)
        except getopt.error as error:
            raise usage.UsageError(str(error)) from error
        flat = [part for name, value in found for part in ((name, value) if value else (name,))]
        super().parseOptions([*flat, "--", *rest])  # type: ignore[no-untyped-call]

    def opt_endpoint(self, description: str) -> None:
        """A Twisted server endpoint to listen on; may be repeated."""
        self["endpoints"].append(description)

    def parseArgs(self, target: str | None = None) -> None:
        """Twisted: what is left on the command line."""
        self["target"] = target

    def postOptions(self) -> None:
        """Twisted: all options are there; do they fit together?"""
        named = [name for name in ("target", "app") if self[name] is not None]
        if len(named) > 1 or not (named or self["ssl-app"]):
            raise usage.UsageError("name one application: a file, or -r module.Class")
        if self["access-log"] not in (None, *_FORMATS):
            raise usage.UsageError(f"--access-log is one of {', '.join(_FORMATS)}")
        if self["workers"] is not None and (self["endpoints"] or self["reload"]):
            raise usage.UsageError("--workers goes with neither --endpoint nor --reload")
        if self["max-requests"] is not None and (
            self["workers"] is None or self["max-requests"] < 1
        ):
            raise usage.UsageError("--max-requests goes with --workers, and is at least 1")
        if self["max-requests-jitter"] < 0:
            raise usage.UsageError("--max-requests-jitter is at least 0")
        self["workers"] = _workers(self["workers"])

    def run_options(self) -> list[RunOptions]:
        """What is to be run: one application, a second one for HTTPS, or only that."""
        target = self["target"] or self["app"]
        common = {
            "listen": self["listen"],
            "ssl_listen": self["ssl-listen"],
            "ssl_cert": self["ssl-cert"] or "server.crt",
            "ssl_key": self["ssl-key"] or ("server.key" if os.path.exists("server.key") else None),
            "workers": self["workers"],
            "reload": bool(self["reload"]),
            "debug": bool(self["debug"]),
            "xheaders": bool(self["xheaders"]),
            "max_requests": self["max-requests"],
            "max_requests_jitter": self["max-requests-jitter"],
            "access_log": self["access-log"],
            "drain_timeout": self["drain-timeout"],
        }
        tls = any(self[name] is not None for name in ("ssl-port", "ssl-cert", "ssl-app"))
        tls_port = (self["ssl-port"] or 8443) if tls else None
        other = self["unix"] is not None or self["endpoints"]
        port = self["port"] if self["port"] is not None or other else DEFAULT_PORT
        second = None
        if self["ssl-app"]:
            second = RunOptions(
                self["ssl-app"], appopts=self["ssl-appopts"], ssl_port=tls_port, **common
            )
            if target is None:
                return [second]
        first = RunOptions(
            target,
            appopts=self["appopts"],
            port=port,
            unix=self["unix"],
            endpoints=tuple(self["endpoints"]),
            ssl_port=None if second else tls_port,
            **common,
        )
        return [first] if second is None else [first, second]


def _workers(value: str | None) -> int | None:
    if value is None:
        return None
    if value in ("auto", "0"):
        from .process import cpu_count

        return cpu_count()
    if not value.isdecimal() or not 1 <= int(value) <= MOST_WORKERS:
        raise usage.UsageError(f"{value!r} is no number of workers")
    return int(value)


class ServeService(Service):
    """Serves in this process; stopping it drains."""

    def __init__(self, options: RunOptions, found: Any) -> None:
        self.options = options
        self.server: HTTPServer | None = None
        self._found = found
        self._problem: StartError | None = None
        self._listeners: list[Listener] = []

    def privilegedStartService(self) -> None:
        """Twisted: open the ports while we may."""
        self._listeners = _or_exit(open_listeners, self.options)

    def startService(self) -> None:
        """Twisted: serve."""
        Service.startService(self)  # type: ignore[no-untyped-call]
        if not self._listeners and not self.options.endpoints:
            self.privilegedStartService()
        spawn(self._start()).addErrback(self._failed)
        if self._problem is not None:
            _or_exit(_raise, self._problem)

    async def _start(self) -> None:
        from twisted.internet import reactor

        target = self.options.target
        made = _target.call(self._found, target, self.options.appopts)
        if inspect.isawaitable(made):
            made = await made
        self.server = server = _target.checked(made, target)
        before = server.settings.get("log_function") if isinstance(server, Application) else None
        configure(server, self.options)
        if isinstance(server, Application):
            _set_access_log(server, self.options.access_log, before)
        for listener in self._listeners:
            add_listener(server, listener, self.options)
        for description in self.options.endpoints:
            await listen_endpoint(reactor, server, description)
        if self.options.reload:
            from cyclone.web import autoreload

            autoreload.start()

    def _failed(self, failure: Any) -> None:
        from twisted.internet import reactor

        error = failure.value
        if not isinstance(error, StartError):
            error = StartError(f"cannot start {self.options.target!r}: {in_one_line(error)}")
        stop: Any = reactor
        if stop.running:
            _give_up(stop, error)
        else:
            self._problem = error

    def stopService(self) -> Deferred[Any]:
        """Twisted: drain. The Deferred fires at its end."""
        Service.stopService(self)  # type: ignore[no-untyped-call]
        stopped: Deferred[Any] = succeed(None)
        if self.server is not None:
            accept_waiting(self.server)
            stopped = HTTPServer.stop(self.server, self.options.drain_timeout)
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        return stopped


def _set_access_log(application: Application, name: str | None, before: Any) -> None:
    """Twisted's log shows what reaches it, so the lines go through an `EventLogger`."""
    settings = application.settings
    if name in ("combined", "json"):
        settings["log_function"] = access_function(
            name, lambda level, line: access_log.info("{line}", line=line)
        )
    elif name is None and before is None:
        settings.pop("log_function", None)


class WorkersService(Service):
    """Supervises worker processes; stopping it lets them drain."""

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self._supervisor: Any = None
        self._listeners: list[Listener] = []
        self._ended: Deferred[None] = Deferred()

    def privilegedStartService(self) -> None:
        """Twisted: open the ports while we may."""
        self._listeners = _or_exit(open_listeners, self.options)

    def startService(self) -> None:
        """Twisted: start the workers."""
        from twisted.internet import reactor

        from ._supervisor import Supervisor

        Service.startService(self)  # type: ignore[no-untyped-call]
        if not self._listeners:
            self.privilegedStartService()
        self._supervisor = Supervisor(self.options, self._listeners)
        start: Any = reactor
        start.callWhenRunning(self._supervisor.begin, reactor, self._over)

    def _over(self) -> None:
        from twisted.internet import reactor

        self._ended.callback(None)
        problem = self._supervisor.problem
        if problem is not None and self.running:
            _give_up(reactor, problem)

    def stopService(self) -> Deferred[None]:
        """Twisted: stop the workers. The Deferred fires when all have ended."""
        Service.stopService(self)  # type: ignore[no-untyped-call]
        self._supervisor.stop("the service stops")
        return self._ended


def _give_up(reactor: Any, problem: StartError) -> None:
    """End the program, once it has cleaned up, with an exit code that says so."""
    general_log.error("{reason}", reason=str(problem))
    atexit.register(_exit, problem.exit_code)
    reactor.stop()


def _exit(code: int) -> None:
    """Twisted's scripts exit with 0 in any case; this runs after them."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def _raise(problem: StartError) -> None:
    raise problem


class ToTwisted(logging.Handler):
    """Passes log records on to Twisted's log, where programs run by twistd have all of theirs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one on, unless it is of an `EventLogger`, which has done that itself."""
        if not hasattr(record, "event"):
            level = LogLevel.error if record.levelno >= logging.ERROR else LogLevel.info
            Logger(namespace=record.name).emit(level, "{text}", text=record.getMessage())


def _log_to_twisted() -> None:
    """Unless the program has set up `logging` itself."""
    supervisor = logging.getLogger("cyclone.general")
    if not logging.getLogger().handlers and not supervisor.handlers:
        supervisor.addHandler(ToTwisted())
        supervisor.setLevel(logging.INFO)


def _or_exit(function: Any, *arguments: Any) -> Any:
    """Call; a `StartError` ends the program with its one line."""
    try:
        return function(*arguments)
    except StartError as error:
        print(f"cyclone: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from error


def makeService(options: Options) -> IService:
    """Twisted: the service for these options."""
    _log_to_twisted()
    everything = MultiService()  # type: ignore[no-untyped-call]
    for one in options.run_options():
        if one.workers is not None:
            service: Any = WorkersService(one)
        else:
            service = ServeService(one, _or_exit(_target.find, one.target))
        service.setServiceParent(everything)
    result: IService = everything
    return result
