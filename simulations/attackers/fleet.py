"""Accounts of one campaign that divide a prompt set, share payments and exits, and hide behind cover traffic."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field
from scipy.special import gammainc, gammaincc, poch

from detector.settings import Settings
from simulations.actors import Actor, Habits
from simulations.attackers.bulk_harvest import PLANS, BulkHarvestParameters, Task, harvested
from simulations.crowd import DAY_S, Asked, Crowd, Visits
from simulations.personas.hobby_chat import chat
from simulations.streams import Counts, Flags, Keys, member_keys
from simulations.traffic import arrivals, identity, kinds

PACES: dict[str, arrivals.Pace] = {
    "sessions": arrivals.Runs(
        length=3.6, pause_s=75.0, pause_sigma=arrivals.PEOPLE_PAUSE_SIGMA, pace_sigma=0.35, length_sigma=0.35
    ),
    "lockstep": arrivals.Harvest(is_common=True, late_s=4.0),
    "steady": arrivals.Harvest(shortest=0.9, longest=1.0),
    "agents": arrivals.Runs(length=12.0, pause_s=8.0, pause_sigma=0.8, pace_sigma=0.6),
}
#: Shape of the gamma law of the volumes of a fleet's accounts, and the fewest requests of one. Chosen.
VOLUME_SHAPE, LEAST = 2.0, 5
#: How often members send the conversation along never, with cover chat, and with all: a fleet that imitates people uses
#: clients like theirs. Assumed.
TALK_WEIGHTS = (0.1, 0.4, 0.5)
#: How often a member uses each of its addresses. Assumed.
SLOT_WEIGHTS = (0.45, 0.14, 0.10, 0.16, 0.15)
#: Addresses in use within an exit network. Assumed: few, so that members meet on one address.
EXIT_HOSTS = 16
#: Places of the addresses that are exits: of members away from home, and of all who rent one.
EXIT_SLOTS, SPARE_SLOT = (0, 3), 4
#: Share of members whose spare address is an exit; the others rent a host of their own. Assumed.
P_RENTED = 0.8


class FleetParameters(Settings):
    """What a fleet may set; a cohort is one campaign."""

    per_day: float = Field(25.6, gt=0, le=1e6, description="mean requests of an account per day")
    cover_share: float = Field(0.5, ge=0, le=1, description="share of requests that are ordinary chat")
    payments: int = Field(4, ge=0, le=1_000_000, description="payment instruments that the accounts divide; 0: own")
    exits: int = Field(3, ge=0, le=1_000_000, description="networks that the traffic leaves by; 0: nothing shared")
    generator: Task = Field("self_instruct", description="what asks for new tasks")
    generator_share: float = Field(0.1, ge=0, le=1, description="share of harvest requests that ask for new tasks")
    answers: tuple[Task, ...] = Field(("collected",), min_length=1, description="what collects answers, in equal parts")
    phase_two: Task | None = Field(None, description="what all harvest requests are in the second phase; none is none")
    phase_two_from: float = Field(0.6, ge=0, le=1, description="share of the log after which the second phase begins")
    residential_share: float = Field(0.3, ge=0, le=1, description="share of accounts that mostly use a home address")
    joins_days: float = Field(2.5, gt=0, le=1000, description="mean spread of the sign-ups [days]")
    pace: Literal["sessions", "lockstep", "steady", "agents"] = Field(
        "sessions", description="like people, or all on one scheduler, or each on its own"
    )


class Fleet(Actor):
    """Accounts that harvest together."""

    parameters: ClassVar[type[Settings]] = FleetParameters
    habits = Habits(model_weights=(0.40, 0.38, 0.22), talk_weights=TALK_WEIGHTS)

    def count(self, crowd: Crowd, parameters: FleetParameters) -> Counts:
        """Give members similar rates: gamma of shape 2."""
        mean = parameters.per_day * crowd.horizon.days
        drawn = crowd.streams.gamma(crowd.keys, "volume", shape=VOLUME_SHAPE) * mean / VOLUME_SHAPE
        return np.maximum(drawn, LEAST).astype(np.int64)

    def volume(self, crowd: Crowd, parameters: FleetParameters) -> tuple[float, float]:
        """Declare the mean and the variance of a sum of gamma volumes, none below the least."""
        scale = parameters.per_day * crowd.horizon.days / VOLUME_SHAPE
        moments = [
            LEAST**power * gammainc(VOLUME_SHAPE, LEAST / scale)
            + scale**power * poch(VOLUME_SHAPE, power) * gammaincc(VOLUME_SHAPE + power, LEAST / scale)
            for power in (1, 2)
        ]
        return len(crowd) * float(moments[0]), len(crowd) * float(moments[1] - moments[0] ** 2)

    def pace_of(self, parameters: FleetParameters) -> arrivals.Pace:
        """Come like people, or on a scheduler."""
        return PACES[parameters.pace]

    def identity(self, crowd: Crowd, parameters: FleetParameters) -> identity.Identity:
        """Share payments and exits."""
        return _shared(crowd, parameters)

    def ask(self, crowd: Crowd, parameters: FleetParameters, visits: Visits) -> Asked:
        """Harvest, and chat where it is cover."""
        keys = crowd.keys[visits.member]
        covers = crowd.streams.chance(keys, "covers", visits.ordinal, p=parameters.cover_share)
        cover, work = self.cover(crowd, parameters, visits), _collect(crowd, parameters, visits)
        return Asked(
            np.where(covers, cover.kind, work.kind),
            np.where(covers, cover.owner, work.owner),
            np.where(covers, cover.item, work.item),
        )

    def cover(self, crowd: Crowd, parameters: FleetParameters, visits: Visits) -> Asked:
        """Chat like a person."""
        return chat(crowd, visits, self.kinds)

    def members(self, crowd: Crowd, parameters: FleetParameters) -> Flags:
        """Count every account as the campaign's."""
        return np.ones(len(crowd), dtype=np.bool_)


