"""Finding the application."""

from __future__ import annotations

from pathlib import Path

import pytest

from cyclone.cli import _target
from cyclone.cli._errors import StartError
from cyclone.web import Application

HEAD = "from cyclone.web import Application\n"


@pytest.mark.parametrize(
    ("source", "attribute"),
    [
        ("application = Application()", ""),
        ("app = Application()", ""),
        ("mine = Application()", ""),
        ("class Mine(Application): pass", ""),
        ("def make_app(): return Application()", ""),
        ("x = Application()\ny = Application()", ":y"),
        ("class Here:\n    app = Application()", ":Here.app"),
        ("def build(): return Application()", ":build"),
        ("import json as app\napplication = Application()", ""),
    ],
)
@pytest.mark.parametrize("place", ["site.py", "./site.py", "mysite"])
def test_found(folder: Path, source: str, attribute: str, place: str) -> None:
    (folder / f"{Path(place).stem}.py").write_text(HEAD + source)
    found = _target.find(place + attribute)
    assert isinstance(_target.checked(_target.call(found, place), place), Application)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("async def x(): return Application()", None),
        ("async def x(): 1 / 0", "could not be called: ZeroDivisionError"),
        (
            "from twisted.internet.defer import Deferred\nasync def x(): await Deferred()",
            "only `cyclone run` can do that",
        ),
    ],
)
def test_a_coroutine_that_waits_for_nothing(folder: Path, source: str, message: str | None) -> None:
    (folder / "app1.py").write_text(HEAD + source)
    made = _target.call(_target.find("app1:x"), "app1:x")
    if message is None:
        assert isinstance(_target.finished(made, "app1:x"), Application)
        return
    with pytest.raises(StartError, match=message):
        _target.finished(made, "app1:x")


def test_an_instance_takes_no_argument() -> None:
    with pytest.raises(StartError, match="takes no --appopts") as caught:
        _target.call(Application(), "a.py", "text")
    assert caught.value.exit_code == 2


def test_cyclone_1_spelling(folder: Path) -> None:
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("")
    (folder / "pack" / "web.py").write_text(
        HEAD + "class Mine(Application):\n    def __init__(self, options):\n"
        "        super().__init__(name=options)\n"
    )
    made = _target.call(_target.find("pack.web.Mine"), "pack.web.Mine", "text")
    assert made.settings["name"] == "text"
    assert _target.find("pack.web") is type(made)


@pytest.mark.parametrize(
    ("source", "target", "code", "message"),
    [
        ("", "nothing.py", 2, "there is no file 'nothing.py'"),
        ("", "nothing_here", 2, "there is no module 'nothing_here'"),
        ("", "nothing_here:app", 2, "there is no module 'nothing_here'"),
        ("", "nothing_here.web.App", 2, "there is no module 'nothing_here'"),
        ("", "app1.py", 2, "no application in 'app1.py': name one, as in app1.py:application"),
        ("a = Application()\nb = Application()", "app1", 2, "several applications in 'app1'"),
        ("", "app1.py:x.y", 2, "'app1.py' has no attribute 'x.y'"),
        ("", "app1.Mine", 2, "'app1' has no attribute 'Mine'"),
        ("", ":x", 2, "names no application"),
        ("", "", 2, "names no application"),
        ("", ".", 2, "names no application"),
        ("", "a..b", 2, "names no application"),
        ("", "./", 2, "'./' is a folder"),
        ("", "app1:", 2, "names no application"),
        ("1 +", "app1.py", 1, "cannot import 'app1.py': SyntaxError: invalid syntax"),
        ("import no_such", "app1", 1, "cannot import 'app1': ModuleNotFoundError: No module"),
        ("import no_such", "app1.py", 1, "cannot import 'app1.py': ModuleNotFoundError"),
        (
            "from cyclone.ioloop import IOLoop",
            "app1.py",
            1,
            "No module named 'cyclone.ioloop' (app1.py, line 2); Cyclone 2 has no such module: "
            "https://github.com/fiorix/cyclone/blob/main/PORTING.md says what takes its place",
        ),
        (
            "raise ModuleNotFoundError('none', name='cyclone.sse')",
            "app1",
            1,
            "; pip install cyclone-sse",
        ),
        (
            "from twisted.internet.error import ReactorAlreadyInstalledError as E\nraise E",
            "app1",
            1,
            "cannot import 'app1': ReactorAlreadyInstalledError "
            "(it installs a reactor itself: leave out the option --reactor)",
        ),
        (
            "\n1 / 0",
            "app1",
            1,
            "cannot import 'app1': ZeroDivisionError: division by zero (app1.py, line 3)",
        ),
        ("import re\nre.compile('(')", "app1.py", 1, "position 0 (app1.py, line 3)"),
        ("x = 5", "app1:x", 2, "'app1:x' is an object of type int"),
        ("def x(): return 5", "app1:x", 2, "'app1:x' gave an object of type int"),
        ("def x(): pass", "app1:x", 2, "'app1:x' gave None"),
        ("async def x(): pass", "app1:x", 2, "'app1:x' gave an object of type coroutine"),
        ("def x(): raise OSError('a\\nb')", "app1:x", 1, "could not be called: OSError: a b"),
    ],
)
def test_not_found(folder: Path, source: str, target: str, code: int, message: str) -> None:
    (folder / "app1.py").write_text(HEAD + source)
    with pytest.raises(StartError) as caught:
        _target.checked(_target.call(_target.find(target), target), target)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == code


def test_a_file_never_hides_a_module_of_that_name(folder: Path) -> None:
    (folder / "json.py").write_text(HEAD + "application = Application()")
    found = _target.find("json.py")
    import json

    assert json.loads("1") == 1
    assert isinstance(found, Application)
