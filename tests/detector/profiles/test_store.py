"""The promise everything hangs on: however a log is cut and joined, its profiles are the same."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.profiles.store import SLICES, Profiles, slices_for
from detector.profiles.volume import NANO_USD
from tests.detector.worlds import COLUMNS, draw_events

FLOAT_SUMS = 1e-6


def folded(*batches: pa.RecordBatch, threads: int = 1) -> Profiles:
    """Fold batches in order, with every optional slice."""
    optional = tuple(s.name for s in SLICES.values() if s.is_optional)
    profiles = Profiles(COLUMNS, threads=threads, wanted=optional)
    for batch in batches:
        profiles.fold(batch)
    return profiles


def assert_same(one: Profiles, other: Profiles) -> None:
    """Compare every field of every account: exactly, float sums to 1e-6."""
    assert sorted(one.account_ids) == sorted(other.account_ids)
    order = [other.account_ids.index(a) for a in one.account_ids]
    for name, state in one.trimmed().items():
        for field, left, right in zip(SLICES[name].fields, state, other.trimmed()[name], strict=True):
            if np.issubdtype(field.dtype, np.floating):
                np.testing.assert_allclose(left, right[order], rtol=FLOAT_SUMS, err_msg=f"{name}.{field.name}")
            else:
                np.testing.assert_array_equal(left, right[order], err_msg=f"{name}.{field.name}")


def shuffled(batch: pa.RecordBatch, seed: int) -> pa.RecordBatch:
    """Give the rows in another order."""
    return batch.take(pa.array(np.random.default_rng(seed).permutation(batch.num_rows)))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 399), max_size=5))
def test_batches_make_no_difference(seed: int, cuts: list[int]) -> None:
    """Where a log is cut into batches changes nothing."""
    log = draw_events(seed)
    edges = [0, *sorted(set(cuts)), log.num_rows]
    pieces = [log.slice(a, b - a) for a, b in itertools.pairwise(edges)]
    assert_same(folded(log), folded(*pieces))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 198), st.integers(199, 399), st.booleans())
def test_merge_is_associative_and_commutative(seed: int, first: int, second: int, swap: bool) -> None:
    """Pieces that are neighbours in time merge to the whole, whatever is merged first and on which side."""
    log = draw_events(seed)
    a, b, c = log.slice(0, first), log.slice(first, second - first), log.slice(second)
    left = folded(a).merge(folded(b))
    right = folded(c).merge(folded(b)) if swap else folded(b).merge(folded(c))
    assert_same(folded(log), left.merge(folded(c)))
    assert_same(folded(log), folded(a).merge(right))
    assert_same(folded(log), right.merge(folded(a)))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_row_order_does_not_matter(seed: int) -> None:
    """A shuffled log gives the same profiles: within a batch at once, across batches after times are refolded."""
    log = draw_events(seed)
    mixed = shuffled(log, seed)
    assert_same(folded(log), folded(mixed))
    across = folded(mixed.slice(0, 200), mixed.slice(200))
    assert across.n_late > 0
    across.refold_rhythm([log.select(["occurred_at", "account_id"])])
    assert_same(folded(log), across)


def test_threads_make_no_difference() -> None:
    """Two kernel threads give the bytes of one."""
    log = draw_events(5, n=3000, accounts=40)
    assert_same(folded(log), folded(log, threads=3))


def test_account_names_do_not_matter() -> None:
    """Renaming an account renames its profile and nothing else."""
    log = draw_events(6)
    names = pa.array([f"renamed {a}" for a in log.column("account_id").to_pylist()])
    renamed = log.set_column(log.schema.get_field_index("account_id"), log.schema.field("account_id"), names)
    other = folded(renamed)
    other.account_ids = [a.removeprefix("renamed ") for a in other.account_ids]
    assert_same(folded(log), other)


def test_pool_adds_members_up() -> None:
    """A cluster's counters are the sum of its members', and members keep their own gaps."""
    profiles = folded(draw_events(7))
    pooled = profiles.pool(np.zeros(len(profiles), np.int64), ["all"])
    volume, rhythm = profiles.trimmed()["volume"], profiles.trimmed()["rhythm"]
    assert pooled.account_ids == ["all"]
    assert pooled.states["volume"].n_requests[0] == volume.n_requests.sum() == 400
    assert pooled.states["membership"].n_accounts[0] == len(profiles)
    np.testing.assert_array_equal(pooled.states["rhythm"].gaps[0], rhythm.gaps.sum(axis=0))
    assert pooled.states["rhythm"].timeline[0].sum() == 400


def test_slices_follow_the_columns() -> None:
    """A log without text keeps no text slice."""
    names = [s.name for s in slices_for(["occurred_at", "account_id", "input_tokens"])]
    assert names == ["membership", "volume", "rhythm", "moments", "sampling"]


def test_an_optional_slice_is_kept_when_asked_for() -> None:
    """By default it costs nothing; asked for, it needs its columns like any other."""
    columns, always = ["occurred_at", "account_id", "prompt"], ["membership", "volume", "rhythm", "moments"]
    assert "queries" not in Profiles(tuple(columns)).states
    assert [s.name for s in slices_for(columns, ["queries"])] == [*always, "text", "queries"]
    assert "queries" not in [s.name for s in slices_for(columns[:2], ["queries"])]


def test_memory_grows_with_accounts_not_rows() -> None:
    """Ten times the rows of the same accounts take the same space."""
    small, large = folded(draw_events(1, n=300)), folded(draw_events(1, n=3000))
    sizes = [sum(array.nbytes for state in p.states.values() for array in state) for p in (small, large)]
    assert sizes[0] == sizes[1]


def test_enrich_adds_sign_up_and_payment() -> None:
    """What the accounts table knows is added to accounts of the log; strangers are passed over."""
    profiles = folded(draw_events(2, accounts=2))
    created = pa.array([0, 86_400_000_000], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    table = pa.table({"account_id": ["a0", "stranger"], "created_at": created, "payment_id": ["card", "card"]})
    assert profiles.enrich(table) == 1
    member = profiles.states["membership"]
    number = profiles.account_ids.index("a0")
    assert (member.n_signed_up[number], member.sign_up_sum[number]) == (1, 0.0)
    assert "card" in profiles.names["payment_id"].values()


@pytest.mark.parametrize(("columns", "level"), [(("n_requests",), 0), ((), 1), (("ip",), 2), (("prompt",), 3)])
def test_evidence_level_follows_what_is_filled(columns: tuple[str, ...], level: int) -> None:
    """A column counts when some row holds a value, not when it merely exists."""
    log = draw_events(3, n=50).select(["occurred_at", "account_id"])
    for name in ("ip", "prompt", "n_requests"):
        kind = pa.int64() if name == "n_requests" else pa.string()
        value = pa.scalar(2 if name == "n_requests" else "x", kind) if name in columns else pa.scalar(None, kind)
        log = log.append_column(name, pa.repeat(value, 50))
    profiles = Profiles(("occurred_at", "account_id", "ip", "prompt", "n_requests"))
    profiles.fold(log)
    assert profiles.evidence_level == level


def test_sums_do_not_depend_on_the_order_of_rows():
    """Shuffled and cut anywhere, a log gives the same profiles to the last bit, once times are put in order."""
    events = draw_events(11)
    rows = np.random.default_rng(3).permutation(events.num_rows)
    whole, shuffled = Profiles(COLUMNS), Profiles(COLUMNS)
    whole.fold(events)
    for part in np.array_split(rows, 7):
        shuffled.fold(events.take(pa.array(part)))
    shuffled.refold_rhythm([events.select(["occurred_at", "account_id"])])
    whole.put_in_order()
    shuffled.put_in_order()
    for name, state in whole.trimmed().items():
        for field, mine, theirs in zip(state._fields, state, shuffled.trimmed()[name], strict=True):
            assert mine.tobytes() == theirs.tobytes(), (name, field)


def test_costs_beyond_reason_do_not_overflow():
    """An infinite or absurd cost counts as the most a request may cost, an absent one as nothing."""
    events = draw_events(1, n=4, accounts=1)
    place = events.schema.get_field_index("cost_usd")
    costs = pa.array([float("inf"), 1e300, None, 0.25])
    profiles = Profiles(COLUMNS)
    profiles.fold(events.set_column(place, events.schema.field(place), costs))
    assert round(20_000.25 / NANO_USD) == profiles.states["volume"].cost_nano_usd[0]
