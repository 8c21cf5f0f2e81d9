"""The `stillwatch` process: the command line, then out at once."""

import os
import sys
from contextlib import suppress

from detector.cli import main


def run() -> None:
    """Run the command line and end the process.

    After a success all output is written, so the process ends without being taken apart, which would cost a quarter
    of a second: the libraries hold some hundred thousand objects.
    """
    try:
        main()
    except SystemExit as left:
        if left.code:
            raise
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    run()
