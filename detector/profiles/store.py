"""The profiles of many accounts: fold batches in, merge, pool into clusters. Memory grows with accounts, never rows."""

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.profiles import clients, membership, moments, queries, rhythm, sampling, text, volume
from detector.profiles.batch import Batch, codes_of, is_coded
from detector.profiles.hashing import hash_strings
from detector.profiles.sketches import FREE, merge_samples
from detector.profiles.slices import Array, Slice
from detector.tables import NETWORK_COLUMNS

#: Every slice, by name, in the order in which they fold.
SLICES: dict[str, Slice] = {
    s.name: s
    for s in (
        membership.SLICE,
        volume.SLICE,
        rhythm.SLICE,
        moments.SLICE,
        text.SLICE,
        sampling.SLICE,
        clients.SLICE,
        queries.SLICE,
    )
}
#: Columns whose values a report may name; their fingerprints are looked up in `Profiles.names`.
NAMED = ("payment_id", "org_id")
_UFUNCS: dict[str, np.ufunc] = {"sum": np.add, "min": np.minimum, "max": np.maximum}


def slices_for(columns: Iterable[str], wanted: Collection[str] = ()) -> tuple[Slice, ...]:
    """Give the slices that a log with these columns fills; of the optional ones, those in `wanted`."""
    present = set(columns)
    kept = (s for s in SLICES.values() if present & set(s.needs) and (s.name in wanted or not s.is_optional))
    return tuple(kept)


def columns_read(columns: Iterable[str]) -> tuple[str, ...]:
    """Give those columns of a log that some slice reads."""
    read = {"occurred_at", "account_id", "n_requests", "cost_usd", "refusal_category", "finish_reason"}
    for part in SLICES.values():
        read |= set(part.needs)
    return tuple(c for c in columns if c in read)


