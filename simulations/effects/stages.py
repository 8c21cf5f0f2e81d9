"""Whether the stages of a harvest have their declared shares: requests for new tasks, and each kind of answers."""

from collections import Counter
from typing import Any

import numpy as np

from simulations.effects.checks import Check, counted
from simulations.effects.gathered import Found
from simulations.population import Cast
from simulations.streams import Counts
from simulations.traffic.kinds import IS_EXTRACTION, versions


class Stages:
    """Each stage takes its share of the harvest, until a second phase begins."""

    parameters = ("generator", "generator_share", "answers")
    reads: tuple[str, ...] = ()
    silence = "the second phase is all of the harvest that was found"

    def applies(self, cast: Cast) -> bool:
        """Harvests have stages."""
        return hasattr(cast.parameters, "generator_share")

    def checks(self, found: Found) -> list[Check]:
        """Compare the share of each kind among the requests that harvest, in prompts."""
        harvest = harvest_of(found)[0]
        total, repeats = int(harvest.sum()), getattr(found.cast.parameters, "repeats", 1)
        if not total:
            return []
        return [
            counted(f"share of {kind} requests", p, harvest[versions(kind)].sum() / total, n=total / repeats)
            for kind, p in shares(found.cast.parameters).items()
        ]


def harvest_of(found: Found) -> Counts:
    """Give the requests of each kind that harvests, before and after the second phase begins: shape (2, n_kinds)."""
    harvest: Counts = np.where(IS_EXTRACTION, found.stages, 0)
    return harvest


def shares(declared: Any) -> dict[str, float]:
    """Give the share of each kind in the first phase."""
    parts: Counter[str] = Counter({declared.generator: declared.generator_share})
    for kind in declared.answers:
        parts[kind] += (1.0 - declared.generator_share) / len(declared.answers)
    return dict(parts)
