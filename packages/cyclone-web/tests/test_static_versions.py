import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cyclone.web._static_versions import Version, hash_content, recall, remember, stamp_of


def test_hash_content() -> None:
    assert hash_content([b"a", b"b"], 2) == hashlib.sha512(b"ab").hexdigest()


def test_a_hash_has_a_limit_and_closes_what_it_reads() -> None:
    closed = []

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    with pytest.raises(ValueError, match="larger than MAX_VERSION_CONTENT_SIZE"):
        hash_content(chunks(), 10)
    assert closed == [True]


def test_recall_wants_the_same_stamp(tmp_path: Path) -> None:
    file = tmp_path / "a"
    assert stamp_of(str(file)) is None
    assert stamp_of("a\0b") is None
    file.write_text("one")
    versions: dict[str, Version] = {}
    stamp = stamp_of(str(file))
    remember(versions, "a", Version(stamp, "v1"), 10)
    assert recall(versions, "a", stamp) == (stamp, "v1")
    assert recall(versions, "b", stamp) is None
    file.write_text("other")
    assert recall(versions, "a", stamp_of(str(file))) is None


def test_st11_what_was_not_used_for_longest_goes() -> None:
    versions: dict[str, Version] = {}
    for name in "abc":
        remember(versions, name, Version(None, name), 3)
    assert recall(versions, "a", None) is not None
    remember(versions, "d", Version(None, "d"), 3)
    assert list(versions) == ["c", "a", "d"]
    for number in range(1000):
        remember(versions, str(number), Version(None, "x"), 3)
    assert len(versions) == 3
