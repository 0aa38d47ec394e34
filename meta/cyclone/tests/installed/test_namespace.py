"""`import cyclone` over the installed packages: cheap, lazy, complete."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import cyclone


def run_python(source: str) -> str:
    """What a fresh interpreter prints for the source."""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_import_loads_nothing_heavy() -> None:
    source = (
        "import sys; before = set(sys.modules); import cyclone, json; "
        "print(json.dumps([name for name in sys.modules if name not in before]))"
    )
    loaded = json.loads(run_python(source))
    assert "cyclone" in loaded
    heavy = ("twisted", "babel", "httptools", "jwt", "oauthlib", "asyncio", "email")
    assert [name for name in loaded if name.startswith(heavy)] == []
    assert [name for name in loaded if name.startswith("cyclone.")] == []


@pytest.mark.parametrize("name", cyclone.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(cyclone, name) is not None
    assert name in dir(cyclone)


@pytest.mark.parametrize("name", ["auth", "httpclient", "httpserver", "web"])
def test_importing_installs_no_reactor(name: str) -> None:
    source = f"import sys, cyclone.{name}; print('twisted.internet.reactor' in sys.modules)"
    assert run_python(source).strip() == "False"


def test_version_is_the_distributions() -> None:
    assert cyclone.__version__ == cyclone.version == version("cyclone")


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        cyclone.nonsense  # type: ignore[attr-defined]  # noqa: B018


def test_old_modules_are_told_of() -> None:
    with pytest.raises(AttributeError, match=r"'ioloop': https://.*PORTING.md says"):
        _ = cyclone.ioloop  # type: ignore[attr-defined]


def test_names_are_those_of_the_web_package() -> None:
    from cyclone import web

    assert cyclone.Application is web.Application
    assert cyclone.RequestHandler is web.RequestHandler
