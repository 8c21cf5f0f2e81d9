"""All accounts of a scenario as arrays: who they are, what they set, where they belong. Grows with accounts only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.tables import ACCOUNTS, TRUTH
from simulations.actors import Actor
from simulations.crowd import Crowd
from simulations.settings import CohortSettings
from simulations.streams import Counts, Flags, Keys
from simulations.traffic import identity
from simulations.traffic.identity import Identity
from simulations.traffic.names import account_ids, id_texts

#: Limits on answers [tokens], 0 is none. Assumed values; habits say how often each is set.
LIMITS = np.array([0, 1, 16, 512, 1024, 2048, 16_384], dtype=np.int64)
#: Sampling temperatures, -1 is unset, and how often accounts set them. Assumed; real pipelines span 0 to 1.
TEMPERATURES, TEMPERATURE_WEIGHTS = np.array([-1.0, 0.0, 0.2, 0.7, 1.0]), (0.45, 0.18, 0.09, 0.18, 0.10)
#: Whether a client sends the conversation so far along: never, with what people say, with everything it asks.
TALKS_NEVER, TALKS_AS_KIND, TALKS_ALWAYS = range(3)
#: What a request's row takes from its account: one line of a processor's cache, since accounts come in any order.
TRAITS = np.dtype(
    [
        ("key", np.uint64), ("temperature", np.float64), ("p_pivot", np.float32), ("limit", np.int32),
        ("end_users", np.int32), ("addresses", np.uint32, (identity.SLOTS,)), ("networks", np.int8, (identity.SLOTS,)),
        ("client", np.int8), ("preferred", np.int8), ("n_choices", np.int8), ("talks", np.int8),
        ("wants_logprobs", np.bool_), ("names_sessions", np.bool_),
    ]
)  # fmt: skip
#: Answers asked for at once, where several are. Assumed.
CHOICES, CHOICE_WEIGHTS = np.array([2, 4, 8], dtype=np.int64), (0.5, 0.35, 0.15)


@dataclass(frozen=True)
class Cast:
    """A cohort ready to act."""

    settings: CohortSettings
    actor: Actor
    parameters: Any
    crowd: Crowd
    identity: Identity
    n_requests: Counts
    is_member: Flags
    """Shape (n_accounts,): whether the account takes part in a campaign."""

    @property
    def n_expected(self) -> int:
        """Count the requests before those outside an account's life are cut off."""
        return int(self.n_requests.sum())


@dataclass(frozen=True)
class Population:
    """Every account, cohort after cohort."""

    firsts: Counts
    """Number of the first account of each cohort, and the number of all accounts."""
    payment: Keys
    organisation: Keys
    traits: npt.NDArray[Any]
    """Shape (n_accounts,) of `TRAITS`: a limit or a number of choices of 0 and a temperature below 0 are not set,
    `talks` is one of `TALKS_NEVER`, `TALKS_AS_KIND` and `TALKS_ALWAYS`, `names_sessions` says whether the client
    sends an id with its conversations, or with requests that stand alone, and `end_users` how many people it tells
    apart by a hashed id, 0 where it names nobody."""
    slot_bounds: npt.NDArray[np.float64]
    """Shape (n_cohorts, SLOTS): up to which draw each address is used."""
    is_sticky: Flags
    """Shape (n_cohorts,): whether an address stays for a conversation."""

    def __len__(self) -> int:
        """Count the accounts."""
        return len(self.traits)

    @property
    def keys(self) -> Keys:
        """Keys of the accounts, shape (n_accounts,)."""
        keys: Keys = self.traits["key"]
        return keys


def populate(casts: tuple[Cast, ...]) -> Population:
    """Put the accounts of all cohorts together."""
    known = [cast.identity for cast in casts]
    return Population(
        firsts=np.cumsum([0, *(len(cast.crowd) for cast in casts)]),
        payment=np.concatenate([k.payment for k in known]).astype(np.uint64),
        organisation=np.concatenate([k.organisation for k in known]).astype(np.uint64),
        traits=np.concatenate([_traits(cast) for cast in casts]),
        slot_bounds=np.stack([_bounds(k.slot_weights) for k in known]),
        is_sticky=np.array([k.is_sticky for k in known]),
    )


