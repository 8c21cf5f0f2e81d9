"""What the checks read: counts and instants of every account, and all rows of some accounts, gathered chunk by chunk.

Instants, models, texts, settings and addresses come from the written rows, sign-ups and payments from the accounts; the
truth adds whose row it is, what kind of request, in which conversation, and whether it repeats one that failed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from simulations.crowd import DAY_S, FIRST_TRIES
from simulations.draws import GOLDEN
from simulations.population import Cast
from simulations.spill import Records
from simulations.streams import Counts, Flags, Keys, Reals, mix
from simulations.traffic.kinds import IS_EXTRACTION, KINDS
from simulations.traffic.lengths import PIVOT_S
from simulations.traffic.names import account_ids
from simulations.world import World

#: Rows of a cohort that are kept whole; more only where the first two accounts have more. Chosen: 2 MB.
WATCHED_ROWS = 40_000
WATCHED_ACCOUNTS = 2
NEW_MODEL = "stone-next"
#: Stretches of time around a release: before it, the first day after it, later.
BEFORE, FIRST_DAY, LATER = range(3)
#: Places in an account's marks of what its requests set; below them, those of the kinds of requests.
SETS = {"wants_logprobs": 60, "n_choices": 61, "session_id": 62, "end_user_id": 63}
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Rows:
    """All rows of a cohort's watched accounts, in order of time; a column that no check reads is 0."""

    account: Counts
    """Place of the account in its cohort."""
    at_us: Counts
    """Unix time of the request [us]."""
    session: Counts
    owner: Keys
    """Key of whoever asks; a campaign's own where it harvests."""
    asked: Keys
    """Hash of the prompt; of the prompt's number where the log has no text."""
    payment: Keys
    address: Keys
    network: Keys
    """Hash of the 256 addresses around the address."""


@dataclass(frozen=True)
class Known:
    """What the accounts' table says of each account; hashes are 0 where it says nothing, or the account never came."""

    created_s: Reals
    payment: Keys
    organisation: Keys


@dataclass(frozen=True)
class Found:
    """What the log holds of one cohort. One row per account, but for `rows` and `stages`."""

    cast: Cast
    n_requests: Counts
    """Requests, without those that repeat a failed one."""
    n_events: Counts
    n_harvest: Counts
    first_us: Counts
    """Unix time of the first request [us]; the largest integer where there is none."""
    last_us: Counts
    marks: Keys
    """Bits of the kinds of requests that it sent, and of what they set, as `SETS` says."""
    moved: Reals
    """Shape (n_accounts, 3, 3): requests, the share of them expected on the new model, and those found there; before
    a release, on the first day after it, and later."""
    stages: Counts
    """Shape (2, n_kinds): requests of each kind before and after the second phase begins."""
    rows: Rows
    known: Known

    def has_set(self, column: str) -> Flags:
        """Tell of each account whether its requests set a column."""
        is_set: Flags = (self.marks >> np.uint64(SETS[column])) & np.uint64(1) == 1
        return is_set

    def has_sent(self, kind: int) -> Flags:
        """Tell of each account whether it sent requests of a kind."""
        has_sent: Flags = (self.marks >> np.uint64(kind)) & np.uint64(1) == 1
        return has_sent


