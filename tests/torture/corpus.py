"""The hostile material beside the checkout, and the table of what was measured on it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

TORTURE = Path(__file__).parents[3] / "shared" / "torture"
needs_torture = pytest.mark.skipif(not TORTURE.is_dir(), reason="the hostile files are not beside the checkout")


def manifest(**wanted: str) -> Iterator[dict[str, Any]]:
    """Yield what the manifest says of each hostile file, or of those whose entries are as given."""
    with (TORTURE / "dev" / "manifest.jsonl").open() as lines:
        for entry in map(json.loads, lines):
            if all(entry.get(key) == value for key, value in wanted.items()):
                yield entry


def hostile_file(entry: dict[str, Any]) -> Path:
    """Give the path of a file that the manifest names."""
    return TORTURE / "dev" / str(entry["file"])


@dataclass
class Figures:
    """What was measured: goal, figure and bound, a row each, in the order in which tests ran."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def add(self, goal: str, figure: str, bound: str, *, holds: bool) -> None:
        """Put a figure into the table and fail where it does not hold."""
        self.rows.append((goal, figure, bound, holds))
        assert holds, f"{goal}: {figure}; bound: {bound}"

    def table(self) -> list[str]:
        """Give the table as lines of text."""
        head = ("goal", "figure", "bound", "")
        cells = [head, *((*row[:3], "" if row[3] else "MISSED") for row in self.rows)]
        wide = [max(len(row[i]) for row in cells) for i in range(3)]
        return [
            "  ".join([*(text.ljust(width) for text, width in zip(row, wide, strict=False)), row[3]]).rstrip()
            for row in cells
        ]
