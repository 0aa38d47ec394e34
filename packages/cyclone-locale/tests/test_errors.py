"""Errors and log lines."""

import pytest

from cyclone.locale import TranslationError
from cyclone.locale._errors import fill, log, printable


def test_the_message_begins_with_the_place() -> None:
    error = TranslationError("broken", "es.csv", 3)
    assert str(error) == "es.csv:3: broken"
    assert (error.filename, error.lineno) == ("es.csv", 3)
    assert isinstance(error, ValueError)
    assert str(TranslationError("broken", "es.mo")) == "es.mo: broken"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("es.csv", "es.csv"), ("a\nb", "a\\nb"), ("\x1b[0m", "\\x1b[0m"), ("\udc80é", "\\udc80é")],
)
def test_control_characters_do_not_reach_a_log(text: str, expected: str) -> None:
    assert printable(text) == expected
    assert str(TranslationError("x", text)).startswith(expected)


def test_the_logger_is_the_general_one() -> None:
    assert log().name == "cyclone.general"


@pytest.mark.parametrize("broken", ["%(tiem)s", "100 %", "%d", "%(time)d", "%s %s", "%(time)"])
def test_a_broken_translation_is_logged_and_passed_over(
    broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert fill(broken, "at %(time)s", {"time": "8:00"}) == "at 8:00"
    assert "Broken translation" in caplog.text


def test_fill() -> None:
    assert fill("um %(time)s", "at %(time)s", {"time": "8:00"}) == "um 8:00"
