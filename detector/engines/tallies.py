"""What was counted while a log was read, what was set aside, and whether that leaves a log to speak of."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from detector.errors import EmptyInputError, TooManyRejectsError
from detector.tables import REJECTED

#: Chosen: each is listed in an output, and nobody reads more; some seconds of reading, and 100 MB of memory at most.
MOST_REJECTED = 250_000

#: How many rejected records an error quotes.
_QUOTED = 3


@dataclass
class Tally:
    """What was counted while one file was read; `rejected` holds line and reason, `n_by_rung` who named the account.

    Of the rejected, `n_doubtful` cast doubt on where other records begin, `n_headers` are the header again, and
    `n_begun_again` are a header behind which the first record stands again.
    """

    n_read: int = 0
    n_blank: int = 0
    n_recovered: int = 0
    n_truncated: int = 0
    n_passed_over: int = 0
    n_doubtful: int = 0
    n_headers: int = 0
    n_begun_again: int = 0
    n_by_rung: Counter[int] = field(default_factory=Counter)
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def reject(self, line: int, reason: str, *, is_whole: bool = False) -> None:
        """Note a bad record.

        Parameters
        ----------
        is_whole: where it begins and ends is beyond doubt, so that nothing of it can have passed for another record.

        Raises
        ------
        TooManyRejectsError
            There are more than could be listed, whatever share of the log they are.
        """
        self.rejected.append((line, sys.intern(reason)))
        self.n_doubtful += not is_whole
        if len(self.rejected) > MOST_REJECTED:
            raise TooManyRejectsError(
                f"more than {MOST_REJECTED:,} records of a file are malformed, that on line {line} since {reason}; "
                "mend the export"
            )

    def copy(self) -> "Tally":
        """Give the counts as they are now."""
        return replace(self, n_by_rung=Counter(self.n_by_rung), rejected=list(self.rejected))

    def add(self, other: "Tally") -> None:
        """Take in what was counted elsewhere."""
        for name, n in vars(other).items():
            setattr(self, name, getattr(self, name) + n)

    def to_json(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {**vars(self), "n_by_rung": dict(self.n_by_rung)}

    @staticmethod
    def from_json(raw: dict[str, Any]) -> "Tally":
        """Read what `to_json` gave; JSON knows keys that are text, and no pairs."""
        by_rung = Counter({int(rung): int(n) for rung, n in raw["n_by_rung"].items()})
        rejected = [(int(line), str(reason)) for line, reason in raw["rejected"]]
        known = {"n_doubtful": len(rejected), **raw}
        return Tally(**{**known, "n_by_rung": by_rung, "rejected": rejected})


Named = Sequence[tuple[str, Tally]]


def counts_of(tallies: Iterable[Tally]) -> dict[str, int]:
    """Add up what was counted in the files of a log.

    Returns
    -------
    `n_rows` = `n_read` + `n_rejected`. `n_blank` blank lines and `n_recovered` rows from damaged stretches are
    known only of files that were read record by record. `n_truncated` rows had a text cut by the gateway.
    `n_passed_over` rows are no requests, such as spans of other work, and are not among `n_rows`. Of the rejected,
    `n_doubtful` cast doubt on where other records begin, and `n_headers` are a header again, `n_begun_again` of them
    with the first record behind it.
    """
    files = list(tallies)
    n_read, n_rejected = sum(one.n_read for one in files), sum(len(one.rejected) for one in files)
    return {
        "n_rows": n_read + n_rejected,
        "n_read": n_read,
        "n_rejected": n_rejected,
        "n_blank": sum(one.n_blank for one in files),
        "n_recovered": sum(one.n_recovered for one in files),
        "n_truncated": sum(one.n_truncated for one in files),
        "n_passed_over": sum(one.n_passed_over for one in files),
        "n_doubtful": sum(one.n_doubtful for one in files),
        "n_headers": sum(one.n_headers for one in files),
        "n_begun_again": sum(one.n_begun_again for one in files),
    }


def rejects_of(tallies: Named) -> pa.Table:
    """List the rejected records of files by name, as `tables.REJECTED`, in that order."""
    rows = [(name, *reject) for name, tally in tallies for reject in tally.rejected]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, REJECTED, strict=True)]
    return pa.table(arrays, schema=REJECTED)


def check_tallies(tallies: Named, *, files: Sequence[str], preset: str, max_rejects: float) -> None:
    """Refuse a log of which too little could be read.

    Parameters
    ----------
    files: of the log, for errors.
    max_rejects: share of its records that may be malformed.

    Raises
    ------
    EmptyInputError
        No row of it is a request.
    TooManyRejectsError
        More are malformed.
    """
    counts = counts_of(tally for _, tally in tallies)
    n_rows, n_rejected = counts["n_rows"], counts["n_rejected"]
    names = ", ".join(files[:_QUOTED])
    if not n_rows and counts["n_passed_over"]:
        raise EmptyInputError(
            f"{names}: none of {counts['n_passed_over']} rows is a request to a model, as {preset} has them; "
            "give a log of requests"
        )
    if not n_rows:
        raise EmptyInputError(f"{names}: there is a header but no row; give a log with a row per request")
    if not counts["n_read"]:
        raise EmptyInputError(f"all {n_rows} records are malformed: {_quoted(tallies)}; mend the export")
    if n_rejected > max_rejects * n_rows:
        raise TooManyRejectsError(
            f"{n_rejected} of {n_rows} records ({n_rejected / n_rows:.2%}) are malformed, "
            f"more than the {max_rejects:.2%} allowed: {_quoted(tallies)}; "
            "mend the export, or allow more with --max-rejects"
        )


def _quoted(tallies: Named) -> str:
    first: list[dict[str, Any]] = rejects_of(tallies).slice(0, _QUOTED).to_pylist()
    return "; ".join(f"{row['file']} line {row['line']}: {row['reason']}" for row in first)
