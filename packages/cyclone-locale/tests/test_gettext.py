"""gettext catalogues."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclone.locale import TranslationError
from cyclone.locale._gettext import find_mo, read_all, read_mo

Make = Callable[..., Path]


def test_find(mo_folder: Make, french_po: str) -> None:
    folder = mo_folder(fr_FR=french_po, fr=french_po)
    (folder / "README").write_text("")
    (folder / "de" / "LC_MESSAGES").mkdir(parents=True)
    assert [language for language, _ in find_mo(folder, "app")] == ["fr", "fr_FR"]
    assert find_mo(folder, "other") == []
    with pytest.raises(FileNotFoundError):
        find_mo(folder / "none", "app")


def test_a_folder_name_with_pattern_characters(tmp_path: Path) -> None:
    target = tmp_path / "[x]*" / "fr" / "LC_MESSAGES" / "app.mo"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"")
    assert find_mo(tmp_path / "[x]*", "app") == [("fr", target)]


def test_a_region_falls_back_to_its_language(mo_folder: Make, french_po: str) -> None:
    canadian = french_po.replace("école", "école canadienne").replace("fichier", "")
    folder = mo_folder(fr=french_po, fr_CA=canadian)
    catalogues = read_all(find_mo(folder, "app"))
    assert catalogues["fr_CA"].gettext("school") == "école canadienne"
    assert catalogues["fr"].gettext("school") == "école"
    assert catalogues["fr_CA"].gettext("nothing") == "nothing"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello world, this is no catalogue", id="text"),
        pytest.param(b"\xde\x12\x04\x95" + b"\x00" * 3, id="cut"),
        pytest.param(b"\xde\x12\x04\x95" + b"\xff" * 40, id="wild offsets"),
    ],
)
def test_a_broken_catalogue_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "app.mo"
    path.write_bytes(data)
    with pytest.raises(TranslationError, match="not a gettext catalogue") as caught:
        read_mo(path)
    assert caught.value.filename == str(path)


@pytest.mark.parametrize(
    "header",
    ["Plural-Forms: nplurals=2; plural=__import__('os')", "Content-Type: text/plain; charset=zz"],
)
def test_a_broken_header(mo_folder: Make, tmp_path: Path, header: str) -> None:
    text = f"{header}\n".encode()
    offsets = (0x950412DE, 0, 1, 28, 36, 0, 0, 0, 44, len(text), 45)
    data = b"".join(n.to_bytes(4, "little") for n in offsets) + b"\x00" + text + b"\x00"
    path = tmp_path / "app.mo"
    path.write_bytes(data)
    with pytest.raises(TranslationError):
        read_mo(path)


@settings(max_examples=60)
@given(st.binary(max_size=120))
def test_any_bytes_give_a_catalogue_or_an_error(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.mo"
        path.write_bytes(b"\xde\x12\x04\x95" + data)
        with suppress(TranslationError):
            read_mo(path)
