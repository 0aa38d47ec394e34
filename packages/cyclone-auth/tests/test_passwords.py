"""Hashes of passwords."""

import sys
import threading
import time
from typing import Any

import argon2
import pytest
from twisted.trial.unittest import TestCase

from cyclone.auth import _passwords as module
from cyclone.auth import (
    hash_password,
    hash_password_async,
    needs_rehash,
    verify_password,
    verify_password_async,
)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Hashes of a few microseconds, but where a test says otherwise."""
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    module._nobodys_hash.cache_clear()
    monkeypatch.setattr(module, "_hasher", lambda: hasher)
    yield
    module._nobodys_hash.cache_clear()


def test_round_trip() -> None:
    for password in ("secret", "pässwörd\N{SNOWMAN}", "x" * 4096, "a\0b", "\ud800"):
        stored = hash_password(password)
        assert stored.startswith("$argon2id$")
        assert verify_password(stored, password)
        assert not verify_password(stored, password + "x")
    assert hash_password("secret") != hash_password("secret")


@pytest.mark.parametrize("password", ["", "x" * 4097, "é" * 2049])
def test_lengths(password: str) -> None:
    with pytest.raises(ValueError, match="between 1 and 4096"):
        hash_password(password)
    for stored in (hash_password("x"), hash_password("?")):
        assert not verify_password(stored, password)


@pytest.mark.parametrize(
    "stored", [None, "", "plain", "$argon2id$v=19$broken", "é", "x" * 10_000, "$2b$12$abc"]
)
def test_unusable_hashes(stored: str | None) -> None:
    assert not verify_password(stored, "secret")


def test_unknown_users_take_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    monkeypatch.setattr(module, "_hasher", lambda: hasher)
    stored = hash_password("secret")
    verify_password(None, "x")

    def seconds(known: str | None) -> float:
        times = []
        for _ in range(9):
            start = time.thread_time()
            assert not verify_password(known, "wrong")
            times.append(time.thread_time() - start)
        return min(times)

    assert 0.4 < seconds(None) / seconds(stored) < 2.5


def test_needs_rehash() -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash("x")
    assert needs_rehash(weak)
    assert not needs_rehash(hash_password("x"))


def test_without_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    module._hasher.cache_clear()
    monkeypatch.setitem(sys.modules, "argon2", None)
    with pytest.raises(ImportError, match=r"cyclone-auth\[argon2\]"):
        hash_password("x")
    with pytest.raises(ImportError, match=r"cyclone-auth\[argon2\]"):
        verify_password("$argon2id$v=19$x", "x")


class Threads(TestCase):
    async def test_in_threads(self) -> None:
        threads = []
        original = module._hasher

        def hasher() -> argon2.PasswordHasher:
            threads.append(threading.current_thread())
            return original()

        self.patch(module, "_hasher", hasher)  # type: ignore[no-untyped-call]
        stored = await hash_password_async("secret")
        assert await verify_password_async(stored, "secret")
        assert not await verify_password_async(None, "secret")
        assert threads
        assert threading.main_thread() not in threads
