"""Profiles that are kept open: pieces of a log are folded in, the long idle are forgotten, a look takes a copy."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from detector.profiles.store import NAMED, SLICES, Profiles, slices_for
from detector.tables import EVENTS
from detector.watching.late import RHYTHM, Held, Numbers

#: Rows whose median instant is now. Chosen: half of so many would have to come from a clock that is wrong, one after
#: the other, and half of so many is what now lags behind.
_RECENT = 501
_DAY_US = 86_400_000_000
_NEVER = np.iinfo(np.int64).min


@dataclass
class Forgotten:
    """What is no longer known.

    Attributes
    ----------
    n_accounts: forgotten, one that came back and was forgotten again twice.
    n_events: requests of theirs.
    before_us: accounts whose last request was before this Unix time [us]; 0 where none was forgotten.
    """

    n_accounts: int = 0
    n_events: int = 0
    before_us: int = 0


@dataclass
class Folded:
    """What is known of accounts so far.

    Attributes
    ----------
    profiles: without the rhythm of what waits.
    held: instants that wait for earlier ones.
    recent: instants of the last rows that came, Unix time [us].
    now_us: the event time that was reached; never falls.
    touched: whether something was folded into an account since it was last stored, at least of shape (n_accounts,).
    is_rebuilt: accounts or columns are others than when they were last stored.
    """

    profiles: Profiles
    held: Held = field(default_factory=Held)
    recent: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    now_us: int = _NEVER
    forgotten: Forgotten = field(default_factory=Forgotten)
    touched: Any = field(default_factory=lambda: np.zeros(0, bool))
    is_rebuilt: bool = True

    def fold(self, batches: Iterable[pa.RecordBatch]) -> int:
        """Fold batches of canonical events in; gives how many rows they were."""
        n_rows = 0
        for batch in batches:
            self._widen(batch.schema.names)
            account = self.profiles.fold(batch, without=[RHYTHM])
            self.held.add(account, batch)
            if len(self.touched) < len(self.profiles):
                self.touched = np.concatenate([self.touched, np.zeros(len(self.profiles), bool)])
            self.touched[account] = True
            self.recent = np.concatenate([self.recent, self.held.parts[-1][1]])[-_RECENT:]
            n_rows += batch.num_rows
        return n_rows

    def advance(self, wall_us: int) -> None:
        """Move the event time on: to the median of the last rows, not past the clock on the wall.

        One clock that is wrong, or a row of the year 2199, must not make everybody look long idle.
        """
        if len(self.recent):
            self.now_us = max(self.now_us, min(int(np.median(self.recent)), wall_us))

    def release(self, late_us: int | None, most: int) -> None:
        """Fold instants in order that wait longer than others may come late, or that are more than `most`.

        Parameters
        ----------
        late_us: by which requests may come late [us]; none is by any time.
        """
        before = _NEVER if late_us is None or self.now_us == _NEVER else self.now_us - late_us
        self.touched[self.held.release(self.profiles.states[RHYTHM], before, most)] = True

    def seen(self) -> Profiles:
        """Give a copy for a look: in order of the accounts' names, with what waits folded in."""
        ids = self.profiles.account_ids
        rows = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
        copy = self.profiles.take(rows)
        copy.filled = set(self.profiles.filled)
        copy.names = {column: dict(self.profiles.names[column]) for column in NAMED}
        number_of = np.empty(len(rows), np.int64)
        number_of[rows] = np.arange(len(rows))
        self.held.fold_onto(copy.states[RHYTHM], number_of)
        return copy

    def forget(self, idle_days: float | None) -> list[str]:
        """Forget who made no request for so long; gives their names."""
        if idle_days is None or self.now_us == _NEVER:
            return []
        before = self.now_us - round(idle_days * _DAY_US)
        volume = self.profiles.trimmed()["volume"]
        is_idle = volume.last_at < before
        if not is_idle.any():
            return []
        kept = np.flatnonzero(~is_idle)
        number_of = np.full(len(is_idle), -1, np.int64)
        number_of[kept] = np.arange(len(kept))
        self.held.renumber(number_of)
        self.forgotten.n_accounts += int(is_idle.sum())
        self.forgotten.n_events += int(volume.n_requests[is_idle].sum())
        self.forgotten.before_us = before
        names = [self.profiles.account_ids[row] for row in np.flatnonzero(is_idle)]
        self._replace(self.profiles.columns, self.profiles.take(kept))
        self._drop_names()
        return names

    def _widen(self, columns: Iterable[str]) -> None:
        """Take in columns that were not there before; slices that they fill begin empty."""
        present = {*self.profiles.columns, *columns}
        if len(present) > len(self.profiles.columns):
            self._replace(tuple(name for name in EVENTS.names if name in present), self.profiles)

    def _replace(self, columns: tuple[str, ...], old: Profiles) -> None:
        size = max([len(old), *(len(state[0]) for state in old.states.values())])
        slices = [piece.name for piece in slices_for(columns, old.wanted)]
        states = {name: old.states.get(name) or SLICES[name].new_state(size) for name in slices}
        threads = self.profiles.threads
        self.profiles = Profiles(columns, threads, old.wanted, old.account_ids, states, old.filled, old.names)
        self.touched, self.is_rebuilt = np.ones(len(old), bool), True

    def _drop_names(self) -> None:
        """Forget payments and organisations that nobody is known to have any more."""
        state = self.profiles.states.get("clients")
        for column in NAMED if state is not None else ():
            kept = set(np.unique(getattr(state, f"{column}_hash")[: len(self.profiles)]).tolist())
            names = self.profiles.names
            names[column] = {number: name for number, name in names[column].items() if number in kept}


def laid_over(below: Profiles, above: Profiles) -> Profiles:
    """Put newer profiles of some accounts, known and new ones, over older ones of the same columns."""
    rows = {account: row for row, account in enumerate(below.account_ids)}
    places = np.array([rows.setdefault(account, len(rows)) for account in above.account_ids], dtype=np.int64)
    states: dict[str, Any] = {}
    for name, state in below.trimmed().items():
        wide = SLICES[name].new_state(len(rows))
        for target, old, new in zip(wide, state, above.trimmed()[name], strict=True):
            target[: len(old)] = old
            target[places] = new
        states[name] = wide
    names = {c: dict(chain(below.names[c].items(), above.names[c].items())) for c in NAMED}
    filled = below.filled | above.filled
    return Profiles(below.columns, below.threads, below.wanted, list(rows), states, filled, names)
