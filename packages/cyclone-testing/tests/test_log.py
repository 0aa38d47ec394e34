"""ExpectLog."""

from __future__ import annotations

import logging

import pytest

from cyclone.testing import ExpectLog

LOG = logging.getLogger("cyclone.application")


def test_what_matches_is_kept_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with ExpectLog("cyclone.application", "Uncaught .* in /") as expected:
        LOG.error("Uncaught %s in /", "error")
        LOG.error("another")
    assert (expected.matched, expected.logged_stack) == (1, False)
    assert [record.getMessage() for record in caplog.records] == ["another"]
    LOG.error("Uncaught error in / afterwards")
    assert len(caplog.records) == 2


def test_nothing_that_matches_fails() -> None:
    expected = ExpectLog("cyclone.application", "never")
    with pytest.raises(Exception, match="did not get expected log message 'never'"), expected:
        LOG.error("not at the beginning: never")


@pytest.mark.parametrize("logger", ["cyclone.general", logging.getLogger("cyclone.general")])
def test_not_required(logger: logging.Logger | str) -> None:
    with ExpectLog(logger, "never", required=False) as expected:
        pass
    assert expected.matched == 0


def test_an_exception_in_the_block_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), ExpectLog("", "never"):
        raise ZeroDivisionError


def test_the_root_logger() -> None:
    with ExpectLog("", "to the root"):
        logging.getLogger().warning("to the root")


def test_tracebacks_are_noticed() -> None:
    with ExpectLog(LOG, "failed") as expected:
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            LOG.exception("failed")
    assert expected.logged_stack


def test_the_level_is_let_through_and_put_back() -> None:
    log = logging.getLogger("cyclone.testing.level")
    log.setLevel(logging.ERROR)
    with ExpectLog(log, "quiet", level=logging.DEBUG) as expected:
        log.debug("quiet")
    assert (expected.matched, log.level) == (1, logging.ERROR)


def test_another_level_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    expected = ExpectLog("cyclone.general", "text", level=logging.INFO)
    with pytest.raises(Exception, match="did not get"), expected:
        logging.getLogger("cyclone.general").error("text")
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["expected 'text' at level INFO and got it at ERROR", "text"]


def test_below_warning_without_a_level_is_deprecated() -> None:
    log = logging.getLogger("cyclone.testing.info")
    log.setLevel(logging.INFO)
    with pytest.warns(DeprecationWarning, match="give it the level"), ExpectLog(log, "text"):
        log.info("text")
