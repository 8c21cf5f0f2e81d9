"""How hidden files are called that a run makes for itself, and where they lie; leftovers are known by these names.

Those of a place bear its name: ``.stillwatch-NAME.WHAT``, beside it, or in it where it is a folder that must be kept.
"""

import os
import re
from pathlib import Path

#: How folders for temporary files begin.
SCRATCH = "stillwatch-"
#: The lock on a place.
LOCK = "lock"
#: What is kept of a log that is being read, see `detector.keeping`.
KEPT = "profiles"
#: What a staging folder is called after the name of the place; `tempfile.mkdtemp` adds the last eight.
STAGING = "new-"
_STAGED = re.compile(rf"{STAGING}[a-z0-9_]{{8}}")


def must_keep(out: Path) -> bool:
    """Tell whether an existing folder cannot be replaced: a mount, a working folder, or one in a locked parent."""
    return out.is_dir() and (out.is_mount() or out == Path.cwd() or not os.access(out.parent, os.W_OK))


def prefix_of(out: Path) -> str:
    """Give how hidden files of a place are called."""
    return f".stillwatch-{out.resolve().name}."


def hidden(out: Path, what: str) -> Path:
    """Give the path of a hidden file that belongs to a place."""
    place = out.resolve()
    return (place if must_keep(place) else place.parent) / (prefix_of(out) + what)


def staged(out: Path) -> list[Path]:
    """List the staging folders of a place."""
    start = prefix_of(out)
    beside = hidden(out, STAGING).parent.iterdir()
    return [path for path in beside if path.name.startswith(start) and _STAGED.fullmatch(path.name[len(start) :])]


def part_of(path: Path) -> Path:
    """Give the path of the file that is written before it takes the place of another."""
    return path.with_name(f".{path.name.removeprefix('.')}.part")
