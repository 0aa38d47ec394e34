"""When a worker that died is replaced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cyclone.cli._restarts import LONGEST_PAUSE, Restarts


def test_a_steady_worker_is_replaced_at_once() -> None:
    restarts = Restarts()
    restarts.ready()
    assert [restarts.died(100.0 * n, 100.0 * n - 20) for n in range(1, 20)] == [0.0] * 19


def test_pauses_grow() -> None:
    restarts = Restarts()
    restarts.ready()
    pauses = [restarts.died(n * 20.0, n * 20.0 - 2) for n in range(9)]
    assert pauses == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_f06_deaths_at_boot_end_it() -> None:
    restarts = Restarts()
    assert [restarts.died(n * 100.0, None) for n in range(5)] == [0.0, 0.25, 0.5, 1.0, None]


def test_once_it_has_served_only_a_storm_ends_it() -> None:
    restarts = Restarts()
    restarts.ready()
    slow = [restarts.died(n * 5.0, None) for n in range(20)]
    assert None not in slow
    storm = [restarts.died(200 + n, 200 + n - 0.5) for n in range(5)]
    assert None in storm


@given(st.lists(st.tuples(st.floats(0, 50), st.none() | st.floats(0, 100)), max_size=40))
def test_pauses_are_bounded(deaths: list[tuple[float, float | None]]) -> None:
    restarts, now = Restarts(), 1000.0
    for step, lived in deaths:
        now += step
        pause = restarts.died(now, None if lived is None else now - lived)
        assert pause is None or 0 <= pause <= LONGEST_PAUSE
