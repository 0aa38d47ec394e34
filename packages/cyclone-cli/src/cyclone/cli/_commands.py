"""The command ``cyclone``."""

from __future__ import annotations

import os
from typing import Any

import click

from ._errors import StartError
from ._options import RunOptions

#: A limit against slips of the finger.
MOST_WORKERS = 1024


class Failed(click.ClickException):
    """A `StartError` as click shows it: one line, and its exit code."""

    def __init__(self, error: StartError) -> None:
        super().__init__(str(error))
        setattr(self, "exit_code", error.exit_code)  # noqa: B010 - click has it on the class


def _version() -> str:
    from importlib.metadata import version

    return version("cyclone-cli")


def _show_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(f"cyclone {_version()}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Run, watch, scale and stop Cyclone applications."""
    _hold_standard_streams()


def _hold_standard_streams() -> None:
    """Let each of the descriptors 0 to 2 that is closed lead to nowhere.

    Else some socket would get its number, and what is printed or logged would reach a client.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _workers(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """The number of workers; ``auto`` or 0 for one on each processor."""
    if value is None:
        return None
    if value in ("auto", "0"):
        from .process import cpu_count

        return cpu_count()
    if not value.isdecimal() or not 1 <= int(value) <= MOST_WORKERS:
        raise click.BadParameter(f"{value!r} is no number of workers")
    return int(value)


def _mode(context: click.Context, parameter: click.Parameter, value: str) -> int:
    """The permissions of a file, as chmod takes them."""
    try:
        mode = int(value, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise click.BadParameter(f"{value!r} is no mode, such as 660")
    return mode


class _Seconds(click.FloatRange):
    """A time; ``nan`` is none."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Click: make a number of it, or fail."""
        seconds: float = super().convert(value, param, ctx)
        if seconds != seconds:
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


def _patience(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """How long a worker may be silent: it says something five times in that."""
    if 0 < value < 1:
        raise click.BadParameter("a worker needs at least a second (or 0: never)")
    return value


_SECONDS = _Seconds(0, 86400)
_PORT = click.IntRange(0, 65535)


@main.command()
@click.argument("target", required=False)
@click.option("--app", "-r", help="The same as TARGET (Cyclone 1.3's option).")
@click.option("--appopts", "-c", help="The one argument of the class or function in TARGET.")
@click.option("--port", "-p", type=_PORT, help="TCP port; 0 takes a free one.  [default: 8888]")
@click.option("--listen", "-l", default="127.0.0.1", show_default=True, help="Address.")
@click.option("--unix", "-u", metavar="PATH", help="UNIX socket; @NAME is an abstract one.")
@click.option(
    "--unix-mode", callback=_mode, default="666", show_default=True, help="Its permissions."
)
@click.option("--endpoint", "endpoints", multiple=True, help="A Twisted server endpoint.")
@click.option("--ssl-port", type=_PORT, help="TCP port for HTTPS.")
@click.option("--ssl-listen", help="Its address.  [default: that of --listen]")
@click.option("--ssl-cert", default="server.crt", show_default=True, help="Certificate chain, PEM.")
@click.option("--ssl-key", help="Its private key, PEM.  [default: in the certificate's file]")
@click.option("--workers", "-w", callback=_workers, help="Worker processes, or auto.")
@click.option("--reload", is_flag=True, help="Restart when a source changes.")
@click.option("--debug", is_flag=True, help="Debug mode: tracebacks in pages, nothing cached.")
@click.option("--reactor", metavar="NAME", help="asyncio, epoll, kqueue, poll, select.")
@click.option("--xheaders", is_flag=True, help="Believe X-Real-IP, X-Scheme and their like.")
@click.option(
    "--access-log",
    type=click.Choice(["combined", "json", "off"]),
    help="Access log on standard error.  [default: combined]",
)
@click.option("--pidfile", metavar="PATH", help="File for the process id.")
@click.option(
    "--backlog",
    type=click.IntRange(1, 2**31 - 1),
    default=2048,
    show_default=True,
    help="Connections that wait in the kernel.",
)
@click.option(
    "--drain-timeout",
    type=_SECONDS,
    default=25.0,
    show_default=True,
    help="Seconds that running requests get at a stop.",
)
@click.option(
    "--drain-delay",
    type=_SECONDS,
    default=0.0,
    show_default=True,
    help="Seconds between 'not ready' and the end of accepting, at a stop.",
)
@click.option(
    "--worker-timeout",
    type=_SECONDS,
    callback=_patience,
    default=30.0,
    show_default=True,
    help="Seconds without a sign of life until a worker is replaced; 0: never.",
)
@click.option(
    "--max-requests",
    type=click.IntRange(1),
    metavar="N",
    help="Replace a worker that has had N requests.  [default: never]",
)
@click.option(
    "--max-requests-jitter",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="Up to N more for each worker, at random.",
)
def run(target: str | None, app: str | None, **options: Any) -> None:
    """Serve TARGET until SIGTERM or SIGINT.

    TARGET is file.py, module, file.py:NAME or module:NAME, where NAME is an Application, a
    subclass of it, or a function that makes one.
    """
    if (target is None) == (app is None):
        raise click.UsageError("name one application: file.py or module:attribute")
    _check(options)
    from ._run import run as serve

    try:
        code = serve(RunOptions(target=target or app or "", **options))
    except StartError as error:
        raise Failed(error) from error
    raise SystemExit(code)


def _check(options: dict[str, Any]) -> None:
    """Refuse options that exclude each other."""
    if options["ssl_port"] is None and "LISTEN_FDS" not in os.environ:
        source = click.get_current_context().get_parameter_source
        for name in ("ssl_cert", "ssl_key", "ssl_listen"):
            if source(name) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name.replace('_', '-')} is for --ssl-port")
    if options["workers"] is None:
        if options["max_requests"] is not None:
            raise click.UsageError("--max-requests is for --workers: nobody replaces one process")
    else:
        if options["reload"]:
            raise click.UsageError("--reload is for one process: leave out --workers")
        if options["endpoints"]:
            raise click.UsageError(
                "workers cannot share an --endpoint: use --port, --unix or --ssl-port"
            )


@main.command()
@click.argument("target")
def routes(target: str) -> None:
    """List the routes of TARGET, in the order they are tried."""
    from ._routes import route_lines

    try:
        click.echo("\n".join(route_lines(_loaded(target))))
    except StartError as error:
        raise Failed(error) from error


@main.command()
@click.option("--bytes", "count", type=click.IntRange(32, 1024), default=48, help="How long.")
def secret(count: int) -> None:
    """Print a new value for the setting cookie_secret."""
    import secrets

    click.echo(secrets.token_urlsafe(count))


@main.command()
@click.argument("target")
@click.option("--strict", is_flag=True, help="Warnings fail, too.")
def check(target: str, strict: bool) -> None:
    """Look TARGET over: settings, templates, routes, and what is not secure.

    The exit code is 1 if there are errors.
    """
    from ._check import check_application

    try:
        findings = check_application(_loaded(target))
    except StartError as error:
        raise Failed(error) from error
    for finding in findings:
        click.echo(str(finding))
    errors = sum(finding.is_error for finding in findings)
    click.echo(f"{errors} errors, {len(findings) - errors} warnings")
    if errors or (strict and findings):
        raise SystemExit(1)


def _loaded(target: str) -> Any:
    from ._target import call, checked, find, finished

    return checked(finished(call(find(target), target), target), target)


def _make(name: str, where: str | None, git: bool) -> None:
    from ._new import make_project

    try:
        folder = make_project(name, where)
        if git:
            from ._new import make_repository

            make_repository(folder)
    except StartError as error:
        raise Failed(error) from error
    click.echo(f"{folder} is made; now:\n  cd {folder}\n  cyclone run app.py --debug --reload")


@main.command()
@click.argument("name")
@click.option("--target", "-t", "where", metavar="FOLDER", help="Where.  [default: NAME]")
@click.option("--git", "-g", is_flag=True, help="Make it a Git repository, too.")
def new(name: str, where: str | None, git: bool) -> None:
    """Make a project that runs: application, templates, static files, translation, test."""
    _make(name, where, git)


@main.command()
@click.option("--new", "-n", "sample", is_flag=True, help="Print an application of one file.")
@click.option("--project", "-p", help="Make a project of that name.")
@click.option("--target", "-t", "where", metavar="FOLDER", help="Where.")
@click.option("--git", "-g", is_flag=True, help="Make it a Git repository, too.")
def app(sample: bool, project: str | None, where: str | None, git: bool) -> None:
    """Old name of `new`, with the options of Cyclone 1.3."""
    if sample:
        from ._new import sample_source

        click.echo(sample_source(), nl=False)
    elif project:
        _make(project, where, git)
    else:
        raise click.UsageError("say --new or --project NAME")
