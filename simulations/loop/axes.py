"""What a sweep varies: settings by full or short key, and the values of each; refused before anything runs."""

import itertools
import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from detector.errors import ConfigError, nearest
from simulations.loop.attack import AttackSettings
from simulations.loop.defence import DefenceSettings
from simulations.settings import ScenarioSettings

#: Keys below this one are the detector's own, and any name may be one.
_OPEN = "defence.detector.parameters."
#: A setting of each part that changes nothing but what it is called, and what is not swept as a setting.
_NOT_SWEPT = ("name", "seed", "cohorts", "defence.name", "attack.name")


@dataclass(frozen=True)
class Axis:
    """A setting by its full key, and the values that it takes in turn."""

    key: str
    values: tuple[Any, ...]


def settable(scenario: ScenarioSettings) -> tuple[str, ...]:
    """List the full keys of all settings of a rehearsal of this scenario, sorted."""
    parts = (("defence.", DefenceSettings), ("attack.", AttackSettings), ("", ScenarioSettings))
    keys = {key for prefix, model in parts for key in _leaves(model, prefix)} - set(_NOT_SWEPT)
    for cohort in scenario.cohorts:
        keys.add(f"cohorts.{cohort.name}.accounts")
        keys |= {f"cohorts.{cohort.name}.parameters.{name}" for name in cohort.parameters}
    return tuple(sorted(keys))


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _leaves(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def full_key(key: str, allowed: Iterable[str]) -> str:
    """Give the one setting that a key names, in full or by its end.

    Raises
    ------
    ConfigError
        It names no setting, or several.

    Examples
    --------
    >>> full_key("budget", ["defence.policy.budget", "defence.policy.fdr"])
    'defence.policy.budget'
    """
    names = sorted(allowed)
    if key in names or (key.startswith(_OPEN) and key != _OPEN):
        return key
    meant = [name for name in names if name.endswith(f".{key}")]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise ConfigError(f"--sweep {key!r}: several settings end so: {', '.join(meant)}; give one of them in full")
    if key == "seed":
        raise ConfigError("--sweep 'seed': seeds are counted, not swept; give --seeds N, and --seed for the first")
    raise ConfigError(f"--sweep {key!r}: no setting is called so; {_nearest_key(key, names)}")


def _nearest_key(key: str, names: list[str]) -> str:
    """Compare with ends of keys where the key is short."""
    n_parts = key.count(".") + 1
    return nearest(key, {".".join(name.split(".")[-n_parts:]) for name in names} | set(names))


def axes_of(texts: Iterable[str], allowed: Iterable[str]) -> tuple[Axis, ...]:
    """Read the options ``--sweep KEY=VALUE,VALUE,...``; values are read as those of ``--set`` are.

    Raises
    ------
    ConfigError
        A key names no setting or several, is given twice, or has no value or one that is no value.
    """
    allowed, axes = tuple(allowed), list[Axis]()
    for text in texts:
        given, separator, values = text.partition("=")
        if not separator or not given.strip():
            raise ConfigError(f"--sweep {text!r}: give it as KEY=VALUE,VALUE, such as budget=1e-4,1e-3")
        key = full_key(given.strip(), allowed)
        if key in [axis.key for axis in axes]:
            raise ConfigError(f"--sweep {given.strip()!r}: {key} is swept twice; give all its values in one --sweep")
        axes.append(Axis(key, tuple(_values(key, values.strip()))))
    return tuple(axes)


def _values(key: str, text: str) -> list[Any]:
    try:
        values: list[Any] = tomllib.loads(f"values = [{text}]")["values"]
    except tomllib.TOMLDecodeError:
        values = [_value(part.strip()) for part in text.split(",")]
    if not values or "" in values:
        raise ConfigError(f"--sweep {key}={text}: a value is missing; give values with commas between, as in 1,2,3")
    for value in values:
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"--sweep {key}={text}: {value!r} is no number to calculate with; give a finite one")
        if not isinstance(value, (bool, int, float, str, list)):
            raise ConfigError(f"--sweep {key}={text}: {value!r} is no single value; give numbers, words or lists")
    return values


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def grid(axes: Iterable[Axis]) -> list[dict[str, Any]]:
    """Give the product of the axes, the last one turning fastest; without an axis, the one point without a change."""
    axes = tuple(axes)
    return [
        dict(zip((axis.key for axis in axes), values, strict=True))
        for values in itertools.product(*(axis.values for axis in axes))
    ]


def assignments_of(settings: Mapping[str, Any]) -> list[str]:
    """Write the settings of a grid point as ``--set`` takes them: JSON of single values and lists is TOML, too."""
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]


def settled(settings: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of the keys as the rehearsal has them, numbers as numbers however they were written.

    Parameters
    ----------
    record: of `Rehearsal.record`.
    """
    return {key: _found(key, record) for key in settings}


def _found(key: str, record: Mapping[str, Any]) -> Any:
    first, *rest = key.split(".")
    found: Any = record[first] if first in ("defence", "attack") else record["scenario"][first]
    for step in rest:
        found = found[step] if isinstance(found, Mapping) else next(one for one in found if one["name"] == step)
    return found
