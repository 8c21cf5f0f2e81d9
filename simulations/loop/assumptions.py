"""Which settings of a rehearsal are not the defaults, and which of its numbers are assumed by us, not measured."""

from collections.abc import Iterator, Mapping
from typing import Any

from simulations.loop.attack import AttackSettings
from simulations.loop.defence import DefenceSettings
from simulations.loop.keys import NOTICED
from simulations.loop.value import DEGRADED, EXPONENT, KNEE, WITHOUT_REASONING

#: Settings that are assumed, by place in the record of a rehearsal: what they are.
ASSUMED: Mapping[str, str] = {
    "defence.review.p_misses": "chance that a reviewer takes a harvest for honest",
    "defence.review.p_wrongs": "chance that a reviewer takes an honest account for a harvest",
    "defence.review.minutes": "minutes of each reviewer's work per case",
    "defence.appeals.p_appeals": "chance that a stopped honest customer appeals",
    "defence.appeals.p_attacker_appeals": "chance that a stopped attacker appeals",
    "defence.appeals.p_granted": "chance that an honest appeal is granted",
    "defence.appeals.p_attacker_granted": "chance that an attacker's appeal is granted",
    "defence.appeals.days": "days until an appeal is answered",
    "defence.appeals.minutes": "minutes of work per appeal",
    "defence.verification.p_honest": "chance that an honest customer passes a verification",
    "defence.verification.p_attacker": "chance that an attacker's account passes one, for money",
    "defence.verification.days": "days until an account has passed",
    "defence.gate.p_honest": "share of honest accounts verified from the beginning, where a gate needs it",
    "defence.gate.p_attacker": "share of attackers' accounts that are",
    "attack.payment_usd": "price of a payment instrument in USD",
    "attack.exit_usd_per_day": "price of a network to leave by in USD per day",
    "attack.verify_usd": "price of passing a verification in USD",
    "attack.pathways": "ways to new accounts, with the price of each",
    "attack.value.worth_usd": "worth in USD of all that a campaign could take",
}


def flat(values: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Give the single values of nested settings with their places; lists are values."""
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from flat(value, f"{place}.{key}" if place else str(key))
    else:
        yield place, values


def changed(record: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Give the settings of defence and attack that are not the defaults: place, value, default.

    Parameters
    ----------
    record: see `rehearsal.Rehearsal.record`.
    """
    defaults = {"defence": DefenceSettings(), "attack": AttackSettings()}
    usual = dict(flat({name: part.model_dump(mode="json") for name, part in defaults.items()}))
    chosen = flat({name: record[name] for name in defaults})
    return [(place, value, usual.get(place)) for place, value in chosen if value != usual.get(place)]


def assumed(record: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    """Give what is assumed: words, value, and where it is set."""
    values = dict(flat(record))
    regime = record["attack"]["value"]["regime"]
    constants = [
        ("refusals after which a client stops sending", NOTICED, "keys.NOTICED"),
        (f"exchanges at the knee of the law of worth, {regime}", KNEE[regime], "value.KNEE"),
        ("exponent of that law", EXPONENT, "value.EXPONENT"),
        ("worth left to an answer that is degraded", DEGRADED, "value.DEGRADED"),
        ("worth left to mathematics without its reasoning", WITHOUT_REASONING["reasoning"], "value.WITHOUT_REASONING"),
    ]
    return [*((words, values[place], place) for place, words in ASSUMED.items()), *constants]
