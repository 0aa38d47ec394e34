"""Timers while somebody sets the wall clock."""

import subprocess
import sys
import time

import pytest
from twisted.internet.task import Clock

from cyclone.cli._clock import steady

# Sets the clock back by an hour when two timers run: one that began before, one after.
SET_BACK = """
import sys, time
real, offset = time.time, 0
time.time = lambda: real() + offset
from cyclone.cli._clock import steady
from cyclone.cli._reactors import install
install(sys.argv[1])
from twisted.internet import reactor
steady(reactor)
reactor.callLater(0.05, print, "before")
offset = -3600
reactor.callLater(0.1, print, "after")
reactor.callLater(0.2, reactor.stop)
reactor.run()
"""


def test_it_begins_at_the_time_of_the_wall_clock() -> None:
    reactor = Clock()
    assert steady(reactor) is reactor
    assert reactor.seconds() == pytest.approx(time.time(), abs=1)


def test_f_41_the_wall_clock_may_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    reactor = steady(Clock())
    before = reactor.seconds()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= reactor.seconds() - before < 1


@pytest.mark.parametrize("name", ["default", "asyncio", "select"])
def test_f_41_timers_go_on_when_the_clock_is_set_back(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SET_BACK, name], capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\nafter\n", "")
