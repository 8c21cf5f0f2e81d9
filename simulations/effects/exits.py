"""Whether a fleet leaves by the declared number of networks, and the declared share of it from home."""

import math

import numpy as np

from simulations.attackers.fleet import EXIT_SLOTS, P_RENTED, SLOT_WEIGHTS, SPARE_SLOT, FleetParameters, exit_networks
from simulations.attackers.framing import BORROWED_SLOT, FramingParameters
from simulations.effects.checks import ERRORS, Check, about, counted, occupied
from simulations.effects.gathered import Found, hashed, n_pairs, networks_of
from simulations.population import Cast
from simulations.traffic.names import ip_texts

#: Conversations of an account below which they do not tell whether it is at home. Chosen.
LEAST_CONVERSATIONS = 20
#: How far shares may be off besides chance: few conversations mistake some accounts. Chosen.
ROOM = 0.03


class Exits:
    """Members share exits, but for those at home, who rent one now and then."""

    parameters = ("exits", "residential_share")
    reads = ("address", "network")
    silence = f"no exits are declared, or no member has {LEAST_CONVERSATIONS} conversations"

    def applies(self, cast: Cast) -> bool:
        """Fleets with exits do; without them, every account is at home."""
        return isinstance(cast.parameters, FleetParameters) and cast.parameters.exits > 0

    def checks(self, found: Found) -> list[Check]:
        """Count the networks, the conversations by way of them, and the members that mostly use them."""
        cast, rows, declared = found.cast, found.rows, found.cast.parameters
        exits = np.unique(hashed(networks_of(ip_texts(exit_networks(cast.crowd, declared)))))
        first = np.unique(rows.account << 32 | rows.session, return_index=True)[1]
        first = first[cast.is_member[rows.account[first]]]
        account, leaves = rows.account[first], np.isin(rows.network[first], exits)
        n_of, n_left = np.bincount(account), np.bincount(account, weights=leaves)
        share = n_left[n_of >= LEAST_CONVERSATIONS] / n_of[n_of >= LEAST_CONVERSATIONS]
        if not len(share):
            return []
        pairs = n_pairs(account[leaves], rows.address[first][leaves])
        n_seen = len(np.unique(rows.network[first][leaves]))
        away, spare = _weights(declared)
        home = declared.residential_share
        expected = (1.0 - home) * away + P_RENTED * spare
        variance = home * (1.0 - home) * away**2 + P_RENTED * (1.0 - P_RENTED) * spare**2 + 0.25 / LEAST_CONVERSATIONS
        at_home = counted("share of accounts at home", home, float(np.mean(share < (spare + away) / 2.0)), n=len(share))
        return [
            occupied("exits", len(exits), pairs, n_seen),
            about(
                "conversations by an exit",
                expected,
                share.mean(),
                room=ROOM + ERRORS * math.sqrt(variance / len(share)),
            ),
            Check(at_home.effect, home, at_home.found, at_home.low - ROOM, at_home.high + ROOM),
        ]


def _weights(declared: FleetParameters) -> tuple[float, float]:
    """Give how often a member away from home leaves by its exits, and by its spare address."""
    slots = [slot for slot in EXIT_SLOTS if not (isinstance(declared, FramingParameters) and slot == BORROWED_SLOT)]
    total = sum(SLOT_WEIGHTS)
    return sum(SLOT_WEIGHTS[slot] for slot in slots) / total, SLOT_WEIGHTS[SPARE_SLOT] / total
