"""Whether a frame's members really borrow their victims' payments and addresses."""

import numpy as np

from simulations.attackers.fleet import SLOT_WEIGHTS
from simulations.attackers.framing import BORROWED_SLOT, FramingParameters
from simulations.effects.checks import Check, occupied, share
from simulations.effects.gathered import Found, hashed
from simulations.population import Cast
from simulations.traffic.names import ip_texts

#: Requests below which a member may not have harvested yet. Chosen.
FEW = 20


class Framing:
    """Members pay as victims do and act from where victims live."""

    parameters = ("victims",)
    reads = ("payment", "address")
    silence = "nothing to count"

    def applies(self, cast: Cast) -> bool:
        """Frames have victims."""
        return isinstance(cast.parameters, FramingParameters)

    def checks(self, found: Found) -> list[Check]:
        """Compare payments member by member, and addresses conversation by conversation."""
        return [*self._counted(found), *self._borrowed(found)]

    def _counted(self, found: Found) -> list[Check]:
        """Count the accounts that never harvest; a member of a few requests may not, by chance."""
        declared = found.cast.parameters.victims
        silent = int((found.n_events == 0).sum())
        few = int(((found.n_events > 0) & (found.n_events < FEW) & (found.n_harvest == 0)).sum())
        n_honest = int(((found.n_events > 0) & (found.n_harvest == 0)).sum())
        return [Check("victims", declared, n_honest, declared - silent, declared + few)]

    def _borrowed(self, found: Found) -> list[Check]:
        cast, rows = found.cast, found.rows
        member = cast.is_member[rows.account]
        n_victims = int((~cast.is_member).sum())
        if not member.any() or member.all():
            return [Check("victims seen at the borrowed address", n_victims, 0, min(1, n_victims), n_victims)]
        payers = np.unique(np.stack([rows.account[member].astype(np.uint64), rows.payment[member]]), axis=1)[1]
        victims = np.unique(rows.payment[~member])
        borrows = np.isin(payers, victims)
        homes = np.unique(hashed(ip_texts(cast.identity.addresses[~cast.is_member, 0])))
        is_home, conversation = np.isin(rows.address, homes), rows.account * 2**32 + rows.session
        first = np.unique(conversation[member], return_index=True)[1]
        n_seen = len(np.unique(rows.account[~member & is_home]))
        p = SLOT_WEIGHTS[BORROWED_SLOT] / sum(SLOT_WEIGHTS)
        return [
            share("members that pay as a victim", 1.0, float(borrows.mean()), n=len(payers)),
            occupied("victims whose payment members use", len(victims), len(payers), len(np.unique(payers[borrows]))),
            share("conversations from a victim's address", p, float(is_home[member][first].mean()), n=len(first)),
            Check("victims seen at the borrowed address", n_victims, n_seen, min(1, n_victims), n_victims),
        ]