class Gathering:
    """Takes in the rows of a log."""

    def __init__(self, world: World, read: tuple[frozenset[str], ...]) -> None:
        """Begin to gather.

        Parameters
        ----------
        read: columns of `Rows` that the checks of each cohort read; of one without any, no rows are kept.
        """
        n = len(world.population)
        self._world = world
        self._begins_us = round(world.scene.horizon.begins_s * 1e6)
        self._release_s = world.scene.horizon.release_s
        self._counts = np.zeros((n, 3), np.int64)
        self._instants = np.tile(np.array([_NEVER, -1], dtype=np.int64), (n, 1))
        self._moved = np.zeros((n if math.isfinite(self._release_s) else 0, 3, 3))
        self._is_watched = _watched(world, tuple(map(bool, read)))
        sizes = np.diff(world.population.firsts)
        self._cohort_of = np.repeat(np.arange(len(read)), sizes)
        self._reads = {name: np.array([name in names for names in read]) for name in _COLUMNS}
        self._marks = np.zeros(n, np.uint64)
        self._stages = np.zeros((len(read), 2, len(KINDS)), np.int64)
        self._phase_us = self._begins_us + np.array([_phase_us(cast) for cast in world.casts])
        self._rows: list[tuple[Any, ...]] = []

    @property
    def n_extraction(self) -> int:
        """Count the requests that serve a harvest."""
        return int(self._counts[:, 2].sum())

    def add(self, records: Records, events: pa.Table) -> None:
        """Take in the next rows."""
        account = records["account"].astype(np.int64)
        at_us = events["occurred_at"].cast(pa.int64()).to_numpy()
        is_first, harvests = records["ordinal"] < FIRST_TRIES, IS_EXTRACTION[records["kind"]]
        kind = records["kind"].astype(np.int64)
        _tally(account, at_us, is_first, harvests, self._counts, self._instants)
        _mark(
            account, kind, at_us, is_first, *(events[name].is_valid().to_numpy() for name in SETS), self._cohort_of,
            self._phase_us, self._marks, self._stages,
        )  # fmt: skip
        if len(self._moved):
            is_new = pc.fill_null(pc.equal(events["model"].cast(pa.string()), NEW_MODEL), False).to_numpy()
            late_s = (at_us - self._begins_us) / 1e6 - self._release_s
            _tally_moves(account, late_s, is_new, self._world.population.traits["p_pivot"], PIVOT_S, self._moved)
        rows = np.flatnonzero(self._is_watched[account] & is_first)
        if len(rows):
            kept = events.select(_READ).take(pa.array(rows))
            self._rows.append(self._kept(records[rows], account[rows], at_us[rows], kept))

    def _kept(self, records: Records, account: Counts, at_us: Counts, events: pa.Table) -> tuple[Any, ...]:
        cohort, kept = self._cohort_of[account], []
        for name, column in _COLUMNS.items():
            rows, values = np.flatnonzero(self._reads[name][cohort]), np.zeros(len(records), np.uint64)
            if len(rows):
                values[rows] = column(records[rows], events.select(_READ).take(pa.array(rows)))
            kept.append(values)
        return account, at_us, records["session"].astype(np.int64), *kept

    def known(self, accounts: pa.Table) -> Known:
        """Find every account in the accounts' table."""
        ids = account_ids(self._world.population.keys, self._world.scenario.seed)
        rows = pc.index_in(ids, value_set=accounts["account_id"].combine_chunks())
        created_us = pc.fill_null(accounts["created_at"].cast(pa.int64()).take(rows), 0).to_numpy()
        return Known(created_us / 1e6, hashed(accounts["payment_id"].take(rows)), hashed(accounts["org_id"].take(rows)))

    def found(self, place: int, known: Known) -> Found:
        """Give what was gathered of one cohort, and what is known of its accounts."""
        first, end = self._world.population.firsts[place : place + 2]
        of_cohort = []
        for kept in self._rows if self._is_watched[first:end].any() else []:
            rows = np.flatnonzero((kept[0] >= first) & (kept[0] < end))
            of_cohort.append([column[rows] for column in kept])
        types = (np.int64, np.int64, np.int64, *[np.uint64] * len(_COLUMNS))
        columns = [
            np.concatenate([np.empty(0, dtype), *(kept[number] for kept in of_cohort)])
            for number, dtype in enumerate(types)
        ]
        return Found(
            cast=self._world.casts[place],
            n_requests=self._counts[first:end, 0],
            n_events=self._counts[first:end, 1],
            n_harvest=self._counts[first:end, 2],
            first_us=self._instants[first:end, 0],
            last_us=self._instants[first:end, 1],
            marks=self._marks[first:end],
            moved=self._moved[first:end],
            stages=self._stages[place],
            rows=Rows(columns[0] - first, *columns[1:]),
            known=Known(known.created_s[first:end], known.payment[first:end], known.organisation[first:end]),
        )


def hashed(texts: pa.Array | pa.ChunkedArray) -> Keys:
    """Hash texts to 64 bits, the same in every process; 0 where there is none."""
    words = pc.fill_null(texts.cast(pa.string()), "").to_numpy(zero_copy_only=False).astype(object)
    numbers: Keys = np.where(words == "", np.uint64(0), pd.util.hash_array(words, categorize=False))
    return numbers


