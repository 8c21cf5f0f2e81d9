"""The `stillwatch` process: the command line, then out at once."""

import os
import sys
import traceback
from contextlib import suppress

from detector.cli import main
from detector.process import work_on_one_thread

#: Exit code for a fault of ours, as BSD's sysexits.h has it (EX_SOFTWARE).
CRASH = 70


def crash_text(error: BaseException) -> str:
    """Say where our code broke, without the words of the error: they may quote a log.

    Returns
    -------
    The kind of each error in the chain and the places in the code that it went through, the innermost last.
    """
    lines = ["stillwatch: a fault in the program; nothing was written; please report these lines, which quote no log:"]
    seen: BaseException | None = error
    while seen is not None:
        lines.append(f"  {type(seen).__module__}.{type(seen).__qualname__}")
        frames = traceback.extract_tb(seen.__traceback__)
        lines += [f"    {os.path.relpath(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(lines) + "\n"


def _keep_no_core() -> None:
    """Have the system write no image of this process's memory, in which prompts are, if it is killed by a fault."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def run() -> None:
    """Run the command line and end the process; an error nobody foresaw is told without its words.

    After a success all output is written, so the process ends without being taken apart, which would cost a quarter
    of a second: the libraries hold some hundred thousand objects.
    """
    _keep_no_core()
    work_on_one_thread()
    try:
        main()
    except SystemExit as left:
        if left.code:
            raise
    except Exception as error:
        sys.stderr.write(crash_text(error))
        sys.exit(CRASH)
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    run()
