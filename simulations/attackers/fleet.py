"""Accounts of one campaign that divide a prompt set, share payments and exits, and hide behind cover traffic."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from detector.settings import Settings
from simulations.actors import Plan
from simulations.attackers.bulk_harvest import harvest
from simulations.crowd import DAY_S, Crowd, Requests, Visits
from simulations.personas.hobby_chat import person, talk
from simulations.streams import Counts, Flags, member_keys
from simulations.traffic import arrivals, identity, lengths, prompts

PACES: dict[str, arrivals.Arrivals] = {"sessions": arrivals.sessions, "lockstep": arrivals.lockstep}


#: Clients of a fleet: scripts as often as driven browsers. Assumed.
CLIENTS = np.add(identity.CLIENTS_OF_MACHINES, identity.CLIENTS_OF_PEOPLE)
#: Addresses in use within an exit network. Assumed: few, so that members meet on one address.
EXIT_HOSTS = 16


class FleetParameters(Settings):
    """What a fleet may set; a cohort is one campaign."""

    per_day: float = Field(25.6, gt=0, le=1e6, description="mean requests of an account per day")
    cover_share: float = Field(0.5, ge=0, le=1, description="share of requests that are ordinary chat")
    payments: int = Field(4, ge=1, le=1_000_000, description="payment instruments that the accounts divide")
    exits: int = Field(3, ge=1, le=1_000_000, description="networks that the traffic leaves by")
    generator_share: float = Field(0.1, ge=0, le=1, description="share of harvest requests that ask for new tasks")
    residential_share: float = Field(0.3, ge=0, le=1, description="share of accounts that mostly use a home address")
    pace: Literal["sessions", "lockstep"] = Field("sessions", description="like people, or all on one scheduler")


class Fleet:
    """Accounts that harvest together."""

    parameters = FleetParameters

    def plan(self, crowd: Crowd, parameters: FleetParameters) -> Plan:
        """Decide who the members are and when they come."""
        mean = parameters.per_day * crowd.horizon.days
        drawn = crowd.streams.gamma(crowd.keys, "volume", shape=2.0) * mean / 2.0
        visits = PACES[parameters.pace](crowd, np.maximum(drawn, 5).astype(np.int64))
        keys = crowd.keys[visits.member]
        return Plan(
            visits=visits,
            is_extraction=~crowd.streams.chance(keys, "covers", visits.ordinal, p=parameters.cover_share),
            identity=_shared(crowd, parameters),
            model_weights=(0.40, 0.38, 0.22),
            campaigns=(crowd.name,) * len(crowd),
        )

    def ask(self, crowd: Crowd, parameters: FleetParameters, visits: Visits, is_extraction: Flags) -> Requests:
        """Write the requests of some visits: harvest where it is extraction, chat where it is cover."""
        work, cover = np.flatnonzero(is_extraction), np.flatnonzero(~is_extraction)
        parts = (_collect(crowd, parameters, visits.take(work)), talk(crowd, visits.take(cover)))
        back = np.argsort(np.concatenate([work, cover]), kind="stable")
        return Requests(
            prompt=pa.chunked_array([p.prompt for p in parts]).combine_chunks().take(pa.array(back)),
            system_prompt=prompts.nothing(len(visits)),
            answer_tokens=np.concatenate([p.answer_tokens for p in parts])[back],
            history_tokens=np.concatenate([p.history_tokens for p in parts])[back],
        )


def _collect(crowd: Crowd, parameters: FleetParameters, visits: Visits) -> Requests:
    shared = np.broadcast_to(crowd.group, len(visits))
    item = _item(visits)
    prompt, median = harvest(crowd.streams, shared, item, generator_share=parameters.generator_share)
    chars = prompts.n_chars(prompt)
    return Requests(
        prompt=prompt,
        system_prompt=prompts.nothing(len(visits)),
        answer_tokens=lengths.answers(crowd.streams, shared, item, median=median, chars=chars),
        history_tokens=lengths.histories(crowd.streams, crowd.keys[visits.member], visits),
    )


def _item(visits: Visits) -> Counts:
    """Number the prompts so that members never ask the same one: disjoint shards, as real pipelines deal them out."""
    return visits.member * np.int64(2**32) + visits.ordinal


def _shared(crowd: Crowd, parameters: FleetParameters) -> identity.Identity:
    draw, keys = crowd.streams, crowd.keys
    own = person(crowd)
    payments = member_keys(f"{crowd.name}/payment", parameters.payments)
    paid_by = payments[draw.integers(keys, "which payment", below=parameters.payments)]
    networks, addresses = own.networks.copy(), own.addresses.copy()
    at_home = draw.chance(keys, "is residential", p=parameters.residential_share)
    for slot in (0, 3, 4):
        moves = ~at_home if slot in (0, 3) else np.ones(len(crowd), dtype=np.bool_)
        exits = member_keys(f"{crowd.name}/exit", parameters.exits)
        owner = exits[draw.integers(keys, "which exit", slot, below=parameters.exits)]
        network, subnet = identity.address_of(draw, owner, "cloud", 0)
        host = 2 + draw.integers(keys, "exit host", slot, below=EXIT_HOSTS).astype(np.uint32)
        networks[moves, slot] = network[moves]
        addresses[moves, slot] = ((subnet & np.uint32(0xFFFFFF00)) | host)[moves]
    opened = crowd.horizon.begins_s - draw.uniform(crowd.group, "opened", low=2.0, high=40.0) * DAY_S
    signed_up = opened + draw.exponential(keys, "joins late", mean=2.5 * DAY_S)
    return replace(
        own,
        payment=draw.bits(paid_by, "payment"),
        created_s=np.floor(np.minimum(signed_up, crowd.horizon.begins_s)),
        client=draw.choice(keys, "client", weights=CLIENTS),
        networks=networks,
        addresses=addresses,
        slot_weights=(0.45, 0.14, 0.10, 0.16, 0.15),
    )
