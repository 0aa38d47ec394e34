"""What may be used once."""

import pytest

from cyclone.auth._replay import OnceOnly


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_once() -> None:
    time = Time()
    once = OnceOnly(10, clock=time)
    assert once.spend("a")
    assert not once.spend("a")
    assert once.spend("b")
    time.now = 9.9
    assert not once.spend("a")
    time.now = 10.0
    assert once.spend("a")


def test_bounded() -> None:
    time = Time()
    once = OnceOnly(10, capacity=100, clock=time)
    for number in range(1000):
        time.now += 0.001
        assert once.spend(str(number))
    assert len(once) <= 100
    assert not once.spend("999")
    time.now += 11
    assert once.spend("new")
    assert len(once) == 1


@pytest.mark.parametrize(("seconds", "capacity"), [(0, 1), (-1, 1), (1, 0)])
def test_nonsense(seconds: float, capacity: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        OnceOnly(seconds, capacity)
