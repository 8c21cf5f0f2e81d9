"""Whether as many products write at length as declared."""

import numpy as np

from simulations.effects.checks import Check, counted
from simulations.effects.gathered import Found
from simulations.population import Cast
from simulations.traffic.kinds import versions


class Writers:
    """Each product keeps to one kind, and the declared share of them writes."""

    parameters = ("writer_share",)
    reads: tuple[str, ...] = ()
    silence = "no product came"

    def applies(self, cast: Cast) -> bool:
        """Products do."""
        return hasattr(cast.parameters, "writer_share")

    def checks(self, found: Found) -> list[Check]:
        """Compare the share of accounts that send such requests."""
        came = found.n_events > 0
        if not came.any():
            return []
        writes = np.any([found.has_sent(kind) for kind in versions("article").tolist()], axis=0)[came]
        return [
            counted("share of products that write", found.cast.parameters.writer_share, writes.mean(), n=came.sum())
        ]
