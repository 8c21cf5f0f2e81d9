"""Every parameter of every actor is checked in the log, or has a reason why not; a log that was broken is found out."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulations.effects.habits import SHOWN_BY
from simulations.effects.report import EFFECTS, UNCHECKED, declared_by, reasons
from simulations.roster import ATTACKERS, PERSONAS
from simulations.spill import Records
from simulations.traffic.kinds import number

Broken = tuple[Records, pa.Table]
ACTORS = {**PERSONAS, **ATTACKERS}


@pytest.mark.parametrize("name", ACTORS)
def test_parameter_has_a_check_or_a_reason(name: str) -> None:
    """Whatever a cohort may set, some effect checks it, or it is named as unchecked."""
    parameters = ACTORS[name].parameters.model_fields
    assert [key for key in declared_by(ACTORS[name]) if not reasons(key)] == []
    assert [key for key in parameters if key in UNCHECKED] == []


def test_reasons_are_of_something() -> None:
    """No effect and no reason is about a parameter that no actor has; what nobody knows has neither."""
    declared = {key for actor in ACTORS.values() for key in declared_by(actor)}
    claimed = {key for effect in EFFECTS for key in effect.parameters}
    assert (claimed | set(UNCHECKED)) - declared == set()
    assert reasons("shoe_size") == []


def test_report_names_what_it_left_unchecked(others: Any) -> None:
    """A parameter of a cohort is either behind a check of this log or listed with a reason, and never both."""
    report = others.report()
    listed = {(row["cohort"], row["parameter"]): row["reason"] for row in report["unchecked"]}
    assert all(listed.values())
    assert {("homes", "exits"), ("homes", "residential_share"), ("homes", "phase_two"), ("bulk", "repeats")} <= set(
        listed
    )
    checked = {("narrowing", "phase_two"), ("narrowing", "exits"), ("relays", "customers"), ("labels", "pace")}
    assert checked & set(listed) == set()
    assert all((cast.settings.name, key) in listed for cast in others.world.casts for key in UNCHECKED)


@pytest.mark.parametrize(
    ("cohort", "declared", "effect"),
    [
        ("talkers", {"team_share": 0.9}, "share of teams"),
        ("talkers", {"team_size": 16}, "pairs of team and payment"),
        ("talkers", {"spread": 0.6}, "spread of requests"),
        ("talkers", {"spread": 1.9}, "spread of requests"),
        ("office", {"size": 10}, "payments of teams"),
        ("pupils", {"size": 12}, "payments of teams"),
        ("products", {"keys_per_customer": 4}, "pairs of team and payment"),
        ("products", {"writer_share": 0.8}, "share of products that write"),
        ("relays", {"pool": 3}, "payments of teams"),
        ("relays", {"customers": 80}, "customers behind accounts"),
        ("relays", {"customers": 20}, "customers behind accounts"),
        ("labels", {"pace": "stream"}, "requests per conversation"),
        ("incoming", {"pace": "jobs"}, "conversations"),
        ("bulk", {"pace": "sessions"}, "conversations"),
        ("bulk", {"generator_share": 0.1}, "share of self_instruct requests"),
        ("bulk", {"generator": "evol_instruct"}, "share of evol_instruct requests"),
        ("bulk", {"answers": ("collected",)}, "share of collected requests"),
        ("narrowing", {"pace": "agents"}, "conversations"),
        ("narrowing", {"exits": 12}, "exits"),
        ("narrowing", {"exits": 1}, "conversations by an exit"),
        ("narrowing", {"residential_share": 0.9}, "share of accounts at home"),
        ("narrowing", {"residential_share": 0.0}, "share of accounts at home"),
        ("narrowing", {"joins_days": 20.0}, "days between sign-ups"),
        ("narrowing", {"joins_days": 0.3}, "days between sign-ups"),
        ("narrowing", {"phase_two": "grading"}, "requests of the first phase in the second"),
        ("narrowing", {"phase_two_from": 0.4}, "requests of the first phase in the second"),
        ("narrowing", {"phase_two_from": 0.8}, "requests of the second phase in the first"),
        ("homes", {"payments": 4}, "payment instruments"),
        ("homes", {"exits": 3, "residential_share": 0.2}, "conversations by an exit"),
    ],
)
def test_other_declaration_is_not_there(others: Any, cohort: str, declared: dict[str, Any], effect: str) -> None:
    """A cohort that declares something else than it does is found out, and nobody else is."""
    broken = others.broken(**{cohort: declared})
    assert (cohort, effect) in broken
    assert {name for name, _ in broken} == {cohort}


def test_more_victims_than_declared_are_missed(audited: Any) -> None:
    """A frame with other victims than declared is found out, more or fewer."""
    for victims in (1, 9):
        assert ("frame", "victims") in audited.broken(frame={"victims": victims})


def with_column(events: pa.Table, name: str, values: Any) -> pa.Table:
    """Put other values in a column."""
    return events.set_column(events.schema.get_field_index(name), events.schema.field(name), values)


def test_wrong_stages_are_missed(others: Any) -> None:
    """When all requests of a harvest are of one kind, its stages are gone, and so is the first phase of a narrowing."""

    def narrow(records: Records, events: pa.Table) -> Broken:
        for cohort in ("bulk", "narrowing"):
            harvests = others.cohort(records, cohort) & (records["kind"] >= number("self_instruct"))
            records["kind"][harvests] = number("reasoning")
        return records, events

    found = others.broken(narrow)
    kinds = {("bulk", f"share of {kind} requests") for kind in ("self_instruct", "collected", "reasoning")}
    assert kinds <= found
    assert ("narrowing", "requests of the second phase in the first") in found


def test_other_exits_are_missed(others: Any) -> None:
    """When a fleet leaves by a network that is not one of its exits, it is found."""

    def leave(records: Records, events: pa.Table) -> Broken:
        leaves = pa.array(others.cohort(records, "narrowing"))
        return records, with_column(events, "ip", pc.if_else(leaves, "203.0.113.7", events["ip"]))

    missing = {("narrowing", "conversations by an exit"), ("narrowing", "share of accounts at home")}
    assert missing <= others.broken(leave)


def test_scattered_sign_ups_are_missed(others: Any) -> None:
    """When accounts signed up years apart, no campaign joined within days."""

    def scatter(accounts: pa.Table) -> pa.Table:
        years = np.arange(len(accounts)) % 7 * 365 * 86_400 * 10**6
        created = accounts["created_at"].cast(pa.int64()).to_numpy() - years
        kind = accounts.schema.field("created_at").type
        return with_column(accounts, "created_at", pa.array(created).cast(kind))

    assert ("narrowing", "days between sign-ups") in others.broken(accounts=scatter)


def test_own_payments_are_no_team(others: Any) -> None:
    """When every account pays for itself, teams are found out."""

    def pay(accounts: pa.Table) -> pa.Table:
        return with_column(accounts, "payment_id", accounts["account_id"])

    effects = {(cohort, "payments of teams") for cohort in ("talkers", "office", "pupils", "products", "relays")}
    assert effects <= others.broken(accounts=pay)


def test_lone_customer_is_missed(others: Any) -> None:
    """When one person asks all that a relay carries, its customers are missed."""

    def ask(records: Records, events: pa.Table) -> Broken:
        records["owner"][others.cohort(records, "relays")] = 7
        return records, events

    assert others.broken(ask) == {("relays", "customers behind accounts")}


def test_products_of_one_kind_are_missed(others: Any) -> None:
    """When all products write at length, the declared share is missed."""

    def write(records: Records, events: pa.Table) -> Broken:
        records["kind"][others.cohort(records, "products")] = number("article")
        return records, events

    assert others.broken(write) == {("products", "share of products that write")}


@pytest.mark.parametrize("column", SHOWN_BY.values())
def test_habit_of_everybody_is_missed(others: Any, column: str) -> None:
    """When every account sets what few or half of them do, it is found in every large cohort."""

    def set_all(records: Records, events: pa.Table) -> Broken:
        kind = events.schema.field(column).type
        return records, with_column(events, column, pa.array([1] * len(events)).cast(kind))

    effect = f"share of accounts with {column}"
    assert {("talkers", effect), ("office", effect), ("narrowing", effect)} <= others.broken(set_all)


def test_other_pauses_are_missed(others: Any) -> None:
    """When the days of a week are as long as one, runs are as many as declared but their pauses are not."""

    def hurry(records: Records, events: pa.Table) -> Broken:
        at_us = events["occurred_at"].cast(pa.int64()).to_numpy()
        hurries = others.cohort(records, "labels")
        quick = np.where(hurries, at_us.min() + (at_us - at_us.min()) // 7, at_us)
        return records, with_column(events, "occurred_at", pa.array(quick).cast(events["occurred_at"].type))

    assert ("labels", "median pause in seconds") in others.broken(hurry)


def test_equal_volumes_are_missed(others: Any) -> None:
    """When requests of a cohort are dealt out evenly, its accounts do not differ as declared."""

    def deal(records: Records, events: pa.Table) -> Broken:
        rows = np.flatnonzero(others.cohort(records, "talkers"))
        records["account"][rows] = records["account"][rows].min() + np.arange(len(rows)) % 320
        return records, events

    assert ("talkers", "spread of requests") in others.broken(deal)
