"""What answers are worth to who trains on them: a saturating law of unique exchanges, and what defences leave."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from simulations.loop.attack import ValueSettings
from simulations.traffic.kinds import KINDS

Reals = npt.NDArray[np.float64]

#: Exchanges D0 of the law, by regime: style and format (LIMO 817, s1K 1,000), reasoning (Sky-T1 17,000 to R1-Distill
#: 800,000; the geometric middle is near 100,000, half of it stands for its knee), capability (from a million).
KNEE: Mapping[str, float] = {"style": 1e3, "reasoning": 5e4, "capability": 1e6}
#: Exponent of the law. Assumed after the exponent of data in Busbridge et al. (2025), "Distillation scaling laws".
EXPONENT = 0.64
#: What is left of an exchange's worth without the reasoning, by what is asked: of mathematics 31.4 of 67.8 points on
#: MATH-500, of code all (DistillGuard 2603.07835); students of 1.5 billion parameters and fewer lose nothing (Unmimic).
WITHOUT_REASONING: Mapping[str, float] = {"reasoning": 0.46, "reasoning_abroad": 0.46, "curated": 0.46}
#: What is left of an answer that is degraded. Assumed: published ways range from no effect to a collapse.
DEGRADED = 0.5


def worth(n_exchanges: Reals | float, settings: ValueSettings) -> Reals:
    """Give the worth of so many unique exchanges in target [USD]: 1 - (1 + D / D0)^-b of all there is.

    Parameters
    ----------
    n_exchanges: at least 0, any shape; what a defence spoils counts for less than one.

    Examples
    --------
    >>> float(worth(0.0, ValueSettings(worth_usd=100.0)))
    0.0
    >>> bool(worth(1e9, ValueSettings(worth_usd=100.0)) < 100.0)
    True
    """
    fraction = 1.0 - (1.0 + np.asarray(n_exchanges, dtype=np.float64) / KNEE[settings.regime]) ** -EXPONENT
    return np.asarray(settings.worth_usd * fraction)


def left_without_reasoning(settings: ValueSettings) -> Reals:
    """Give what is left of an exchange of each kind where reasoning is hidden; shape (n_kinds,)."""
    if settings.student == "small":
        return np.ones(len(KINDS))
    return np.array([WITHOUT_REASONING.get(name.removesuffix("_guided"), 1.0) for name in KINDS])
