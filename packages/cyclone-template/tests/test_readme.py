"""The README's examples run."""

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_every_example_runs() -> None:
    examples = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
