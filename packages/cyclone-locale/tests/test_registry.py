"""The snapshot in use."""

import threading

from cyclone.locale._registry import Snapshot, current, replace


def test_the_default_is_always_supported() -> None:
    assert Snapshot().supported == {"en_US"}
    assert Snapshot("de", csv={"fr": {}}).supported == {"de", "fr"}


def test_another_default_changes_nothing_else() -> None:
    before = Snapshot("fr", csv={"de": {}}, files=("de.csv",))
    after = before.with_default("es")
    assert (after.default, after.csv, after.files) == ("es", before.csv, ("de.csv",))


def test_replace_swaps_the_whole_snapshot() -> None:
    before = current()
    after = replace(lambda old: Snapshot("fr"))
    assert current() is after
    assert current().default == "fr"
    assert before.default == "en_US"


def test_no_change_is_lost_between_threads() -> None:
    def add(number: int) -> None:
        replace(lambda old: Snapshot(csv={**old.csv, f"x{number}": {}}))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(current().csv) == 20


def test_variables_of_tornado() -> None:
    snapshot = Snapshot("fr", csv={"de": {}})
    assert snapshot.legacy("_default_locale") == "fr"
    assert snapshot.legacy("_supported_locales") == {"fr", "de"}
    assert snapshot.legacy("_translations") == {"de": {}}
    assert snapshot.legacy("_use_gettext") is False
