import os
from pathlib import Path

import pytest

from cyclone.web._static_variants import choose_variant, find_variants


@pytest.fixture
def script(tmp_path: Path) -> Path:
    for name in ("a.js", "a.js.br", "a.js.gz", "a.js.zst"):
        (tmp_path / name).write_text(name)
    return tmp_path / "a.js"


def codings(path: Path) -> list[str]:
    return list(find_variants(str(path), os.stat(path)))


def test_neighbours_are_found(script: Path) -> None:
    assert codings(script) == ["br", "zstd", "gzip"]


def test_links_folders_and_old_files_are_not(script: Path) -> None:
    br, gz, zst = (script.with_name("a.js" + extension) for extension in (".br", ".gz", ".zst"))
    br.unlink()
    br.symlink_to("/etc/passwd")  # ST-02
    zst.unlink()
    zst.mkdir()
    os.utime(gz, (1, 1))
    assert codings(script) == []


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("gzip, br;q=0.5", "gzip"),
        ("br;q=0", None),
        ("identity", None),
        ("", None),
        (None, None),
    ],
)
def test_negotiation(script: Path, accepted: str | None, expected: str | None) -> None:
    variant = choose_variant(find_variants(str(script), os.stat(script)), accepted)
    assert (variant and variant.coding) == expected
    if variant is not None:
        assert Path(variant.path).read_text() == os.path.basename(variant.path)