@dataclass
class Profiles:
    """Profiles of accounts, slice by slice.

    Attributes
    ----------
    columns: canonical columns of the log; they decide which slices are kept.
    account_ids: the accounts, in the order in which they first came.
    states: slice name to its named tuple of arrays; row i is account i, rows past the last account are free.
    filled: columns of the log in which some row held a value.
    names: fingerprint to value, for the columns in `NAMED`.
    wanted: optional slices that are kept.
    check: looks at the number of accounts and the bytes of a profile before profiles grow; may refuse.
    """

    columns: tuple[str, ...]
    threads: int = 1
    wanted: tuple[str, ...] = ()
    account_ids: list[str] = field(default_factory=list)
    states: dict[str, Any] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    names: dict[str, dict[int, str]] = field(default_factory=lambda: {c: {} for c in NAMED})
    check: Callable[[int, int], None] | None = None
    _pool: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        """Make empty states for the slices that the columns fill."""
        if not self.states:
            self.states = {s.name: s.new_state(0) for s in slices_for(self.columns, self.wanted)}
        if self.threads > 1:
            self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="fold")

    def __len__(self) -> int:
        """Count the accounts."""
        return len(self.account_ids)

    @cached_property
    def account_bytes(self) -> int:
        """Give what the profile of one account takes."""
        return sum(SLICES[name].account_bytes for name in self.states)

    def fold(self, events: pa.RecordBatch, *, without: Collection[str] = ()) -> npt.NDArray[np.int64]:
        """Fold a batch of canonical events in.

        Rows of one account should come in order of time over batches; `n_late` counts those that do not.

        Parameters
        ----------
        without: slices that are left as they are.

        Returns
        -------
        Number of the account of each event, shape (n_events,).
        """
        if events.num_rows == 0:
            return np.empty(0, np.int64)
        batch = Batch(events, self._number(events.column("account_id")))
        self._remember_names(batch)
        self.filled |= {
            name for name in set(events.schema.names) - self.filled if events.column(name).null_count < events.num_rows
        }
        states = {name: state for name, state in self.states.items() if name not in without}
        work = [(SLICES[name], state, SLICES[name].prepare(batch)) for name, state in states.items()]
        if self._pool is None:
            self._fold_rows(work, batch.account, batch.order)
            return batch.account
        parts = [self._pool.submit(self._fold_rows, work, batch.account, rows) for rows in batch.parts(self.threads)]
        for part in parts:
            part.result()
        return batch.account

    @staticmethod
    def _fold_rows(work: Sequence[Any], account: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> None:
        for piece, state, prepared in work:
            piece.kernel(state, account, rows, *prepared)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Give the row of each account; made when it is first asked for, as most profiles are never folded into."""
        return {account: i for i, account in enumerate(self.account_ids)}

    def _number(self, column: pa.Array) -> npt.NDArray[np.int64]:
        """Number the accounts of a column; new ones get the next numbers, and a name that no row has gets none."""
        coded = column if is_coded(column) else column.dictionary_encode()
        codes, numbers = codes_of(coded), self._numbers
        is_used = np.zeros(len(coded.dictionary), bool)
        is_used[codes] = True
        n_before = len(numbers)
        number = np.full(len(is_used), -1, np.int64)
        accounts = coded.dictionary.filter(pa.array(is_used)).to_pylist()
        number[is_used] = [numbers.setdefault(account, len(numbers)) for account in accounts]
        if len(numbers) > n_before:
            self.account_ids = list(numbers)
            self._grow(len(numbers))
        return number[codes]

    def _grow(self, n: int) -> None:
        if self.check:
            self.check(n, self.account_bytes)
        for name, state in self.states.items():
            if len(state[0]) >= n:
                continue
            # Zeros of a new array take no memory before they are written, as those of a copy do.
            wider = SLICES[name].new_state(len(state[0]) + max(1024, n + n // 2 - len(state[0])))
            for old, new in zip(state, wider, strict=True):
                new[: len(old)] = old
            self.states[name] = wider

    def _remember_names(self, batch: Batch) -> None:
        for column in NAMED:
            if batch.has(column):
                distinct = _distinct(batch.events.column(column))
                events = pa.record_batch([distinct], names=[column])
                strings = Batch(events, np.empty(0, np.int64)).strings(column)
                hashes = hash_strings(strings.offsets, strings.data).tolist()
                self.names[column].update(zip(hashes, distinct.to_pylist(), strict=True))

    def enrich(self, accounts: pa.Table) -> int:
        """Add what a table of accounts (`tables.ACCOUNTS`) knows: sign-up, payment, organisation, and addresses (`ip`).

        Returns
        -------
        How many accounts of the log the table knows.
        """
        rows = np.array([self._numbers.get(a, -1) for a in accounts.column("account_id").to_pylist()], dtype=np.int64)
        known = accounts.filter(pa.array(rows >= 0))
        numbers = rows[rows >= 0]
        if "created_at" in known.column_names:
            membership.add_sign_ups(self.states["membership"], numbers, known.column("created_at"))
        # A log's own addresses tell who calls; those of sign-ins stand in only where it has none.
        lent = ("ip",) if "ip" not in self.filled else ()
        instruments = [c for c in (*NAMED, *lent) if c in known.column_names]
        if "clients" in self.states and instruments:
            batch = Batch(known.select(instruments).combine_chunks().to_batches()[0], numbers) if len(numbers) else None
            if batch is not None:
                self._remember_names(batch)
                clients.add_instruments(self.states["clients"], batch)
        return len(set(numbers.tolist()))

    @property
    def filled_columns(self) -> tuple[str, ...]:
        """Give the columns that hold something, in the order of the log."""
        return tuple(c for c in self.columns if c in self.filled)

    @property
    def evidence_level(self) -> int:
        """Tell how much the log says: 0 counts, 1 requests, 2 network identity, 3 prompts, 4 completions."""
        if "n_requests" in self.filled:
            return 0
        levels = ((4, {"completion"}), (3, {"prompt"}), (2, set(NETWORK_COLUMNS)))
        return next((level for level, columns in levels if self.filled & columns), 1)

    @property
    def n_late(self) -> int:
        """Count rows that came after a later one of their account; their gaps are missing until times are refolded."""
        return int(self.states["rhythm"].n_late[: len(self)].sum())

    def refold_rhythm(self, times: Iterable[pa.RecordBatch]) -> None:
        """Fold the rhythm again from batches of accounts and instants that are in order of time."""
        piece = SLICES["rhythm"]
        self.states["rhythm"] = piece.new_state(max(len(self), 1))
        for events in times:
            batch = Batch(events, self._number(events.column("account_id")))
            piece.kernel(self.states["rhythm"], batch.account, batch.order, *piece.prepare(batch))

    def take_names(self, account_ids: list[str]) -> None:
        """Say whose profiles the states hold, row by row."""
        self.account_ids = account_ids
        self.__dict__.pop("_numbers", None)

    def take_rhythm(self, other: "Profiles") -> None:
        """Take the rhythm of some of the accounts from elsewhere, where their times were folded in order."""
        rows = np.array([self._numbers[account] for account in other.account_ids], dtype=np.int64)
        for mine, theirs in zip(self.states["rhythm"], other.trimmed()["rhythm"], strict=True):
            mine[rows] = theirs

    def remember(self, column: str, values: Iterable[str]) -> None:
        """Learn what is behind fingerprints of a column in `NAMED`."""
        events = pa.record_batch([pa.array(values, pa.string())], names=[column])
        self._remember_names(Batch(events, np.empty(0, np.int64)))

    def take(self, rows: npt.NDArray[np.int64]) -> "Profiles":
        """Give the profiles of some accounts, by row, in that order."""
        states = {name: type(s)(*(a[rows] for a in s)) for name, s in self.trimmed().items()}
        ids = [self.account_ids[i] for i in rows]
        taken = Profiles(self.columns, wanted=self.wanted, account_ids=ids, states=states)
        taken.filled, taken.names = self.filled, self.names
        return taken

    def put_in_order(self) -> None:
        """Put accounts in order of their names, so that nothing depends on who came first; array by array, in place."""
        rows = np.array(sorted(range(len(self)), key=self.account_ids.__getitem__), dtype=np.int64)
        for name in self.states:
            arrays = list(self.states[name])
            kind, self.states[name] = type(self.states[name]), None
            for place in range(len(arrays)):
                arrays[place] = arrays[place][rows]
            self.states[name] = kind(*arrays)
        self.take_names([self.account_ids[row] for row in rows])

    def trimmed(self) -> dict[str, Any]:
        """Give the states without free rows; arrays of shape (n_accounts, ...)."""
        return {name: type(s)(*(a[: len(self)] for a in s)) for name, s in self.states.items()}

    def merge(self, other: "Profiles") -> "Profiles":
        """Give the profiles of the union of two logs.

        Associative and commutative. Gaps are exact when the pieces of an account are disjoint in time and joined
        neighbour to neighbour; otherwise `n_late` tells.
        """
        ids = list(dict.fromkeys([*self.account_ids, *other.account_ids]))
        numbers = {account: i for i, account in enumerate(ids)}
        groups = np.array([numbers[a] for p in (self, other) for a in p.account_ids], dtype=np.int64)
        merged = self._combined([self.trimmed(), other.trimmed()], groups, ids, is_same_actor=True)
        for column in NAMED:
            merged.names[column] = {**self.names[column], **other.names[column]}
        merged.filled = self.filled | other.filled
        return merged

    def pool(self, groups: npt.NDArray[np.int64], names: Sequence[str]) -> "Profiles":
        """Merge accounts into clusters.

        Parameters
        ----------
        groups: cluster number of each account, shape (n_accounts,).
        names: one per cluster; they become its `account_ids`.
        """
        pooled = self._combined([self.trimmed()], groups, list(names), is_same_actor=False)
        pooled.names, pooled.filled = self.names, self.filled
        return pooled

    def _combined(
        self, states: Sequence[dict[str, Any]], groups: npt.NDArray[np.int64], ids: list[str], *, is_same_actor: bool
    ) -> "Profiles":
        merged: dict[str, Any] = {}
        for name in self.states:
            whole = type(self.states[name])(
                *(np.concatenate(arrays) for arrays in zip(*(s[name] for s in states), strict=True))
            )
            merged[name] = combine(SLICES[name], whole, groups, len(ids), is_same_actor=is_same_actor)
        return Profiles(self.columns, wanted=self.wanted, account_ids=ids, states=merged)


def _distinct(column: pa.Array) -> pa.Array:
    """Give the distinct values of a column; of a coded one all that its dictionary names."""
    return column.dictionary.drop_null() if is_coded(column) else column.drop_null().unique()


def combine(piece: Slice, state: Any, groups: npt.NDArray[np.int64], n: int, *, is_same_actor: bool) -> Any:
    """Join the rows of a slice that belong to one group.

    Parameters
    ----------
    state: named tuple of arrays with one row per piece.
    groups: group of each row, 0 to n - 1, each at least once; shape (n_rows,).
    n: groups.
    is_same_actor: the pieces of a group are one account's, so the gaps between them count.

    Returns
    -------
    A state with n rows.
    """
    first = state.first_at if hasattr(state, "first_at") else np.zeros(len(groups))
    order = np.lexsort((first, groups))
    starts = np.searchsorted(groups[order], np.arange(n + 1))
    ordered = type(state)(*(np.ascontiguousarray(a[order]) for a in state))
    out = piece.new_state(n)
    for spec, source, target in zip(piece.fields, ordered, out, strict=True):
        if spec.merge in _UFUNCS and n:
            target[:] = _UFUNCS[spec.merge].reduceat(source, starts[:-1], axis=0)
        elif spec.merge == "sample":
            counts = spec.name.removesuffix("_hash") + "_count"
            merge_samples(source, getattr(ordered, counts), starts, target, getattr(out, counts))
    if piece.stitch is not None:
        piece.stitch(ordered, starts, out, is_same_actor)
    return out


def sampled(state: Any, name: str) -> tuple[Array, Array]:
    """Give a bottom-k sample of a state as hashes and counts; free places hold `FREE` and 0."""
    hashes, counts = getattr(state, f"{name}_hash"), getattr(state, f"{name}_count")
    return hashes, np.where(hashes == FREE, 0, counts)
