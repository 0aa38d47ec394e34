import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from cyclone.web import _autoreload_detector as module
from cyclone.web._autoreload_detector import (
    ChangeDetector,
    files_below,
    loaded_sources,
    source_error,
)


class Files:
    """File times that a test sets."""

    def __init__(self) -> None:
        self.times: dict[str, int] = {}

    def stat(self, path: str) -> Any:
        if path not in self.times:
            raise FileNotFoundError(path)
        return types.SimpleNamespace(st_mtime_ns=self.times[path], st_size=1, st_ino=1)


def test_changes() -> None:
    files = Files()
    detector = ChangeDetector(files.stat)
    files.times = {"a": 1, "b": 1}
    assert detector.scan(["a", "b", "c"]) == []
    assert detector.scan(["a", "b"]) == []
    files.times["a"] = 2
    files.times["c"] = 5
    assert detector.scan(["a", "b", "c"]) == ["a"]
    assert detector.scan(["a", "b", "c"]) == []


def test_a_file_that_is_replaced() -> None:
    files = Files()
    detector = ChangeDetector(files.stat)
    files.times = {"a": 1}
    detector.scan(["a"])
    files.times = {}
    assert detector.scan(["a"]) == []
    files.times = {"a": 1}
    assert detector.scan(["a"]) == []
    files.times = {"a": 0}
    assert detector.scan(["a"]) == ["a"]


def test_real_files(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    detector = ChangeDetector()
    assert detector.scan([str(file), "a\0b"]) == []
    file.write_text("longer")
    assert detector.scan([str(file)]) == [str(file)]


def test_loaded_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lazy(types.ModuleType):
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"made {name}")

    compiled = types.ModuleType("compiled")
    compiled.__file__ = "/x/y.pyc"
    monkeypatch.setitem(sys.modules, "lazy_one", Lazy("lazy_one"))
    monkeypatch.setitem(sys.modules, "compiled_one", compiled)
    monkeypatch.setitem(sys.modules, "no_module", None)
    sources = loaded_sources()
    assert "/x/y.py" in sources
    assert module.__file__ in sources


def test_files_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / ".git").mkdir(parents=True)
    for name in ("a/x.html", "a/.git/y", ".z", "b.html"):
        (tmp_path / name).write_text("")
    found = sorted(os.path.relpath(path, tmp_path) for path in files_below([str(tmp_path)]))
    assert found == ["a/x.html", "b.html"]
    monkeypatch.setattr(module, "MAX_FILES", 1)
    assert len(list(files_below([str(tmp_path)]))) == 1


@pytest.mark.parametrize(
    ("name", "source", "error"),
    [
        ("a.py", b"x = 1\n", None),
        ("a.py", b"x = '\\d'\n", None),
        ("a.py", b"x = 1\ndef (\n", "line 2: "),
        ("a.py", b"# coding: nonsense\n", "line "),
        ("a.py", b"x = 1\0", ""),
        ("a.html", b"def (", None),
    ],
)
def test_source_error(tmp_path: Path, name: str, source: bytes, error: str | None) -> None:
    (tmp_path / name).write_bytes(source)
    found = source_error(str(tmp_path / name))
    if error is None:
        assert found is None
    else:
        assert found is not None
        assert error in found


def test_a_missing_source_has_no_error(tmp_path: Path) -> None:
    assert source_error(str(tmp_path / "missing.py")) is None