def _bounds(weights: tuple[float, ...]) -> npt.NDArray[np.float64]:
    bounds = np.full(identity.SLOTS, 2.0)
    bounds[: len(weights) - 1] = np.cumsum(weights)[:-1] / sum(weights)
    return bounds


def _traits(cast: Cast) -> npt.NDArray[Any]:
    draw, keys, habits = cast.crowd.streams, cast.crowd.keys, cast.actor.habits
    names_users = draw.chance(keys, "names end users", p=habits.p_end_users)
    several = CHOICES[draw.choice(keys, "choices", weights=CHOICE_WEIGHTS)]
    values = {
        "key": keys,
        "client": cast.identity.client,
        "networks": cast.identity.networks,
        "addresses": cast.identity.addresses,
        "limit": LIMITS[draw.choice(keys, "limit", weights=habits.limit_weights)],
        "temperature": TEMPERATURES[draw.choice(keys, "temperature", weights=TEMPERATURE_WEIGHTS)],
        "preferred": draw.choice(keys, "model", weights=habits.model_weights),
        "p_pivot": habits.p_pivot,
        "wants_logprobs": draw.chance(keys, "logprobs", p=habits.p_logprobs),
        "n_choices": np.where(draw.chance(keys, "asks for several", p=habits.p_choices), several, 0),
        "talks": draw.choice(keys, "talks", weights=habits.talk_weights),
        "names_sessions": draw.chance(keys, "names sessions", p=habits.p_sessions),
        "end_users": np.where(names_users, cast.actor.end_users(cast.crowd, cast.parameters), 0),
    }
    traits = np.empty(len(keys), dtype=TRAITS)
    for name, value in values.items():
        traits[name] = value
    return traits


def account_table(cast: Cast, came: Flags) -> pa.Table:
    """Write what is known of each account besides its requests, for those that came."""
    known, crowd = cast.identity, cast.crowd
    late = crowd.begins_s > 0
    delay = crowd.streams.exponential(crowd.keys, "waits to begin", mean=3600.0)
    born = np.where(late, np.floor(crowd.horizon.begins_s + crowd.begins_s - delay), known.created_s)
    return pa.table(
        {
            "account_id": account_ids(crowd.keys, crowd.streams.seed),
            "created_at": pa.array(born.astype(np.int64) * 1_000_000).cast(ACCOUNTS.field("created_at").type),
            "org_id": id_texts("org_", known.organisation, digits=12),
            "payment_id": id_texts("pay_", known.payment, digits=12),
            "email_domain": identity.EMAIL_DOMAINS.take(pa.array(known.email)),
            "plan": identity.PLANS.take(pa.array(known.plan)),
            "country": identity.BILLING_COUNTRIES.take(pa.array(known.country)),
        },
        schema=ACCOUNTS,
    ).filter(pa.array(came))


def truth_table(cast: Cast, n_events: Counts, n_extraction_events: Counts) -> pa.Table:
    """Write who was what, for the accounts that came."""
    crowd, member = cast.crowd, cast.is_member
    campaigns = np.array(cast.actor.campaigns(crowd, cast.parameters), dtype=object)
    kinds = np.where(member | (cast.settings.persona is not None), cast.settings.kind, f"{cast.settings.kind}_victim")
    return pa.table(
        {
            "account_id": account_ids(crowd.keys, crowd.streams.seed),
            "persona": pa.array(kinds.astype(str)),
            "is_extraction": pa.array(member),
            "campaign_id": pa.array(campaigns, pa.string(), mask=~member),
            "n_events": pa.array(n_events),
            "n_extraction_events": pa.array(n_extraction_events),
        },
        schema=TRUTH,
    ).filter(pa.array(n_events > 0))
