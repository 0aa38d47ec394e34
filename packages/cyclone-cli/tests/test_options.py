"""Options on their way to a worker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cyclone.cli._options import RunOptions


@given(
    st.builds(
        RunOptions,
        target=st.text(),
        port=st.none() | st.integers(0, 65535),
        endpoints=st.lists(st.text()).map(tuple),
        xheaders=st.booleans(),
        drain_timeout=st.floats(0, 1e5),
    )
)
def test_round_trip(options: RunOptions) -> None:
    assert RunOptions.from_json(options.to_json()) == options
