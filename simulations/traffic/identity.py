"""Who an account says it is: addresses, clients, payments, sign-up. All of it assumed: no public log has these.

Every value of a categorical column can be drawn by honest and extracting accounts alike; only how often differs.
Addresses that strangers share (offices, carriers) belong to the seed and not to a cohort.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulations.crowd import DAY_S, Crowd
from simulations.streams import Counts, Flags, Keys, Reals, Streams, member_keys

#: name, autonomous system number (of the range kept for documentation, RFC 5398), country, first octet, kind
NETWORKS: tuple[tuple[str, int, str, int, str], ...] = (
    ("fibre-a", 64496, "US", 24, "home"),
    ("fibre-b", 64497, "DE", 79, "home"),
    ("fibre-c", 64498, "IN", 117, "home"),
    ("fibre-d", 64499, "BR", 177, "home"),
    ("fibre-e", 64500, "GB", 81, "home"),
    ("fibre-f", 64501, "JP", 126, "home"),
    ("mobile-a", 64502, "US", 172, "carrier"),
    ("mobile-b", 64503, "IN", 106, "carrier"),
    ("mobile-c", 64504, "DE", 89, "carrier"),
    ("business-a", 64505, "US", 66, "office"),
    ("business-b", 64506, "GB", 62, "office"),
    ("cloud-a", 64507, "US", 52, "cloud"),
    ("cloud-b", 64508, "DE", 138, "cloud"),
    ("cloud-c", 64509, "SG", 128, "cloud"),
)
Number = TypeVar("Number", np.int64, np.uint32)
Addresses = npt.NDArray[np.uint32]
KINDS = ("home", "carrier", "office", "cloud")
ASNS = np.array([network[1] for network in NETWORKS], dtype=np.int64)
FIRST_OCTETS = np.array([network[3] for network in NETWORKS], dtype=np.uint32)
COUNTRIES = pa.array(sorted({network[2] for network in NETWORKS}))
#: First of the rented networks.
CLOUD = next(i for i, network in enumerate(NETWORKS) if network[4] == "cloud")
#: Place of each network's country in `COUNTRIES`.
COUNTRY_OF = np.array([sorted({network[2] for network in NETWORKS}).index(network[2]) for network in NETWORKS])
#: How many shared addresses the whole world has, per kind; strangers behind one of them are not linked by it.
N_SHARED = {"carrier": 120, "office": 40}

CLIENTS = pa.array(
    [
        "openai-python/2.8.1",
        "openai-node/6.9.0",
        "python-requests/2.32.5",
        "python-httpx/0.28.1",
        "langchain/1.0.3",
        "axios/1.13.2",
        "curl/8.5.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) web-app",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) web-app",
    ]
)
CLIENTS_OF_PEOPLE = (0.10, 0.06, 0.04, 0.04, 0.05, 0.05, 0.03, 0.43, 0.20)
CLIENTS_OF_MACHINES = (0.32, 0.14, 0.13, 0.15, 0.11, 0.07, 0.04, 0.025, 0.015)
#: Of developers and of attackers: scripts as often as browsers. Assumed; a client says of itself what it likes.
CLIENTS_OF_BOTH = tuple(
    (machine + person) / 2.0 for machine, person in zip(CLIENTS_OF_MACHINES, CLIENTS_OF_PEOPLE, strict=True)
)
EMAIL_DOMAINS = pa.array(["webmail.example", "post.example", "inbox.example", "quickmail.example", "work.example"])
EMAIL_WEIGHTS = (0.42, 0.22, 0.14, 0.10, 0.12)
#: Countries of billing, independent of where the traffic comes from.
BILLING_COUNTRIES = pa.array(["US", "IN", "DE", "GB", "BR", "JP", "SG"])
BILLING_WEIGHTS = (0.34, 0.18, 0.14, 0.12, 0.09, 0.08, 0.05)
PLANS = pa.array(["free", "payg", "team", "enterprise"])
#: Share of servers with two hosts in one network. Assumed.
P_HOSTS_BESIDE = 0.4
#: Share of the keys of a site that run on hosts of their own, as other programs and other stages do. Assumed.
P_APART = 0.3
#: Addresses an account can have.
SLOTS = 6


@dataclass(frozen=True)
class Identity:
    """What is known of each account of a crowd, apart from its requests. One row per account."""

    payment: Keys
    organisation: Keys
    """0 where the account belongs to none."""
    created_s: Reals
    """Unix time of the sign-up [s]."""
    email: Counts
    plan: Counts
    country: Counts
    client: Counts
    networks: Counts
    """Shape (n_accounts, SLOTS): positions in `NETWORKS`."""
    addresses: Addresses
    """Shape (n_accounts, SLOTS): IPv4 addresses."""
    slot_weights: tuple[float, ...]
    """How often each of the account's addresses is used."""
    is_sticky: bool
    """Whether an address stays for a whole conversation."""


