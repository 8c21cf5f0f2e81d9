"""Counts of what happened and of what would have happened without a defence, from the same requests. Sees the truth."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulations.loop.attack import ValueSettings
from simulations.loop.keys import DEGRADE, HIDE_REASONING, REFUSED, SERVED, THROTTLED, UNSENT, VERIFY, Outcomes
from simulations.loop.stage import Stage
from simulations.loop.value import DEGRADED, left_without_reasoning
from simulations.spill import Records
from simulations.streams import Counts, Flags
from simulations.traffic.kinds import IS_EXTRACTION

Reals = npt.NDArray[np.float64]
#: What is counted per campaign and step, of the rehearsal and of the same world without a defence.
FIGURES = ("taken", "useful", "useful_tokens", "token_usd")


@dataclass(frozen=True)
class Answers:
    """What the world alone would have answered to some requests.

    Attributes
    ----------
    status: HTTP status, shape (n,).
    tokens: of the answer, 0 where there is none, shape (n,).
    usd: what the request costs who sends it, 0 where it is not served, shape (n,).
    """

    status: Counts
    tokens: Counts
    usd: Reals

    @classmethod
    def of(cls, events: pa.Table) -> "Answers":
        """Read them from rows of `columns.LEAN`."""
        return cls(
            events["status_code"].to_numpy(),
            events["output_tokens"].fill_null(0).to_numpy(),
            events["cost_usd"].fill_null(0.0).to_numpy(),
        )


@dataclass
class Tally:
    """Running counts by account, and by campaign and step."""

    stage: Stage
    value: ValueSettings
    n_steps: int
    by_outcome: Counts = field(init=False)
    """Shape (n_accounts, 4): requests by outcome; those that were not sent are the last."""
    n_extraction: Counts = field(init=False)
    """Shape (n_accounts,): requests sent that serve a harvest."""
    usd: Reals = field(init=False)
    """Shape (n_accounts,): what served requests cost who sent them."""
    n_lost: Counts = field(init=False)
    """Shape (n_accounts,): requests that would have been served without a defence and were not."""
    usd_lost: Reals = field(init=False)
    """Shape (n_accounts,): what those would have cost, which is the provider's revenue."""
    with_defence: dict[str, Reals] = field(init=False)
    without: dict[str, Reals] = field(init=False)
    """Figure to its sums, shape (n_campaigns, n_steps)."""
    n_served_stopped: int = 0
    """Requests served to keys that are stopped; there are none."""
    campaign: npt.NDArray[np.int16] = field(init=False)
    """Shape (n_accounts,): campaign of each member, -1 for all others."""

    def __post_init__(self) -> None:
        """Begin with nothing."""
        n = len(self.stage.world.population)
        self.by_outcome, self.n_extraction = np.zeros((n, 4), np.int64), np.zeros(n, np.int64)
        self.usd, self.usd_lost, self.n_lost = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
        self.campaign = np.full(n, -1, np.int16)
        firsts = self.stage.world.population.firsts
        for place, name in enumerate(self.stage.campaign_of_cast):
            if name is not None:
                members = np.flatnonzero(self.stage.world.casts[place].is_member)
                self.campaign[firsts[place] + members] = self.names.index(name)
        shape = (len(self.names), self.n_steps)
        self.with_defence = {name: np.zeros(shape) for name in FIGURES}
        self.without = {name: np.zeros(shape) for name in FIGURES}
        self._left = left_without_reasoning(self.value)
        repeats = [getattr(cast.parameters, "repeats", 1) > 1 for cast in self.stage.world.casts]
        self._repeats = np.repeat(repeats, np.diff(firsts))
        self._seen: dict[str, set[tuple[int, int]]] = {"with": set(), "without": set()}

    @property
    def names(self) -> list[str]:
        """Give the campaigns, in order."""
        return list(self.stage.reserves)

    def add(
        self,
        step: int,
        records: Records,
        answers: Answers,
        outcome: Outcomes,
        *,
        state: npt.NDArray[np.int8],
        alone: Answers,
        is_sent_alone: Flags,
    ) -> None:
        """Count requests of one step.

        Parameters
        ----------
        records: in order of time, those that are not sent any more among them; shape (n,).
        outcome: of each, `UNSENT` for those too; shape (n,).
        state: of the key of each, shape (n,).
        alone: what the world would have answered without a defence.
        is_sent_alone: requests that would have been sent without a defence, shape (n,).
        """
        account = records["account"].astype(np.int64)
        is_served, would = outcome == SERVED, answers.status == 200
        final = np.where(is_served & ~would, np.where(answers.status == 429, THROTTLED, REFUSED), outcome)
        is_now = final == SERVED
        self.n_served_stopped += int((is_now & (state >= VERIFY)).sum())
        np.add.at(self.by_outcome, (account, final), 1)
        np.add.at(self.n_extraction, account[IS_EXTRACTION[records["kind"]] & (final != UNSENT)], 1)
        np.add.at(self.usd, account[is_now], answers.usd[is_now])
        is_served_alone = is_sent_alone & (alone.status == 200)
        lost = is_served_alone & ~is_now
        np.add.at(self.n_lost, account[lost], 1)
        np.add.at(self.usd_lost, account[lost], alone.usd[lost])
        quality = self._quality(records["kind"], state)
        self._count(self.with_defence, "with", step, records, answers, is_now, quality)
        self._count(self.without, "without", step, records, alone, is_served_alone, np.ones(len(records)))

    def _quality(self, kind: Any, state: npt.NDArray[np.int8]) -> Reals:
        hidden = np.where(state == HIDE_REASONING, self._left[kind], 1.0)
        return np.where(state == DEGRADE, DEGRADED, hidden)

    def _count(
        self,
        sums: dict[str, Reals],
        which: str,
        step: int,
        records: Records,
        answers: Answers,
        counts: Flags,
        quality: Reals,
    ) -> None:
        own = np.flatnonzero(counts & (self.campaign[records["account"]] >= 0))
        campaign = self.campaign[records["account"][own]]
        harvest = IS_EXTRACTION[records["kind"][own]]
        new = harvest & self._is_new(which, records[own], harvest)
        values = {
            "taken": harvest.astype(np.float64),
            "useful": new * quality[own],
            "useful_tokens": new * quality[own] * answers.tokens[own],
            "token_usd": answers.usd[own],
        }
        for name in FIGURES:
            sums[name][:, step] += np.bincount(campaign, weights=values[name], minlength=len(self.names))

    def _is_new(self, which: str, records: Records, harvest: Flags) -> Flags:
        """Tell answers that were not taken before; only actors who repeat take one twice."""
        new = np.ones(len(records), np.bool_)
        for row in np.flatnonzero(harvest & self._repeats[records["account"]]).tolist():
            pair = (int(records["owner"][row]), int(records["item"][row]))
            new[row] = pair not in self._seen[which]
            self._seen[which].add(pair)
        return new
