"""The states of the accounts' keys, and what becomes of a request under each. Here outcomes are made; nobody judges."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulations.loop.defence import DefenceSettings
from simulations.spill import Records
from simulations.streams import Counts, Flags

#: States of a key, mildest first; a measure never replaces a stronger one.
STATES = ("active", "hide_reasoning", "degrade", "throttle", "verify", "suspend", "revoke")
ACTIVE, HIDE_REASONING, DEGRADE, THROTTLE, VERIFY, SUSPEND, REVOKE = range(len(STATES))
#: What becomes of a request. One that is not sent is in no log.
SERVED, THROTTLED, REFUSED, UNSENT = range(4)
#: Refusals after which a client stops sending. Assumed: a few tries before somebody looks.
NOTICED = 3
DAY_US = 86_400_000_000
Outcomes = npt.NDArray[np.uint8]


@dataclass
class Keys:
    """State of every account's key, by account number; changes come at the ends of steps."""

    settings: DefenceSettings
    n: int
    state: npt.NDArray[np.int8] = field(init=False)
    n_refused: npt.NDArray[np.int32] = field(init=False)
    """Refusals since the key came into its state; from `NOTICED` on, its client is quiet."""
    served_today: npt.NDArray[np.int32] = field(init=False)
    left_alone_until_us: Counts = field(init=False)
    is_verified: Flags = field(init=False)
    """Whether a withheld capability is open to an account."""
    is_trusted: Flags = field(init=False)
    """Whether an account has passed a verification during the log."""
    _day: int = -1

    def __post_init__(self) -> None:
        """Begin with every key active."""
        self.state = np.zeros(self.n, np.int8)
        self.n_refused, self.served_today = np.zeros(self.n, np.int32), np.zeros(self.n, np.int32)
        self.left_alone_until_us, self.is_verified = np.zeros(self.n, np.int64), np.zeros(self.n, np.bool_)
        self.is_trusted = np.zeros(self.n, np.bool_)

    def tighten(self, accounts: Counts, state: int) -> Counts:
        """Put keys into a stronger state; gives the accounts for which that was a change."""
        changed: Counts = np.unique(accounts[self.state[accounts] < state])
        self.state[changed] = state
        self.n_refused[changed] = 0
        return changed

    def release(self, accounts: Counts, until_us: int) -> None:
        """Make keys active and leave them alone for a while."""
        self.state[accounts] = ACTIVE
        self.n_refused[accounts] = 0
        self.left_alone_until_us[accounts] = until_us

    @property
    def is_stopped(self) -> Flags:
        """Whether nothing is served to a key; shape (n,)."""
        return self.state >= VERIFY

    def outcomes(self, records: Records, model: npt.NDArray[np.object_], begins_us: int) -> Outcomes:
        """Decide what becomes of the requests of one step, in order of time.

        Parameters
        ----------
        model: that each request asks for, shape (n,).
        begins_us: of the step, since the log began [us]; a step lies within a day.

        Returns
        -------
        Shape (n,): `SERVED`, `THROTTLED`, `REFUSED` or `UNSENT`.
        """
        if begins_us // DAY_US != self._day:
            self._day = begins_us // DAY_US
            self.served_today[:] = 0
        account = records["account"]
        state = self.state[account]
        outcome = np.zeros(len(records), np.uint8)
        limited = np.flatnonzero(state == THROTTLE)
        place = _place(account[limited]) + self.served_today[account[limited]]
        outcome[limited[place >= self.settings.throttled.per_day]] = THROTTLED
        np.add.at(self.served_today, account[limited], 1)
        stopped = np.flatnonzero(state >= VERIFY)
        tries = _place(account[stopped]) + self.n_refused[account[stopped]]
        outcome[stopped] = np.where(tries < NOTICED, REFUSED, UNSENT)
        np.add.at(self.n_refused, account[stopped], 1)
        if self.settings.gate.models:
            gated = np.isin(model, self.settings.gate.models) & ~self.is_verified[account] & (outcome == SERVED)
            outcome[gated] = REFUSED
        return outcome


def _place(account: Any) -> Counts:
    """Number the requests of each account, from 0."""
    return pd.Series(account).groupby(account, sort=False).cumcount().to_numpy(np.int64)
