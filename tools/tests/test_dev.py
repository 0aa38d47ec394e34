"""`./dev`, with something small in hatch's place."""

import os
import subprocess
import sys
import types
import venv
from pathlib import Path
from typing import Any

import pytest

DEV = Path(__file__).resolve().parents[2] / "dev"


@pytest.fixture
def dev(tmp_path: Path) -> Any:
    """The command as a module, at home in an empty folder."""
    module: Any = types.ModuleType("dev")
    module.__file__ = str(DEV)
    exec(compile(DEV.read_bytes(), DEV, "exec"), vars(module))
    module.ROOT = tmp_path
    return module


# Runs the demo of the folder in argv[2] with the options after it
RUN = """
import sys, types
from pathlib import Path
dev = types.ModuleType("dev")
dev.__file__ = sys.argv[1]
exec(compile(Path(sys.argv[1]).read_bytes(), sys.argv[1], "exec"), vars(dev))
dev.ROOT = Path(sys.argv[2])
dev.bootstrap = lambda: dev.ROOT / "bin"
sys.exit(dev.main(["demo", *sys.argv[3:]]))
"""

APP = """
import os, sys
print(os.getpid(), sys.argv[1:])
"""


def run_demo(root: Path, hatch: str, *options: str) -> tuple[int, int, str]:
    """The process id of the command, its exit status and its output."""
    (root / "bin").mkdir()
    (root / "bin" / "hatch").write_text(f"#!/bin/sh\n{hatch}\n")
    (root / "bin" / "hatch").chmod(0o755)
    (root / "examples" / "guestbook").mkdir(parents=True)
    (root / "examples" / "guestbook" / "app.py").write_text(APP)
    command = [sys.executable, "-c", RUN, str(DEV), str(root), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output, _ = process.communicate(timeout=30)
    return process.pid, process.returncode, output


def test_the_demo_takes_the_place_of_the_command(tmp_path: Path) -> None:
    pid, status, output = run_demo(tmp_path, f"echo {sys.executable}", "--port", "0")
    assert status == 0
    assert output == f"{pid} ['--port', '0']\n"


def test_the_demo_without_its_environment(tmp_path: Path) -> None:
    assert run_demo(tmp_path, "exit 3")[1:] == (3, "")


def test_the_environment_is_of_the_python_that_runs_it(
    dev: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.REQUIREMENTS = ()
    run = types.SimpleNamespace(run=lambda command, **options: None)
    monkeypatch.setattr(dev, "subprocess", run)
    made = []

    def create(home: Path, *, with_pip: bool, **options: Any) -> None:
        made.append(home)
        venv.create(home, **options)

    monkeypatch.setattr(dev, "venv", types.SimpleNamespace(create=create))
    programs = dev.bootstrap()
    assert (programs / "python").is_symlink()
    command = [programs / "python", "-c", "import sys; print(sys._base_executable)"]
    base = subprocess.check_output(command, text=True).strip()
    assert os.path.realpath(base) == os.path.realpath(sys.executable)

    assert dev.bootstrap() == programs
    assert len(made) == 1
    (programs.parent / "requirements").write_text("/usr/bin/another")
    dev.bootstrap()
    assert len(made) == 2


def test_a_package_that_is_not_to_be_had_keeps_no_other_away(
    dev: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list of packages cannot be renewed, and one of three has no candidate."""
    (tmp_path / "apt-get").write_text(f"""#!/bin/sh
case "$*" in *update*|*gone*) exit 100;; esac
for package in "$@"; do :; done
touch {tmp_path}/$package; chmod +x {tmp_path}/$package
""")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0)
    dev.PROGRAMS = {"program-1": "program-1", "program-2": "gone", "program-3": "program-3"}
    dev.install_programs()
    assert (tmp_path / "program-1").exists()
    assert (tmp_path / "program-3").exists()
    assert capsys.readouterr().err == "not installed, so their tests are skipped: gone\n"

    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000)
    (tmp_path / "program-1").unlink()
    dev.install_programs()
    assert "skipped: gone program-1\n" in capsys.readouterr().err


def test_a_provider_that_cannot_be_fetched_stops_nothing(
    dev: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "npm").write_text("#!/bin/sh\nmkdir node_modules; exit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    dev.PROVIDERS = tmp_path
    dev.install_provider()
    assert "npm ci failed" in capsys.readouterr().err
    assert not (tmp_path / "node_modules").exists()