def strangers(
    crowd: Crowd,
    *,
    kinds: tuple[str, ...],
    slot_weights: tuple[float, ...],
    clients: tuple[float, ...],
    plans: tuple[float, ...],
    is_sticky: bool,
    age_days: float = 160.0,
) -> Identity:
    """Give every account an identity of its own.

    Parameters
    ----------
    kinds: network kind of each address slot; at most `SLOTS`.
    slot_weights: how often each slot is used.
    clients: weights over `CLIENTS`.
    plans: weights over `PLANS`.
    is_sticky: whether an address stays for a whole conversation.
    age_days: mean age at the log's beginning [days]; exponential.
    """
    keys, draw = crowd.keys, crowd.streams
    networks, addresses = _settled(draw, keys, *_addresses(draw, keys, kinds), len(kinds))
    return Identity(
        payment=draw.bits(keys, "payment"),
        organisation=np.zeros(len(keys), dtype=np.uint64),
        created_s=np.floor(crowd.horizon.begins_s - draw.exponential(keys, "age", mean=age_days * DAY_S)),
        email=draw.choice(keys, "email", weights=EMAIL_WEIGHTS),
        plan=draw.choice(keys, "plan", weights=plans),
        country=draw.choice(keys, "billing country", weights=BILLING_WEIGHTS),
        client=draw.choice(keys, "client", weights=clients),
        networks=networks,
        addresses=addresses,
        slot_weights=slot_weights,
        is_sticky=is_sticky,
    )


def in_teams(crowd: Crowd, identity: Identity, teams: Counts, *, kind: str) -> Identity:
    """Let members of a team share payment, organisation, plan, first address and, within days, the sign-up.

    A site in the cloud is one program on the same few hosts: its members share all addresses and the client, too, but
    for some that run elsewhere and share the bill alone.

    Parameters
    ----------
    teams: number of each account's team; below 0 is no team.
    kind: network kind of the team's address, office or cloud.
    """
    draw, member = crowd.streams, teams >= 0
    keys = member_keys(f"{crowd.name}/team", int(teams.max(initial=0)) + 1)[np.maximum(teams, 0)]
    apart = draw.chance(crowd.keys, "runs apart", p=P_APART) if kind == "cloud" else np.zeros(len(teams), np.bool_)
    networks, addresses = _addresses(draw, keys, (kind,))
    networks, addresses = (
        _first_slot(member & ~apart, networks, identity.networks),
        _first_slot(member & ~apart, addresses, identity.addresses),
    )
    client = identity.client
    if kind == "cloud":
        _, leader, team = np.unique(np.where(apart, -1, teams), return_index=True, return_inverse=True)
        whose = np.where(member & ~apart, leader[team], np.arange(len(teams)))
        networks, addresses, client = networks[whose], addresses[whose], client[whose]
    late = draw.exponential(crowd.keys, "joins late", mean=1.25 * DAY_S)
    age = draw.exponential(keys, "age", mean=160.0 * DAY_S) + DAY_S
    created = np.floor(np.minimum(crowd.horizon.begins_s - age + late, crowd.horizon.begins_s))
    team_plan = draw.choice(keys, "plan", weights=(0.05, 0.35, 0.45, 0.15))
    return replace(
        identity,
        payment=np.where(member, draw.bits(keys, "payment"), identity.payment),
        organisation=np.where(member, draw.bits(keys, "organisation"), identity.organisation),
        created_s=np.where(member, created, identity.created_s),
        plan=np.where(member, team_plan, identity.plan),
        networks=networks,
        addresses=addresses,
        client=client,
    )


