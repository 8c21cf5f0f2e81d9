"""The defender's eyes: profiles stay open, each look judges what has come so far. Nothing is read twice."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.detectors.base import Verdict, extras_of
from detector.detectors.registry import make_detector
from detector.features.extras import slices_of
from detector.profiles.store import Profiles, columns_read
from detector.settings import InputSettings, ReportSettings, ScoreSettings
from detector.subjects import describe, without_dilution
from detector.tables import FAMILIES
from detector.weighing import weigh
from simulations.columns import LEAN, whole
from simulations.loop.defence import DefenceSettings
from simulations.loop.keys import DAY_US
from simulations.streams import Counts, Flags

#: Columns that this generator never fills, and those that hold text.
_EMPTY = frozenset({"tls_fingerprint", "completion", "reasoning_tokens", "n_requests"})
_TEXT = frozenset({"prompt", "system_prompt"})


@dataclass(frozen=True)
class Look:
    """What one look found; only accounts with a recommendation, by account number, ascending.

    Attributes
    ----------
    n_looked_at: accounts that were judged.
    accounts: shape (n,).
    action: recommended, one of `tables.ACTIONS`, shape (n,).
    score: log-odds, shape (n,).
    case: number of the account's cluster, equal for members of one; shape (n,).
    families: families that support the recommendation, joined by commas, shape (n,).
    first: the piece of evidence that weighs most, shape (n,).
    """

    n_looked_at: int
    accounts: Counts
    action: npt.NDArray[np.str_]
    score: npt.NDArray[np.float64]
    case: Counts
    families: npt.NDArray[np.object_]
    first: npt.NDArray[np.object_]


@dataclass
class Watch:
    """A defender who looks at a log while it grows."""

    settings: DefenceSettings
    names: pa.Array
    """Id of every account, by number."""
    begins_us: int
    """Unix time at which the log begins [us]."""
    has_text: bool
    threads: int = 2
    profiles: Profiles = field(init=False)
    _number: Counts = field(init=False)
    """Account number of each profile."""

    def __post_init__(self) -> None:
        """Open empty profiles."""
        self._detector = make_detector(self.settings.detector)
        left_out = _EMPTY if self.has_text else _EMPTY | _TEXT
        self.columns = columns_read([name for name in LEAN.names if name not in left_out])
        extras = extras_of(self._detector)
        self.profiles = Profiles(self.columns, threads=self.threads, wanted=slices_of(extras))
        self._number = np.empty(0, np.int64)
        self._score = ScoreSettings(
            input=InputSettings(threads=self.threads),
            linkage=self.settings.linkage,
            detector=self.settings.detector,
            policy=self.settings.policy,
            report=ReportSettings(),
        )

    def fold(self, events: pa.Table) -> None:
        """Take in requests of `columns.LEAN`, in order of time."""
        for batch in whole(events).select(list(self.columns)).combine_chunks().to_batches():
            self.profiles.fold(batch)

    def look(self, now_us: int, accounts: pa.Table, may_look_at: Flags) -> Look:
        """Judge the accounts that have come so far.

        Parameters
        ----------
        now_us: since the log began [us].
        accounts: columns of `tables.ACCOUNTS`, a row for each account number.
        may_look_at: accounts that are not left alone, shape (n_accounts,).
        """
        self._enrich(accounts)
        volume = self.profiles.trimmed()["volume"]
        is_recent = volume.last_at >= self.begins_us + now_us - round(self.settings.window_days * DAY_US)
        rows = np.flatnonzero(is_recent & (volume.n_requests >= self.settings.least_requests))
        rows = rows[np.argsort(self._number[rows], kind="stable")]
        if len(rows) < 2:
            return _nothing(len(rows))
        seen = self.profiles.take(rows)
        described = describe(seen, self._score, extras=extras_of(self._detector))
        subjects = without_dilution(described, self._detector)
        verdict, decisions = weigh(subjects, self._detector, self.settings.policy, may_revoke=True)
        numbers = self._number[rows]
        found = np.flatnonzero(decisions.is_flagged & (decisions.action != "none") & may_look_at[numbers])
        return Look(
            len(rows),
            numbers[found],
            decisions.action[found],
            verdict.scores[found],
            subjects.cluster[found],
            _families(verdict, found, self.settings.policy.family_support),
            _first(verdict, found),
        )

    def _enrich(self, accounts: pa.Table) -> None:
        """Add what is known of accounts that came since the last look."""
        new = pa.array(self.profiles.account_ids[len(self._number) :], pa.string())
        numbers = pc.index_in(new, value_set=self.names).to_numpy().astype(np.int64)
        self._number = np.concatenate([self._number, numbers])
        if len(numbers):
            self.profiles.enrich(accounts.take(pa.array(numbers)))


def _nothing(n: int) -> Look:
    none = np.empty(0, np.int64)
    words = np.empty(0, dtype=object)
    return Look(n, none, np.empty(0, "U8"), np.empty(0), none, words, words)


def _families(verdict: Verdict, rows: Counts, support: float) -> npt.NDArray[np.object_]:
    supports = np.stack([verdict.by_family(family)[rows] >= support for family in FAMILIES], axis=1)
    names = [",".join(np.array(FAMILIES)[row]) for row in supports]
    return np.array(names, dtype=object)


def _first(verdict: Verdict, rows: Counts) -> npt.NDArray[np.object_]:
    pieces = np.array(list(verdict.contributions), dtype=object)
    return pieces[verdict.contributions.to_numpy()[rows].argmax(axis=1)] if len(rows) else np.empty(0, dtype=object)
