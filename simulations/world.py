"""A scenario becomes a log in two passes: who comes when and asks what; then, chunk by chunk in time, the rows.

The first pass goes account by account and spills some 40 bytes a request to nameless files; the second sorts a stretch
of time and writes its columns. Memory grows with accounts and chunks, never with requests. Workers are threads: the
kernels leave the interpreter's lock.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from detector.errors import ImpossibleRequestError
from detector.progress import Tell, silent
from detector.tables import EVENTS
from detector.turns import in_turn, read_ahead
from simulations.actors import MOST_REQUESTS, Actor
from simulations.columns import Scene, whole
from simulations.crowd import DAY_S, Crowd, Horizon, Visits
from simulations.population import Cast, Population, account_table, populate, truth_table
from simulations.roster import actor_of
from simulations.settings import CohortSettings, ScenarioSettings
from simulations.spill import RECORD, Records, Spill, taken
from simulations.streams import Counts, Flags, Streams, key_of, member_keys
from simulations.traffic.corpora import grammar_of
from simulations.traffic.grammar import Grammar
from simulations.traffic.kinds import IS_EXTRACTION, KINDS
from simulations.traffic.retries import later_tries

#: Requests written at a time, which is also a row group. Chosen: some 45 MB of text.
CHUNK_ROWS = 131_072
#: Requests whose arrivals are drawn at a time. Chosen.
BLOCK_ROWS = 262_144
WORKERS = 2


@dataclass(frozen=True)
class World:
    """All cohorts of a scenario and their requests, in order but not yet written."""

    scenario: ScenarioSettings
    casts: tuple[Cast, ...]
    population: Population
    spill: Spill
    scene: Scene
    n_events_of: Counts
    """Shape (n_accounts,): requests of each account."""
    n_extraction_of: Counts
    """Shape (n_accounts,): requests of each account that serve a harvest."""

    @property
    def n_events(self) -> int:
        """Count the requests."""
        return self.spill.n_records

    def events(self, *, chunk_rows: int = CHUNK_ROWS, workers: int = WORKERS) -> Iterator[pa.Table]:
        """Write the log in tables of `detector.tables.EVENTS`, sorted by time."""
        for _, table in self.rows(chunk_rows=chunk_rows, workers=workers):
            yield whole(table)

    def rows(self, *, chunk_rows: int = CHUNK_ROWS, workers: int = WORKERS) -> Iterator[tuple[Records, pa.Table]]:
        """Write the log chunk by chunk; gives the requests beside their rows, of `simulations.columns.LEAN`."""
        with ThreadPoolExecutor(max_workers=workers) as pool:
            yield from in_turn(pool, self.scene.table, read_ahead(self.spill.chunks(chunk_rows)), ahead=workers)

    @cached_property
    def is_member(self) -> Flags:
        """Shape (n_accounts,): whether the account takes part in a campaign."""
        return np.concatenate([cast.is_member for cast in self.casts])

    def request_truth(self, records: Records, events: pa.Table) -> pa.Table:
        """Say of each request of a campaign's accounts whether it serves the harvest."""
        rows = np.flatnonzero(self.is_member[records["account"]])
        told = events.select(["request_id", "account_id"]).take(pa.array(rows))
        plain = told.set_column(1, EVENTS.field("account_id"), told["account_id"].cast(pa.string()))
        return plain.append_column("is_extraction", pa.array(IS_EXTRACTION[records["kind"][rows]]))

    def accounts(self) -> pa.Table:
        """Write what is known of each account besides its requests, sorted by account."""
        tables = [account_table(cast, self._of(cast, self.n_events_of) > 0) for cast in self.casts]
        return pa.concat_tables(tables).sort_by("account_id").combine_chunks()

    def truth(self) -> pa.Table:
        """Write who was what, for every account that sent a request, sorted by account."""
        tables = [
            truth_table(cast, self._of(cast, self.n_events_of), self._of(cast, self.n_extraction_of))
            for cast in self.casts
        ]
        return pa.concat_tables(tables).sort_by("account_id").combine_chunks()

    def _of(self, cast: Cast, values: Counts) -> Counts:
        place = next(number for number, other in enumerate(self.casts) if other is cast)
        return values[self.population.firsts[place] : self.population.firsts[place + 1]]


