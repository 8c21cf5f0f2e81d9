"""Another process that draws: the chart engine takes half a second to start, and stops all Python while it works.

What goes there and back is charts alone, as lines of JSON. Where such a process cannot be had, this one draws.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from detector.reports.drawing import Draw, draw_here

#: The folder that a user works in is no place to import from.
_COMMAND = (sys.executable, "-P", "-m", "detector.reports.artist")
_FIRST: dict[str, Any] = {"mark": "point", "data": {"values": []}}


@contextmanager
def drawing_aside(*, threads: int) -> Iterator[Draw]:
    """Yield what draws charts, and starts its engine meanwhile.

    Parameters
    ----------
    threads: that the command may use; with one, nothing would be gained.
    """
    process = _started() if threads > 1 else None
    if process is None:
        yield draw_here
        return
    try:
        yield lambda spec: _drawn(process, spec)
    finally:
        process.kill()
        with suppress(OSError):
            process.communicate()


def _started() -> "subprocess.Popen[str] | None":
    with suppress(OSError):
        return subprocess.Popen(  # noqa: S603 - our own module, nothing of a log
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="ascii"
        )
    return None


def _drawn(process: "subprocess.Popen[str]", spec: Mapping[str, Any]) -> str:
    """Let the process draw; whatever goes wrong there, this one can."""
    if process.stdin is not None and process.stdout is not None and process.poll() is None:
        with suppress(OSError, ValueError):
            process.stdin.write(json.dumps(spec) + "\n")
            process.stdin.flush()
            return str(json.loads(process.stdout.readline()))
        process.kill()
    return draw_here(spec)


def main() -> None:
    """Draw each line of standard input that comes, until it ends."""
    draw_here(_FIRST)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(draw_here(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
