"""The `stillwatch` process: the command line in a child of it, then out at once. Nothing heavy is imported here."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from detector.guard import watched
from detector.process import load_algebra, work_on_one_thread

#: Exit code for a fault of ours, as BSD's sysexits.h has it (EX_SOFTWARE).
CRASH = 70


def crash_text(error: BaseException) -> str:
    """Say where our code broke, without the words of the error: they may quote a log.

    Returns
    -------
    The kind of each error in the chain and the places in the code that it went through, the innermost last.
    """
    import traceback

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


def work() -> int:
    """Run the command line; gives the exit code. An error nobody foresaw is told without its words.

    Raises
    ------
    MemoryError
        There is too little memory to say so here.
    """
    try:
        from detector.errors import is_memory_limited

        if is_memory_limited():
            load_algebra()
        from detector.cli import main

        main()
    except SystemExit as left:
        return _code(left)
    except KeyboardInterrupt:  # before the command line could take it
        sys.stderr.write("stillwatch: stopped; nothing was written\n")
        return 130
    except Exception as error:
        from detector.errors import is_memory_limited, lacks_memory

        # A library that is refused memory may raise anything.
        if lacks_memory(error) or is_memory_limited():
            raise MemoryError from None
        sys.stderr.write(crash_text(error))
        return CRASH
    return 0


def _code(left: SystemExit) -> int:
    """Read an exit code as Python does: a text is one to show."""
    if isinstance(left.code, str):
        sys.stderr.write(f"{left.code}\n")
    return left.code if isinstance(left.code, int) else int(left.code is not None)


def _flushed() -> int:
    code = work()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def run() -> NoReturn:
    """Run the command line in a child, and end the process as that ends.

    All output is written then, so neither process is taken apart, which would cost a quarter of a second: the
    libraries hold some hundred thousand objects.
    """
    _keep_no_core()
    work_on_one_thread()
    code = watched(_flushed)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
