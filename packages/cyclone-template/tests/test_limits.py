"""Bounds on templates."""

import time

import pytest

from cyclone.template import DictLoader, Limits, ParseError, Template


def test_the_size_of_a_file_is_limited() -> None:
    limits = Limits(max_size=10)
    assert Template("0123456789", limits=limits).generate() == b"0123456789"
    with pytest.raises(ParseError, match="larger than 10 characters at big:1"):
        Template("0123456789x", name="big", limits=limits)


def test_the_number_of_directives_is_limited() -> None:
    limits = Limits(max_directives=10)
    Template("{{ 1 }}" * 10, limits=limits)
    with pytest.raises(ParseError, match="more than 10 directives at big:2"):
        Template("{{ 1 }}" * 10 + "{#\n#}{{ 2 }}", name="big", limits=limits)


def test_files_that_include_each_other_many_times_cannot_explode() -> None:
    files = {f"{i}": f"{{% include {i + 1} %}}" * 10 for i in range(9)}
    files["9"] = "x" * 10
    loader = DictLoader(files, limits=Limits(max_directives=1000))
    start = time.process_time()
    with pytest.raises(ParseError, match="more than 1000 directives"):
        loader.load("0")
    assert time.process_time() - start < 5


def test_ten_megabytes_of_text() -> None:
    text = "all work and no play\n" * 500_000
    start = time.process_time()
    assert len(Template(text).generate()) == len(text)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "source",
    [
        "{{ x }}" * 1_500_000,
        "{% if x %}" * 1_000_000,
        "{{ " * 3_000_000,
        "{% " * 3_000_000,
        "{# " * 3_000_000,
        "{" * 10_000_000,
        "{{ (" + "[" * 10_000_000,
        "{{ '" * 2_500_000,
        "{% end %}" * 1_000_000,
        "{% comment it's %}" * 500_000 + "{{",
        '{{ """' + "x" * 10_000_000,
    ],
    ids=lambda source: source[:12],
)
def test_ten_hostile_megabytes_end_in_linear_time(source: str) -> None:
    where = ("big", 1)
    start = time.process_time()
    try:
        Template(source, name="big")
    except ParseError as error:
        where = (str(error.filename), error.lineno)
    assert where == ("big", 1)
    assert time.process_time() - start < 15
