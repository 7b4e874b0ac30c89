"""`python -m ditto.cli`, for where the `ditto` script is not on the PATH."""

import sys

from ditto.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
