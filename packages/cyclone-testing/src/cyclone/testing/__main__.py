"""``python -m cyclone.testing``: run the tests that are named."""

import sys

from cyclone.testing import main

if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("usage: python -m cyclone.testing TEST ...")
    main()
