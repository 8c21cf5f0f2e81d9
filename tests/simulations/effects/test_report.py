"""Every declared effect is found in the log as it was made, and missed in a log that was broken."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulations.effects.report import EFFECTS
from simulations.spill import Records
from simulations.streams import mix

Broken = tuple[Records, pa.Table]


def with_column(events: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Put other values in a column."""
    place = events.schema.get_field_index(name)
    kind = events.schema.field(name).type
    return events.set_column(place, name, values.dictionary_encode() if pa.types.is_dictionary(kind) else values)


def shuffled(within: npt.NDArray[np.bool_], n: int) -> npt.NDArray[np.int64]:
    """Give an order of rows in which those of a cohort have changed places."""
    order, rows = np.arange(n), np.flatnonzero(within)
    order[rows] = np.random.default_rng(1).permutation(rows)
    return order


def test_log_has_what_it_declares(audited: Any, released: Any, others: Any) -> None:
    """A log as it was made has every effect, each with its tolerance, and none is declared by nobody."""
    reports = [some.report()["effects"] for some in (audited, released, others)]
    for check in (check for report in reports for check in report):
        low, high = check["tolerance"]
        assert check["is_there"] and low <= check["found"] <= high, check
    casts = (*audited.world.casts, *released.world.casts, *others.world.casts)
    assert all(any(effect.applies(cast) for cast in casts) for effect in EFFECTS)


def test_shuffled_times_are_out_of_step(audited: Any) -> None:
    """When the times of a fleet change places among its rows, nothing is left of the common rounds."""

    def shuffle(records: Records, events: pa.Table) -> Broken:
        order = shuffled(audited.cohort(records, "in_step"), len(records))
        return records, with_column(events, "occurred_at", events["occurred_at"].take(pa.array(order)))

    assert audited.broken(shuffle) == {("in_step", "share of rounds in step")}


def test_clocks_set_apart_are_out_of_step(audited: Any) -> None:
    """When each account of a fleet is off by minutes of its own, the rounds are not common."""

    def delay(records: Records, events: pa.Table) -> Broken:
        late_us = np.where(audited.cohort(records, "in_step"), records["account"] % 10 * 7 * 60 * 10**6, 0)
        at_us = events["occurred_at"].cast(pa.int64()).to_numpy() + late_us
        return records, with_column(
            events, "occurred_at", pa.array(at_us).cast(events.schema.field("occurred_at").type)
        )

    assert audited.broken(delay) == {("in_step", "share of rounds in step")}


def test_prompts_asked_once_are_no_resampling(audited: Any) -> None:
    """When every request asks something else, nothing is repeated; so it is when the log has no text."""

    def vary(records: Records, events: pa.Table) -> Broken:
        numbers = pa.array(np.arange(len(records)).astype(str))
        return records, with_column(events, "prompt", pc.binary_join_element_wise(events["prompt"], numbers, " "))

    def vary_items(records: Records, events: pa.Table) -> Broken:
        records["item"] = np.arange(len(records))
        return records, with_column(events, "prompt", pa.nulls(len(records), pa.string()))

    assert audited.broken(vary) == audited.broken(vary_items) == {("sampled", "requests per prompt")}


def test_mixed_up_lives_overlap(audited: Any) -> None:
    """When requests of a hydra go to any of its accounts, lives overlap and are left."""

    def mix_up(records: Records, events: pa.Table) -> Broken:
        order = shuffled(audited.cohort(records, "hydra"), len(records))
        return records, with_column(events, "occurred_at", events["occurred_at"].take(pa.array(order)))

    effects = ("lives that overlap", "accounts with requests outside their life", "median pause in seconds")
    assert audited.broken(mix_up) == {("hydra", effect) for effect in effects}


def test_heads_that_do_not_grow_are_missed(audited: Any) -> None:
    """When each line keeps to its first account, nobody follows."""

    def keep_first(records: Records, events: pa.Table) -> Broken:
        of_hydra = audited.cohort(records, "hydra")
        first = records["account"][of_hydra].min()
        records["account"][of_hydra] -= (records["account"][of_hydra] - first) % 4
        return records, events

    assert ("hydra", "accounts that follow a banned one") in audited.broken(keep_first)


