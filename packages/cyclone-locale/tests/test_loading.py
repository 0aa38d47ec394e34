"""Loading translations, and what is in use meanwhile."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import cyclone.locale
from cyclone.locale import CSVLocale, TranslationError

Make = Callable[..., Path]


def test_csv(csv_folder: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "cyclone.general")
    cyclone.locale.load_translations(str(csv_folder(fr_FR='"school","école"\n')))
    locale = cyclone.locale.get("fr_FR")
    assert isinstance(locale, CSVLocale)
    assert locale.translate("school") == "école"
    assert cyclone.locale.get_supported_locales() == frozenset({"en_US", "fr_FR"})
    assert "Supported locales: ['en_US', 'fr_FR']" in caplog.text


def test_each_file_has_its_own_encoding(csv_folder: Make) -> None:
    folder = csv_folder(de="a,ä".encode("utf-16"), fr="a,é".encode(), es="a,á".encode("utf-8-sig"))
    cyclone.locale.load_translations(folder)
    assert [cyclone.locale.get(code).translate("a") for code in ("de", "es", "fr")] == list("äáé")


def test_an_encoding_may_be_given(csv_folder: Make) -> None:
    cyclone.locale.load_translations(csv_folder(fr="a,é".encode("latin-1")), "latin-1")
    assert cyclone.locale.get("fr").translate("a") == "é"


def test_the_last_call_replaces_all(csv_folder: Make, mo_folder: Make, french_po: str) -> None:
    cyclone.locale.load_translations(csv_folder(es="a,b"))
    cyclone.locale.load_gettext_translations(mo_folder(fr=french_po), "app")
    assert cyclone.locale.get_supported_locales() == {"en_US", "fr"}
    cyclone.locale.load_translations(csv_folder(es="a,b"))
    assert cyclone.locale.get_supported_locales() == {"en_US", "es"}


def test_the_files_in_use(
    csv_folder: Make, mo_folder: Make, french_po: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cyclone.locale.get_loaded_files() == ()
    folder = csv_folder(es="a,b", de="a,c")
    monkeypatch.chdir(folder.parent)
    cyclone.locale.load_translations(folder.name)
    files = (str(folder / "de.csv"), str(folder / "es.csv"))
    assert cyclone.locale.get_loaded_files() == files
    with pytest.raises(TranslationError):
        cyclone.locale.load_translations(csv_folder(fr=b"a,\xff"))
    assert cyclone.locale.get_loaded_files() == files
    folder = mo_folder(fr=french_po)
    cyclone.locale.load_gettext_translations(folder, "app")
    assert cyclone.locale.get_loaded_files() == (str(folder / "fr" / "LC_MESSAGES" / "app.mo"),)


def test_a_reload_reaches_whoever_asks_again(csv_folder: Make) -> None:
    cyclone.locale.load_translations(csv_folder(es="a,1"))
    before = cyclone.locale.get("es")
    cyclone.locale.load_translations(csv_folder(es="a,2"))
    assert cyclone.locale.get("es").translate("a") == "2"
    assert before.translate("a") == "1"


def test_a_broken_csv_changes_nothing(csv_folder: Make) -> None:
    cyclone.locale.load_translations(csv_folder(es="a,1"))
    in_use = cyclone.locale.get("es")
    folder = csv_folder(es="a,2", fr=b"a,b\nc,\xff\n")
    with pytest.raises(TranslationError, match=r"fr\.csv:2: "):
        cyclone.locale.load_translations(folder)
    assert cyclone.locale.get("es") is in_use
    assert cyclone.locale.get_supported_locales() == {"en_US", "es"}


def test_a_broken_catalogue_changes_nothing(mo_folder: Make, french_po: str) -> None:
    folder = mo_folder(fr=french_po)
    cyclone.locale.load_gettext_translations(folder, "app")
    broken = folder / "de" / "LC_MESSAGES" / "app.mo"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"nonsense")
    with pytest.raises(TranslationError, match=r"app\.mo: "):
        cyclone.locale.load_gettext_translations(folder, "app")
    assert cyclone.locale.get("fr").translate("school") == "école"
    assert cyclone.locale.get_supported_locales() == {"en_US", "fr"}


def test_a_missing_folder_changes_nothing(csv_folder: Make, tmp_path: Path) -> None:
    cyclone.locale.load_translations(csv_folder(es="a,1"))
    with pytest.raises(FileNotFoundError):
        cyclone.locale.load_translations(tmp_path / "none")
    assert cyclone.locale.get("es").translate("a") == "1"


def test_the_default_locale(csv_folder: Make) -> None:
    cyclone.locale.load_translations(csv_folder(es="a,1"))
    cyclone.locale.set_default_locale("pt_BR")
    assert cyclone.locale.get_supported_locales() == {"es", "pt_BR"}
    assert cyclone.locale.get("xx").code == "pt_BR"
    assert cyclone.locale.get("es").translate("a") == "1"
    cyclone.locale.load_translations(csv_folder(es="a,2"))
    assert cyclone.locale.get("xx").code == "pt_BR"


def test_a_locale_is_made_once() -> None:
    assert cyclone.locale.get("en_US") is cyclone.locale.get("en") is cyclone.locale.get("xx")


def test_readers_never_see_half_a_load(csv_folder: Make) -> None:
    texts = [f"a,{n}\nb,{n}\n" for n in range(2)]
    folders: list[Path] = []
    for text in texts:
        folder = csv_folder(es=text, fr=text).rename(csv_folder().with_name(f"csv{len(folders)}"))
        folders.append(folder)
    cyclone.locale.load_translations(folders[0])
    stop = threading.Event()
    torn = []

    def read() -> None:
        while not stop.is_set():
            locale = cyclone.locale.get("es_GT", "fr")
            if locale.code != "es" or locale.translate("a") != locale.translate("b"):
                torn.append(locale)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(60):
        cyclone.locale.load_translations(folders[n % 2])
    stop.set()
    for reader in readers:
        reader.join()
    assert not torn


def test_no_catalogue_at_all_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "fr" / "LC_MESSAGES").mkdir(parents=True)
    cyclone.locale.load_gettext_translations(tmp_path, "app")
    assert f"No LANGUAGE/LC_MESSAGES/app.mo in {tmp_path}" in caplog.text
