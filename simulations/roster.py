"""Every persona and attacker by name. A new one costs a module, a line here and a test."""

from collections.abc import Mapping

from detector.errors import ConfigError, nearest
from simulations.actors import Actor
from simulations.attackers.bulk_harvest import BulkHarvest
from simulations.attackers.fleet import Fleet
from simulations.personas.hobby_chat import HobbyChat
from simulations.personas.labelling import Labelling
from simulations.personas.product_backend import ProductBackend

PERSONAS: Mapping[str, Actor] = {
    "hobby_chat": HobbyChat(),
    "product_backend": ProductBackend(),
    "labelling": Labelling(),
}
ATTACKERS: Mapping[str, Actor] = {
    "bulk_harvest": BulkHarvest(),
    "fleet": Fleet(),
}


def actor_of(*, persona: str | None = None, attacker: str | None = None, where: str = "scenario") -> Actor:
    """Find a persona or an attacker by name.

    Parameters
    ----------
    where: file and key that named it, for the error.

    Raises
    ------
    ConfigError
        None or both are named, or none has this name.
    """
    if (persona is None) == (attacker is None):
        raise ConfigError(f"{where}: give exactly one of 'persona' and 'attacker'")
    role, name, registry = ("persona", persona, PERSONAS) if persona is not None else ("attacker", attacker, ATTACKERS)
    if name is None or name not in registry:
        raise ConfigError(f"{where}: {role} = {name!r} is unknown; {nearest(str(name), registry)}")
    return registry[name]
