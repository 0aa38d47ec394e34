"""``python -m cyclone.cli``: the same as the command ``cyclone``."""

from ._commands import main

if __name__ == "__main__":
    main(prog_name="cyclone")