def test_own_payments_frame_nobody(audited: Any) -> None:
    """When members pay by themselves, no victim is framed."""

    def pay(records: Records, events: pa.Table) -> Broken:
        own = pa.array(np.char.add("pay_", records["account"].astype(str)))
        frames = pa.array(audited.cohort(records, "frame"))
        return records, with_column(
            events, "payment_id", pc.if_else(frames, own, events["payment_id"].cast(pa.string()))
        )

    missing = audited.broken(pay)
    assert missing == {("frame", "members that pay as a victim"), ("frame", "victims whose payment members use")}


def test_own_addresses_frame_nobody(audited: Any) -> None:
    """When members act from other addresses than their victims, it is found."""

    def move(records: Records, events: pa.Table) -> Broken:
        members = audited.cohort(records, "frame") & audited.world.is_member[records["account"]]
        return records, with_column(events, "ip", pc.if_else(pa.array(members), "203.0.113.7", events["ip"]))

    effects = ("conversations from a victim's address", "conversations by an exit", "share of accounts at home")
    assert audited.broken(move) == {("frame", effect) for effect in effects}


def test_silent_victims_are_missed(audited: Any) -> None:
    """A frame whose victims never act frames nobody."""

    def silence(records: Records, events: pa.Table) -> Broken:
        kept = ~audited.cohort(records, "frame") | audited.world.is_member[records["account"]]
        return records[kept], events.filter(pa.array(kept))

    assert ("frame", "victims seen at the borrowed address") in audited.broken(silence)


def test_concentrated_volume_is_not_slow(audited: Any) -> None:
    """When a slow campaign's requests come from a few of its accounts, their rates are not the declared ones."""

    def concentrate(records: Records, events: pa.Table) -> Broken:
        of_slow = audited.cohort(records, "slow")
        first = records["account"][of_slow].min()
        records["account"][of_slow] = first + (records["account"][of_slow] - first) % 4
        return records, events

    missing = audited.broken(concentrate)
    assert missing == {
        ("slow", "requests per account and day"),
        ("slow", "requests per day of the busiest account"),
        ("slow", "conversations"),
    }


def test_lost_requests_are_missed(audited: Any) -> None:
    """When a campaign sends a fifth of its requests, both the law and the draws say so."""

    def lose(records: Records, events: pa.Table) -> Broken:
        kept = ~audited.cohort(records, "slow") | (mix(records["owner"] + records["ordinal"]) % np.uint64(5) == 0)
        return records[kept], events.filter(pa.array(kept))

    assert {("slow", "requests"), ("slow", "requests drawn")} <= audited.broken(lose)


@pytest.mark.parametrize(
    ("cohort", "declared", "effect"),
    [
        ("people", {"requests": 180.0}, "requests"),
        ("people", {"requests": 2.0}, "requests"),
        ("slow", {"per_day": 25.6}, "requests"),
        ("hydra", {"per_day": 100.0}, "requests"),
        ("slow", {"cover_share": 0.6}, "cover share"),
        ("slow", {"payments": 2}, "payment instruments"),
        ("slow", {"payments": 40}, "payment instruments"),
        ("sampled", {"repeats": 4}, "requests per prompt"),
        ("hydra", {"life_days": 40.0}, "accounts that follow a banned one"),
    ],
)
def test_other_declaration_is_not_there(audited: Any, cohort: str, declared: dict[str, Any], effect: str) -> None:
    """A cohort that declares something else than it does is found out."""
    assert (cohort, effect) in audited.broken(**{cohort: declared})


def test_pivot_of_the_wrong_size_is_missed(released: Any) -> None:
    """When nobody keeps to the old models after the release, or somebody leaves them before it, it is found."""

    def rush(records: Records, events: pa.Table) -> Broken:
        everybody = pa.array(["stone-next"] * len(records))
        return records, with_column(events, "model", everybody)

    def stay(records: Records, events: pa.Table) -> Broken:
        return records, with_column(events, "model", pa.array(["stone-large"] * len(records)))

    both = {("movers", f"share on the new model {when}") for when in ("on the first day", "later")}
    assert {*both, ("movers", "new model before its release")} <= released.broken(rush)
    assert both <= released.broken(stay)