def build(
    scenario: ScenarioSettings,
    *,
    folder: Path | None = None,
    workers: int = WORKERS,
    tell: Tell = silent,
    reserves: tuple[Cast, ...] = (),
) -> World:
    """Settle who comes when and asks what.

    Parameters
    ----------
    folder: where nameless files may live; None is where temporary files live.
    workers: threads; changes no value.
    reserves: cohorts of accounts that send nothing yet; they come last and change no request of others.

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
    casts = (*first_casts(scenario), *reserves)
    population = populate(casts)
    length_us = int(scenario.days * DAY_S * 1e6)
    spill = Spill(population.keys, length_us, sum(cast.n_expected for cast in casts), folder)
    n_events, n_extraction = np.zeros(len(population), np.int64), np.zeros(len(population), np.int64)
    for records in _in_parallel(casts, population, workers):
        tell("who comes when", spill.n_records, spill.n_expected)
        spill.add(records)
        harvests = IS_EXTRACTION[records["kind"]]
        low = int(records["account"].min(initial=len(population)))
        for counts, some in ((n_events, records), (n_extraction, records[harvests])):
            found = np.bincount(some["account"].astype(np.int64) - low) if len(some) else np.zeros(0, np.int64)
            counts[low : low + len(found)] += found
    if not spill.n_records:
        raise ImpossibleRequestError(
            f"scenario {scenario.name!r}: nobody sends a request in {scenario.days} days; give more days or accounts"
        )
    return World(scenario, casts, population, spill, _scene(scenario, casts, population), n_events, n_extraction)


def _scene(scenario: ScenarioSettings, casts: tuple[Cast, ...], population: Population) -> Scene:
    corpora = {f"corpus_{cast.settings.name}": cast.settings.prompts.corpus for cast in casts if cast.settings.prompts}
    grammar = grammar_of(corpora, where=f"scenario {scenario.name!r}")
    systems = [-1 if kind.system is None else grammar.number(kind.system) for kind in KINDS.values()]
    return Scene(
        seed=scenario.seed,
        horizon=casts[0].crowd.horizon,
        population=population,
        grammar=grammar,
        rules=np.array([_rules(cast, grammar) for cast in casts], dtype=np.int64),
        system_rules=np.array(systems, dtype=np.int64),
        has_corpus=np.array([cast.settings.prompts is not None for cast in casts]),
        has_text=scenario.text,
    )


def _rules(cast: Cast, grammar: Grammar) -> list[int]:
    """Choose the rule of each kind: a harvest goes through its corpus, others draw from it."""
    if cast.settings.prompts is None:
        return [grammar.number(kind.rule) for kind in KINDS.values()]
    ways = {True: "in turn", False: "drawn"}
    return [grammar.number(f"corpus_{cast.settings.name} {ways[kind.is_extraction]}") for kind in KINDS.values()]


def first_casts(scenario: ScenarioSettings) -> tuple[Cast, ...]:
    """Cast the cohorts of a scenario, without those that have no account."""
    return tuple(
        cast_crowd(cohort, crowd_of(scenario, cohort, 0, scenario.n_accounts(cohort)))
        for cohort in scenario.cohorts
        if cohort.accounts
    )


def crowd_of(
    scenario: ScenarioSettings, cohort: CohortSettings, first: int, n: int, *, name: str | None = None
) -> Crowd:
    """Give n members of a cohort, from place `first` on; those of another name share its prompts and nothing else."""
    release = float("inf") if scenario.release_day is None else scenario.release_day * DAY_S
    return Crowd(
        name=name or cohort.name,
        keys=member_keys(name or cohort.name, first + n)[first:],
        group=np.array([key_of("group", cohort.name)], dtype=np.uint64),
        streams=Streams(scenario.seed),
        horizon=Horizon(scenario.starts_at.timestamp(), scenario.days, release),
        first=first,
    )


def cast_crowd(cohort: CohortSettings, plain: Crowd) -> Cast:
    """Settle lives, identities and volumes of some members of a cohort."""
    actor = actor_of(persona=cohort.persona, attacker=cohort.attacker)
    parameters = actor.parameters.model_validate(cohort.parameters)
    crowd = actor.cast(plain, parameters)
    n_requests = np.minimum(actor.count(crowd, parameters), MOST_REQUESTS)
    return Cast(
        cohort, actor, parameters, crowd, actor.identity(crowd, parameters), n_requests,
        actor.members(crowd, parameters),
    )  # fmt: skip


def _blocks(casts: tuple[Cast, ...], firsts: Counts) -> Iterator[tuple[Cast, int, int, int]]:
    """Cut cohorts into consecutive accounts with a bounded number of requests."""
    for cast, first in zip(casts, firsts, strict=False):
        ends = np.cumsum(cast.n_requests)
        begin = 0
        while begin < len(ends) and ends[-1]:
            before = ends[begin - 1] if begin else 0
            end = max(int(np.searchsorted(ends, before + BLOCK_ROWS, side="right")), begin + 1)
            yield cast, int(first), begin, end
            begin = end


def _in_parallel(casts: tuple[Cast, ...], population: Population, workers: int) -> Iterator[Records]:
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for _, records in in_turn(pool, _records, _blocks(casts, population.firsts), ahead=workers):
            yield records


def _records(block: tuple[Cast, int, int, int]) -> Records:
    cast, first, begin, end = block
    crowd = cast.crowd.part(begin, end)
    visits = cast.actor.visits(crowd, cast.parameters, cast.n_requests[begin:end])
    return records_of(cast.actor, cast.parameters, crowd, visits, first=first + begin)


def records_of(actor: Actor, parameters: Any, crowd: Crowd, visits: Visits, *, first: int) -> Records:
    """Say what is asked in some visits, and which of them are tried again; `first` is the crowd's first account."""
    asked = actor.ask(crowd, parameters, visits)
    rows, ordinals, at_us = later_tries(crowd, visits, p_retries=actor.habits.p_retries)
    records = np.zeros(len(visits) + len(rows), dtype=RECORD)
    first_tries, later = records[: len(visits)], records[len(visits) :]
    first_tries["at_us"], first_tries["ordinal"] = visits.at_us, visits.ordinal
    first_tries["session"] = visits.session
    first_tries["turn"] = np.minimum(visits.turn, np.iinfo(np.uint16).max)
    first_tries["account"] = first + visits.member
    first_tries["kind"], first_tries["owner"], first_tries["item"] = asked.kind, asked.owner, asked.item
    later[:] = taken(first_tries, rows)
    later["ordinal"], later["at_us"] = ordinals, at_us
    return records