def _asked(records: Records, events: pa.Table) -> Keys:
    if events["prompt"].null_count < len(records):
        return hashed(events["prompt"])
    numbers: Keys = mix(
        records["owner"] ^ mix(records["item"].astype(np.uint64) ^ mix(records["kind"].astype(np.uint64)))
    )
    return numbers


def networks_of(addresses: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Cut the last number off IPv4 addresses."""
    return pc.replace_substring_regex(addresses, r"\.[0-9]+$", "")


def n_pairs(account: Counts, keys: Keys) -> int:
    """Count different pairs of account and key."""
    return len(np.unique(mix(keys + account.astype(np.uint64) * GOLDEN)))


#: Columns of the log of which they are made.
_READ = ["prompt", "payment_id", "ip"]
#: Columns of `Rows` that are gathered only where a check reads them.
_COLUMNS: dict[str, Callable[[Records, pa.Table], Keys]] = {
    "owner": lambda records, events: records["owner"],
    "asked": _asked,
    "payment": lambda records, events: hashed(events["payment_id"]),
    "address": lambda records, events: hashed(events["ip"]),
    "network": lambda records, events: hashed(networks_of(events["ip"])),
}


def _phase_us(cast: Cast) -> int:
    """Give when a cohort's second phase begins, since the log began [us]."""
    if getattr(cast.parameters, "phase_two", None) is None:
        return _NEVER // 2
    return int(cast.parameters.phase_two_from * cast.crowd.horizon.length_s * 1e6)


def _watched(world: World, watched: tuple[bool, ...]) -> Flags:
    """Choose the first accounts of each cohort, whole, as many as there is room for."""
    chosen = np.zeros(len(world.population), np.bool_)
    for place, is_wanted in enumerate(watched):
        first, end = world.population.firsts[place : place + 2]
        fits = np.cumsum(world.n_events_of[first:end]) <= WATCHED_ROWS
        fits[:WATCHED_ACCOUNTS] = True
        chosen[first:end] = fits & is_wanted
    return chosen


@njit(cache=True, nogil=True)
def _tally(account: Any, at_us: Any, is_first: Any, harvests: Any, counts: Any, instants: Any) -> None:
    for row in range(len(account)):
        who = account[row]
        counts[who, 0] += is_first[row]
        counts[who, 1] += 1
        counts[who, 2] += harvests[row]
        instants[who, 0] = min(instants[who, 0], at_us[row])
        instants[who, 1] = max(instants[who, 1], at_us[row])


@njit(cache=True, nogil=True)
def _mark(account: Any, kind: Any, at_us: Any, is_first: Any, asks_logprobs: Any, asks_several: Any, has_session: Any,
          has_user: Any, cohort_of: Any, phase_us: Any, marks: Any, stages: Any) -> None:  # fmt: skip
    """Mark kinds and settings of every account, and count the kinds of every cohort in both phases."""
    for row in range(len(account)):
        who = account[row]
        sets = asks_logprobs[row] | asks_several[row] << 1 | has_session[row] << 2 | has_user[row] << 3
        marks[who] |= np.uint64(1) << np.uint64(kind[row]) | np.uint64(sets) << np.uint64(60)
        cohort = cohort_of[who]
        stages[cohort, np.int64(at_us[row] > phase_us[cohort]), kind[row]] += is_first[row]


@njit(cache=True, nogil=True)
def _tally_moves(account: Any, late_s: Any, is_new: Any, p_pivot: Any, pivot_s: Any, moved: Any) -> None:
    """Count requests and those on the new model; an account moves some time after the release, exponentially late."""
    for row in range(len(account)):
        who, late = account[row], late_s[row]
        stretch = BEFORE if late <= 0.0 else (FIRST_DAY if late <= DAY_S else LATER)
        moved[who, stretch, 0] += 1.0
        moved[who, stretch, 1] += p_pivot[who] * (1.0 - np.exp(-late / pivot_s)) if late > 0.0 else 0.0
        moved[who, stretch, 2] += is_new[row]