def _first_slot(member: Flags, team: npt.NDArray[Number], own: npt.NDArray[Number]) -> npt.NDArray[Number]:
    changed = own.copy()
    changed[member, 0] = team[member, 0]
    return changed


def _addresses(draw: Streams, keys: Keys, kinds: tuple[str, ...]) -> tuple[Counts, Addresses]:
    networks = np.zeros((len(keys), SLOTS), dtype=np.int64)
    addresses = np.zeros((len(keys), SLOTS), dtype=np.uint32)
    for slot, kind in enumerate(kinds):
        owner = keys if kind not in N_SHARED else _shared_owner(draw, keys, kind, slot)
        networks[:, slot], addresses[:, slot] = address_of(draw, owner, kind, 0 if kind in N_SHARED else slot)
    return networks, addresses


def _settled(
    draw: Streams, keys: Keys, networks: Counts, addresses: Addresses, n_slots: int
) -> tuple[Counts, Addresses]:
    """Let every account keep to some of its places, the first always, and some have two hosts in one of them."""
    used = 1 + draw.integers(keys, "places used", below=n_slots)
    beside = draw.chance(keys, "hosts beside", p=P_HOSTS_BESIDE)
    for slot in range(1, n_slots):
        away = slot >= used
        networks[away, slot], addresses[away, slot] = networks[away, 0], addresses[away, 0]
    if n_slots > 1:
        near = beside & (networks[:, 1] >= CLOUD)
        networks[near, 1], addresses[near, 1] = networks[near, 0], addresses[near, 0] ^ np.uint32(1)
    return networks, addresses


def _shared_owner(draw: Streams, keys: Keys, kind: str, slot: int) -> Keys:
    return member_keys(f"world/{kind}", N_SHARED[kind])[
        draw.integers(keys, f"which {kind}", slot, below=N_SHARED[kind])
    ]


def address_of(draw: Streams, owner: Keys, kind: str, slot: int) -> tuple[Counts, Addresses]:
    """Draw the network and the IPv4 address that an owner has in a slot."""
    of_kind = np.array([i for i, network in enumerate(NETWORKS) if network[4] == kind], dtype=np.int64)
    network = of_kind[draw.integers(owner, f"{kind} network", slot, below=len(of_kind))]
    low = draw.integers(owner, f"{kind} address", slot, below=2**24).astype(np.uint32)
    return network, (FIRST_OCTETS[network] << np.uint32(24)) | low


def person(crowd: Crowd) -> Identity:
    """Give every account a home, a phone and, rarely, a rented server."""
    return strangers(
        crowd,
        kinds=("home", "carrier", "carrier", "office", "cloud"),
        slot_weights=(0.70, 0.14, 0.08, 0.05, 0.03),
        clients=CLIENTS_OF_PEOPLE,
        plans=(0.35, 0.50, 0.10, 0.05),
        is_sticky=True,
    )


def server(crowd: Crowd) -> Identity:
    """Give every account a few hosts, mostly rented, sometimes an office or the developer's home."""
    return strangers(
        crowd,
        kinds=("cloud", "cloud", "cloud", "office", "home", "carrier"),
        slot_weights=(0.55, 0.22, 0.15, 0.04, 0.03, 0.01),
        clients=CLIENTS_OF_MACHINES,
        plans=(0.08, 0.55, 0.25, 0.12),
        is_sticky=False,
    )


def developer(crowd: Crowd) -> Identity:
    """Give every account a home or an office, and scripts as often as a browser."""
    return strangers(
        crowd,
        kinds=("home", "office", "carrier", "cloud"),
        slot_weights=(0.50, 0.28, 0.10, 0.12),
        clients=CLIENTS_OF_BOTH,
        plans=(0.25, 0.55, 0.15, 0.05),
        is_sticky=True,
    )
