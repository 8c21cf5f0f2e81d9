"""What is rehearsed: a scenario, a defence, an attack; and reading them from TOML."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector import __version__
from detector.settings import load, overlay, overlay_ways, parse_assignments, read_toml
from simulations.loop.attack import AttackSettings
from simulations.loop.defence import DefenceSettings
from simulations.settings import ScenarioSettings, read_scenario


@dataclass(frozen=True)
class Rehearsal:
    """Everything that a run depends on."""

    scenario: ScenarioSettings
    defence: DefenceSettings
    attack: AttackSettings

    def record(self) -> dict[str, Any]:
        """Spell everything out."""
        parts = {"scenario": self.scenario, "defence": self.defence, "attack": self.attack}
        return {name: part.model_dump(mode="json") for name, part in parts.items()}

    @property
    def digest(self) -> str:
        """SHA-256 of the record and of this program's version."""
        text = json.dumps([__version__, self.record()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def read_rehearsal(
    scenario: Path,
    *,
    defence: Path | None = None,
    attack: Path | None = None,
    seed: int | None = None,
    assignments: Iterable[str] = (),
) -> Rehearsal:
    """Read the three files and lay ``--set`` over them: ``defence.KEY=``, ``attack.KEY=``, or a key of the scenario.

    Raises
    ------
    ConfigError
        A file cannot be read, or a key or value is wrong.
    """
    assignments = list(assignments)
    changes = parse_assignments(assignments)
    own = [text for text in assignments if text.split("=")[0].split(".")[0].strip() not in ("defence", "attack")]
    return Rehearsal(
        read_scenario(scenario, seed=seed, assignments=own),
        load(DefenceSettings, _values(defence, changes.get("defence", {})), where=str(defence or "--set defence")),
        load(AttackSettings, _values(attack, changes.get("attack", {})), where=str(attack or "--set attack")),
    )


def _values(path: Path | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    return overlay_ways(overlay({}, read_toml(path) if path else {}), changes)
