"""Whether the same prompt is asked as often as a harvest by repeated sampling declares."""

import numpy as np

from simulations.effects.checks import Check
from simulations.effects.gathered import Found
from simulations.population import Cast

#: Share of prompts that may read alike by chance, or lack requests that fell outside the log. Chosen.
ROOM = 0.03


class Resampling:
    """Prompts come back as often as declared."""

    parameters = ("repeats",)
    reads = ("asked",)
    silence = "prompts asked once are not counted: some read alike by chance"

    def applies(self, cast: Cast) -> bool:
        """Harvests that ask everything once do not repeat."""
        return getattr(cast.parameters, "repeats", 1) > 1

    def checks(self, found: Found) -> list[Check]:
        """Compare requests per distinct prompt and account; an account's last prompt may be cut short."""
        rows, declared = found.rows, found.cast.parameters.repeats
        if not len(rows.account):
            return [Check("requests per prompt", declared, 0.0, declared, declared)]
        n_requests = np.unique(rows.account, return_counts=True)[1]
        n_prompts = len(np.unique(np.stack([rows.account.astype(np.uint64), rows.asked]), axis=1).T)
        whole = float(n_requests.sum() / np.ceil(n_requests / declared).sum())
        low, high = (1.0 - ROOM) * whole, (1.0 + ROOM) * declared
        return [Check("requests per prompt", declared, len(rows.account) / n_prompts, low, high)]
