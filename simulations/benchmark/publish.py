"""The result table of a project's front page, written from the record of a benchmark: no figure is typed by hand.

python -m simulations.benchmark.publish build/full/benchmark.json README.md
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from detector.errors import UsageError
from simulations.benchmark.exports import Record, table

#: What stands between these lines of a page is ours to write.
_PLACE = re.compile(r"(<!-- benchmark: begin -->\n).*?(<!-- benchmark: end -->)", re.DOTALL)

#: Rows of the front page; the record has the others. Chosen: a screen.
MOST_ROWS = 15


def block(record: Record) -> str:
    """Give the table of the highest evidence level with the command that makes it and the digest of its figures."""
    suite, level = record["suite"]["name"], max(row["level"] for row in record["rows"])
    lines = list(table(record, level))
    accounts = sum(one["n_accounts"] for one in record["workloads"])
    campaigns = sum(one["n_campaigns"] for one in record["workloads"])
    left = len(lines) - 2 - MOST_ROWS
    return "\n".join(
        (
            f"`stillwatch benchmark {suite} --out build/{suite}`: {len(record['scenarios'])} scenarios, "
            f"{accounts:,} accounts, {campaigns:,} campaigns, evidence level {level}.",
            "",
            *lines[: 2 + MOST_ROWS],
            "",
            *([f"{left} more detectors came out below these."] if left > 0 else []),
            f"95 % intervals resample campaigns and honest accounts. Digest of the figures `{record['digest'][:16]}`.",
            "",
        )
    )


def publish(record: Record, page: Path) -> None:
    """Write the table into a page, between its two marks.

    Raises
    ------
    UsageError
        The page has no such place.
    """
    text = page.read_text(encoding="utf-8")
    if not _PLACE.search(text):
        raise UsageError(f"{page.name}: no '<!-- benchmark: begin -->' and '<!-- benchmark: end -->' to write between")
    page.write_text(_PLACE.sub(lambda found: found[1] + block(record) + found[2], text), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Write the table of the first file into the second."""
    record, page = map(Path, arguments)
    publish(json.loads(record.read_text(encoding="utf-8")), page)


if __name__ == "__main__":
    main(sys.argv[1:])
