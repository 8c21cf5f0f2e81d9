"""Findings as they are told: each account once per recommendation, appended to one file, never lost and never twice.

The lines are part of the generation of the state that counts them as told; they are appended once it is in place. A
watch that was killed in between finds them there, and appends what is missing of them.
"""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from detector.errors import FindingsChangedError
from detector.files import sync
from detector.reports.dossiers import flagged
from detector.reports.findings import findings, to_json
from detector.results import Results
from detector.tables import ACTIONS

FILE = "findings.jsonl"


@dataclass
class Told:
    """What was told.

    Attributes
    ----------
    path: of the findings.
    actions: account to the strongest recommendation that was told of it.
    n_bytes, sha256: of what the file holds.
    """

    path: Path
    actions: dict[str, str] = field(default_factory=dict)
    n_bytes: int = 0
    sha256: str = field(default_factory=lambda: hashlib.sha256().hexdigest())
    _state: Any = field(default_factory=hashlib.sha256)

    def new(self, results: Results) -> bytes:
        """Give the lines of those findings that were not told, or not with so strong a recommendation."""
        suspects = flagged(results.scored)
        pairs = zip(suspects["account_id"].to_pylist(), suspects["action"].to_pylist(), strict=True)
        fresh = [_rank(action) > _rank(self.actions.get(account)) for account, action in pairs]
        news = replace(results, scored=suspects.filter(pa.array(fresh, pa.bool_())))
        return b"".join(to_json(finding).encode("ascii") + b"\n" for finding in findings(news))

    def count(self, results: Results) -> None:
        """Count all findings as told."""
        suspects = flagged(results.scored)
        for account, action in zip(suspects["account_id"].to_pylist(), suspects["action"].to_pylist(), strict=True):
            self.actions[account] = max(action, self.actions.get(account, action), key=_rank)

    def append(self, lines: bytes) -> None:
        """Append lines to the file, and make them durable."""
        self._state.update(lines)
        self.n_bytes, self.sha256 = self.n_bytes + len(lines), self._state.hexdigest()
        if lines or not self.path.exists():
            with self.path.open("ab") as file:
                file.write(lines)
            self.path.chmod(0o600)
            sync(self.path)

    def go_on(self, lines: bytes) -> None:
        """Check what the file holds, and append what is missing of the last lines.

        Parameters
        ----------
        lines: those that come after the first `n_bytes`, as the last generation has them.

        Raises
        ------
        FindingsChangedError
            The file is not as it was left.
        """
        data = self.path.read_bytes() if self.path.exists() else b""
        before, after = data[: self.n_bytes], data[self.n_bytes :]
        if (
            len(before) < self.n_bytes
            or hashlib.sha256(before).hexdigest() != self.sha256
            or lines[: len(after)] != after
        ):
            raise FindingsChangedError(
                f"{self.path}: is not as the watch left it, so findings could be lost or told twice; put it back, "
                "or begin anew with another --state and --out"
            )
        self._state = hashlib.sha256(before + after)
        rest = lines[len(after) :]
        self.n_bytes = len(data)
        self.append(rest)


def _rank(action: str | None) -> int:
    return -1 if action is None else ACTIONS.index(action)
