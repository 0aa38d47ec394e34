import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from cyclone.web import HTTPError
from cyclone.web._static_paths import (
    Stamp,
    absolute_path,
    check_in_root,
    has_hidden_part,
    resolve_links,
    stat_regular_file,
    windows_special,
)


def status_of(function: object, *args: object) -> int:
    with pytest.raises(HTTPError) as info:
        function(*args)  # type: ignore[operator]
    return info.value.status_code


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.txt", "/site/a.txt"),
        ("b/../a", "/site/a"),
        ("", "/site"),
        ("x//y", "/site/x/y"),
        ("..\\x", "/site/..\\x"),
    ],
)
def test_paths_below_the_root(path: str, expected: str) -> None:
    assert absolute_path("/site", path) == expected


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../site_secret/x", id="ST-01-sibling"),
        pytest.param("..", id="ST-01-parent"),
        pytest.param("/etc/passwd", id="ST-01-absolute"),
        pytest.param("a/../../x", id="ST-01-deep"),
        pytest.param("../exists", id="ST-03"),
    ],
)
def test_paths_outside(path: str) -> None:
    assert status_of(absolute_path, "/site", path) == 403


def test_a_nul_names_no_file() -> None:
    assert status_of(absolute_path, "/site", "a\0b") == 404


def test_the_root_of_all_files_may_be_served() -> None:
    assert absolute_path("/", "etc/x") == "/etc/x"
    assert check_in_root("/", "/etc/x", "x") == "/"


def test_links(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "a").write_text("a")
    (root / "in").symlink_to(root / "a")
    (root / "out").symlink_to(outside)
    assert resolve_links(str(root / "in"), [str(root)], "in") == str(root / "a")
    assert status_of(resolve_links, str(root / "out"), [str(root)], "out") == 403
    assert status_of(resolve_links, str(root / "out" / "missing"), [str(root)], "out") == 403
    assert resolve_links(str(root / "out"), [str(root), str(outside)], "out") == str(outside)
    (tmp_path / "way").symlink_to(root)
    assert resolve_links(str(tmp_path / "way" / "a"), [str(tmp_path / "way")], "a") == str(
        root / "a"
    )


def test_only_regular_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    assert stat_regular_file(str(tmp_path / "a"), "a").st_size == 3
    assert status_of(stat_regular_file, str(tmp_path), "dir") == 403
    assert status_of(stat_regular_file, str(tmp_path / "missing"), "x") == 404
    assert status_of(stat_regular_file, str(tmp_path / ("n" * 300)), "x") == 404
    os.mkfifo(tmp_path / "fifo")
    assert status_of(stat_regular_file, str(tmp_path / "fifo"), "fifo") == 403  # ST-04
    assert status_of(stat_regular_file, "/dev/zero", "zero") == 403  # ST-04


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    before = Stamp.of(os.stat(file))
    assert Stamp.of(os.stat(file)) == before
    file.write_text("three")
    assert Stamp.of(os.stat(file)) != before


@pytest.mark.parametrize(
    ("path", "hidden"),
    [(".git/config", True), ("a/.b", True), ("a.b/c", False), ("../a", False), ("", False)],
)
def test_hidden_parts(path: str, hidden: bool) -> None:
    assert has_hidden_part(path) is hidden


WINDOWS = [
    r"\\evil\s",
    "//evil/s",
    r"\/evil\s",
    r"\\?\C:\x",
    r"\\.\pipe\x",
    r"C:\x",
    "c:x",
    "NUL",
    "nul ",
    "nul.",
    "a/CON.txt",
    "a/con .tar.gz",
    "f.txt::$DATA",
    "f.txt:s",
    "a:s/f.txt",
    "COM1",
    "COM9.x",
    "lpt\u00b9.x",
    "CONIN$",
    r"a\aux",
]


@pytest.mark.parametrize("path", WINDOWS)
def test_st05_windows(path: str) -> None:
    """ST-05."""
    assert windows_special(path)


@pytest.mark.parametrize("path", WINDOWS)
def test_st05_not_even_looked_for(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ST-05: on Windows they are not found before anything is asked of the file system."""
    monkeypatch.setattr("cyclone.web._static_paths.os", SimpleNamespace(name="nt"))
    assert status_of(absolute_path, "C:\\site", path) == 404


@pytest.mark.parametrize("path", ["console.txt", "a/nullable", "com.txt", "COM10", "", "a b/c.d"])
def test_st05_ordinary_names(path: str) -> None:
    """ST-05."""
    assert not windows_special(path)
