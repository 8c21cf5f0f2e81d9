"""What the checks read: counts and instants of every account, and all rows of some accounts, gathered chunk by chunk.

Instants, models, texts, payments and addresses come from the written rows; the truth adds whose row it is, whether it
serves a harvest and whether it repeats a request that failed.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from simulations.crowd import DAY_S, FIRST_TRIES
from simulations.population import Cast
from simulations.spill import Records
from simulations.streams import Counts, Flags, Keys, Reals, mix
from simulations.traffic.kinds import IS_EXTRACTION
from simulations.traffic.lengths import PIVOT_S
from simulations.world import World

#: Rows of a cohort that are kept whole; more only where the first two accounts have more. Chosen: 2 MB.
WATCHED_ROWS = 40_000
WATCHED_ACCOUNTS = 2
NEW_MODEL = "stone-next"
#: Stretches of time around a release: before it, the first day after it, later.
BEFORE, FIRST_DAY, LATER = range(3)
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Rows:
    """All rows of a cohort's watched accounts, in order of time."""

    account: Counts
    """Place of the account in its cohort."""
    at_us: Counts
    """Unix time of the request [us]."""
    session: Counts
    asked: Keys
    """Hash of the prompt; of the prompt's number where the log has no text."""
    payment: Keys
    address: Keys


@dataclass(frozen=True)
class Found:
    """What the log holds of one cohort. One row per account, but for `rows`."""

    cast: Cast
    n_requests: Counts
    """Requests, without those that repeat a failed one."""
    n_events: Counts
    n_harvest: Counts
    first_us: Counts
    """Unix time of the first request [us]; the largest integer where there is none."""
    last_us: Counts
    moved: Reals
    """Shape (n_accounts, 3, 3): requests, the share of them expected on the new model, and those found there; before
    a release, on the first day after it, and later."""
    rows: Rows


class Gathering:
    """Takes in the rows of a log."""

    def __init__(self, world: World, watched: tuple[bool, ...]) -> None:
        """Begin to gather.

        Parameters
        ----------
        watched: whether the rows of each cohort are kept.
        """
        n = len(world.population)
        self._world = world
        self._begins_us = round(world.scene.horizon.begins_s * 1e6)
        self._release_s = world.scene.horizon.release_s
        self._counts = np.zeros((n, 3), np.int64)
        self._instants = np.tile(np.array([_NEVER, -1], dtype=np.int64), (n, 1))
        self._moved = np.zeros((n if math.isfinite(self._release_s) else 0, 3, 3))
        self._is_watched = _watched(world, watched)
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
        _tally(account, at_us, is_first, harvests, self._counts, self._instants)
        if len(self._moved):
            is_new = pc.fill_null(pc.equal(events["model"].cast(pa.string()), NEW_MODEL), False).to_numpy()
            late_s = (at_us - self._begins_us) / 1e6 - self._release_s
            _tally_moves(account, late_s, is_new, self._world.population.traits["p_pivot"], PIVOT_S, self._moved)
        rows = np.flatnonzero(self._is_watched[account] & is_first)
        if len(rows):
            self._rows.append(self._kept(records[rows], account[rows], at_us[rows], events.take(pa.array(rows))))

    def _kept(self, records: Records, account: Counts, at_us: Counts, events: pa.Table) -> tuple[Any, ...]:
        asked = mix(records["owner"] ^ mix(records["item"].astype(np.uint64) ^ mix(records["kind"].astype(np.uint64))))
        if events["prompt"].null_count < len(records):
            asked = hashed(events["prompt"])
        session = records["session"].astype(np.int64)
        return account, at_us, session, asked, hashed(events["payment_id"]), hashed(events["ip"])

    def found(self, place: int) -> Found:
        """Give what was gathered of one cohort."""
        first, end = self._world.population.firsts[place : place + 2]
        of_cohort = [[column[(kept[0] >= first) & (kept[0] < end)] for column in kept] for kept in self._rows]
        types = (np.int64, np.int64, np.int64, np.uint64, np.uint64, np.uint64)
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
            moved=self._moved[first:end],
            rows=Rows(columns[0] - first, *columns[1:]),
        )


def hashed(texts: pa.Array | pa.ChunkedArray) -> Keys:
    """Hash texts to 64 bits, the same in every process; 0 where there is none."""
    words = pc.fill_null(texts.cast(pa.string()), "").to_numpy(zero_copy_only=False).astype(object)
    numbers: Keys = np.where(words == "", np.uint64(0), pd.util.hash_array(words, categorize=False))
    return numbers


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
def _tally_moves(account: Any, late_s: Any, is_new: Any, p_pivot: Any, pivot_s: Any, moved: Any) -> None:
    """Count requests and those on the new model; an account moves some time after the release, exponentially late."""
    for row in range(len(account)):
        who, late = account[row], late_s[row]
        stretch = BEFORE if late <= 0.0 else (FIRST_DAY if late <= DAY_S else LATER)
        moved[who, stretch, 0] += 1.0
        moved[who, stretch, 1] += p_pivot[who] * (1.0 - np.exp(-late / pivot_s)) if late > 0.0 else 0.0
        moved[who, stretch, 2] += is_new[row]
