"""`python -m quickdraw.export`."""

import sys

from quickdraw.export import main

if __name__ == "__main__":
    sys.exit(main())