def _collect(crowd: Crowd, parameters: FleetParameters, visits: Visits) -> Asked:
    shared = np.broadcast_to(crowd.group, len(visits)).copy()
    item = _item(crowd, visits)
    stages = BulkHarvestParameters(
        generator=parameters.generator, generator_share=parameters.generator_share, answers=parameters.answers
    )
    kind = harvested(crowd, stages, shared, item)
    if parameters.phase_two is not None:
        narrows = visits.at_us > parameters.phase_two_from * crowd.horizon.length_s * 1e6
        kind = np.where(narrows, kinds.number(parameters.phase_two), kind)
    return Asked(kind, shared, item)


def _item(crowd: Crowd, visits: Visits) -> Counts:
    """Number the prompts so that members never ask the same one: disjoint shards, as real pipelines deal them out."""
    return visits.ordinal * np.int64(2**24) + crowd.positions[visits.member]


def exit_networks(crowd: Crowd, parameters: FleetParameters) -> identity.Addresses:
    """Give an address in each of the networks that a fleet's traffic leaves by."""
    return identity.address_of(crowd.streams, _exits(crowd, parameters), "cloud", 0)[1]


def _exits(crowd: Crowd, parameters: FleetParameters) -> Keys:
    return member_keys(f"{crowd.name}/exit", parameters.exits)


def _shared(crowd: Crowd, parameters: FleetParameters) -> identity.Identity:
    draw, keys = crowd.streams, crowd.keys
    own = identity.person(crowd)
    networks, addresses = own.networks.copy(), own.addresses.copy()
    at_home = draw.chance(keys, "is residential", p=parameters.residential_share)
    for slot in (*EXIT_SLOTS, SPARE_SLOT) if parameters.exits else ():
        moves = draw.chance(keys, "rents an exit", p=P_RENTED) if slot == SPARE_SLOT else ~at_home
        owner = _exits(crowd, parameters)[draw.integers(keys, "which exit", slot, below=parameters.exits)]
        network, subnet = identity.address_of(draw, owner, "cloud", 0)
        host = 2 + draw.integers(keys, "exit host", slot, below=EXIT_HOSTS).astype(np.uint32)
        networks[moves, slot] = network[moves]
        addresses[moves, slot] = ((subnet & np.uint32(0xFFFFFF00)) | host)[moves]
    payment = own.payment
    if parameters.payments:
        payments = member_keys(f"{crowd.name}/payment", parameters.payments)
        payment = draw.bits(payments[draw.integers(keys, "which payment", below=parameters.payments)], "payment")
    opened = crowd.horizon.begins_s - draw.uniform(crowd.group, "opened", low=2.0, high=40.0) * DAY_S
    signed_up = opened - DAY_S * parameters.joins_days * np.log(draw.uniform(keys, "joins late"))
    return replace(
        own,
        payment=payment,
        created_s=np.floor(np.minimum(signed_up, crowd.horizon.begins_s)),
        plan=draw.choice(keys, "plan", weights=PLANS),
        client=draw.choice(keys, "client", weights=identity.CLIENTS_OF_BOTH),
        networks=networks,
        addresses=addresses,
        slot_weights=SLOT_WEIGHTS,
    )
