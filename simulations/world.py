"""A scenario becomes a log: first who comes when (the plan), then, chunk by chunk, what each request holds.

The plan is held in memory, some 40 bytes a request; text exists for one chunk at a time. The log is sorted by time
over all cohorts, ties by account key and ordinal, so that no cohort's presence reorders another's requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.errors import ImpossibleRequestError
from detector.tables import ACCOUNTS, TRUTH
from simulations.actors import Actor, Plan
from simulations.columns import event_columns
from simulations.crowd import Crowd, Horizon
from simulations.roster import ATTACKERS, actor_of
from simulations.settings import CohortSettings, ScenarioSettings
from simulations.streams import Counts, Streams, key_of, member_keys
from simulations.traffic import identity

#: Requests written at a time. Chosen: some 30 MB of text.
CHUNK_ROWS = 65_536


@dataclass(frozen=True)
class Cast:
    """A cohort ready to be written: its actor, accounts and plan."""

    settings: CohortSettings
    actor: Actor
    parameters: Any
    crowd: Crowd
    plan: Plan

    @property
    def is_extraction(self) -> bool:
        """Tell whether the cohort harvests."""
        return self.settings.attacker in ATTACKERS


@dataclass(frozen=True)
class World:
    """All cohorts of a scenario and the order of their requests."""

    scenario: ScenarioSettings
    casts: tuple[Cast, ...]
    cast_of: Counts
    """Shape (n_events,): cohort of each request, in the order of the log."""
    visit_of: Counts
    """Shape (n_events,): row of each request in its cohort's plan, in the order of the log."""

    @property
    def n_events(self) -> int:
        """Count the requests."""
        return len(self.cast_of)

    def events(self, *, chunk_rows: int = CHUNK_ROWS) -> Iterator[pa.Table]:
        """Write the log in tables of `detector.tables.EVENTS`, sorted by time."""
        for begin in range(0, self.n_events, chunk_rows):
            yield self._chunk(slice(begin, begin + chunk_rows))

    def _chunk(self, part: slice) -> pa.Table:
        cast_of, visit_of = self.cast_of[part], self.visit_of[part]
        rows = [np.flatnonzero(cast_of == number) for number in range(len(self.casts))]
        written = [_written(cast, visit_of[some]) for cast, some in zip(self.casts, rows, strict=True) if some.size]
        back = np.argsort(np.concatenate(rows), kind="stable")
        return pa.concat_tables(written).take(pa.array(back)).combine_chunks()

    def accounts(self) -> pa.Table:
        """Write what is known of each account besides its requests, sorted by account."""
        return pa.concat_tables([_accounts(cast) for cast in self.casts]).sort_by("account_id").combine_chunks()

    def truth(self) -> pa.Table:
        """Write who was what, for every account that sent a request, sorted by account."""
        return pa.concat_tables([_truth(cast) for cast in self.casts]).sort_by("account_id").combine_chunks()


def build(scenario: ScenarioSettings) -> World:
    """Settle who comes when.

    Raises
    ------
    ImpossibleRequestError
        No request falls into the days of the scenario.

    Examples
    --------
    >>> from simulations.settings import scenario_of
    >>> cohort = {"name": "people", "persona": "hobby_chat", "accounts": 2}
    >>> values = {"name": "tiny", "starts_at": "2026-03-02T00:00:00Z", "days": 7, "cohorts": [cohort]}
    >>> build(scenario_of(values, where="example")).truth().num_rows
    2
    """
    casts = tuple(_cast(scenario, cohort) for cohort in scenario.cohorts if cohort.accounts)
    sizes = [len(cast.plan.visits) for cast in casts]
    cast_of = np.repeat(np.arange(len(casts)), sizes)
    visit_of = np.concatenate([np.arange(size) for size in sizes])
    if not len(cast_of):
        raise ImpossibleRequestError(
            f"scenario {scenario.name!r}: nobody sends a request in {scenario.days} days; give more days or accounts"
        )
    instants = np.concatenate([_instants_us(cast) for cast in casts])
    keys = np.concatenate([cast.crowd.keys[cast.plan.visits.member] for cast in casts])
    ordinals = np.concatenate([cast.plan.visits.ordinal for cast in casts])
    order = np.lexsort((ordinals, keys, instants))
    return World(scenario, casts, cast_of[order], visit_of[order])


def _cast(scenario: ScenarioSettings, cohort: CohortSettings) -> Cast:
    actor = actor_of(persona=cohort.persona, attacker=cohort.attacker)
    parameters = actor.parameters.model_validate(cohort.parameters)
    crowd = Crowd(
        name=cohort.name,
        keys=member_keys(cohort.name, scenario.n_accounts(cohort)),
        group=np.array([key_of("group", cohort.name)], dtype=np.uint64),
        streams=Streams(scenario.seed),
        horizon=Horizon(begins_s=scenario.starts_at.timestamp(), days=scenario.days),
    )
    return Cast(cohort, actor, parameters, crowd, actor.plan(crowd, parameters))


def _instants_us(cast: Cast) -> Counts:
    begins = np.int64(round(cast.crowd.horizon.begins_s * 1e6))
    return begins + np.floor(cast.plan.visits.at_s * 1e6).astype(np.int64)


def _written(cast: Cast, rows: Counts) -> pa.Table:
    visits, is_extraction = cast.plan.visits.take(rows), cast.plan.is_extraction[rows]
    requests = cast.actor.ask(cast.crowd, cast.parameters, visits, is_extraction)
    return event_columns(cast.crowd, cast.plan, visits, requests, instants_us=_instants_us(cast)[rows])


def _accounts(cast: Cast) -> pa.Table:
    known = cast.plan.identity
    table = pa.table(
        {
            "account_id": identity.account_ids(cast.crowd.keys, cast.crowd.streams),
            "created_at": pa.array(known.created_s.astype(np.int64) * 1_000_000).cast(
                ACCOUNTS.field("created_at").type
            ),
            "org_id": identity.id_texts("org_", known.organisation, digits=12),
            "payment_id": identity.id_texts("pay_", known.payment, digits=12),
            "email_domain": identity.EMAIL_DOMAINS.take(pa.array(known.email)),
            "plan": identity.PLANS.take(pa.array(known.plan)),
            "country": identity.BILLING_COUNTRIES.take(pa.array(known.country)),
        },
        schema=ACCOUNTS,
    )
    return table.filter(pa.array(_n_events(cast) > 0))


def _n_events(cast: Cast) -> Counts:
    return np.bincount(cast.plan.visits.member, minlength=len(cast.crowd)).astype(np.int64)


def _truth(cast: Cast) -> pa.Table:
    n_events = _n_events(cast)
    harvested = cast.plan.visits.member[cast.plan.is_extraction]
    table = pa.table(
        {
            "account_id": identity.account_ids(cast.crowd.keys, cast.crowd.streams),
            "persona": pa.array([cast.settings.kind] * len(cast.crowd)),
            "is_extraction": pa.array(np.full(len(cast.crowd), cast.is_extraction)),
            "campaign_id": pa.array(cast.plan.campaigns, pa.string()),
            "n_events": pa.array(n_events),
            "n_extraction_events": pa.array(np.bincount(harvested, minlength=len(cast.crowd)).astype(np.int64)),
        },
        schema=TRUTH,
    )
    return table.filter(pc.greater(table["n_events"], 0))
