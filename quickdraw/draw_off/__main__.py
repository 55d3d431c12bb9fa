"""`python -m quickdraw.draw_off`."""

import sys

from quickdraw.draw_off import main

if __name__ == "__main__":
    sys.exit(main())
