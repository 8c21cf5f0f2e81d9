"""The queue of cases, the reviewers who close them, the appeals that follow. Reviewers see the truth, with errors."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from simulations.loop.defence import DefenceSettings
from simulations.loop.keys import DAY_US
from simulations.streams import Counts, Flags, Keys, Streams

#: Most of a case that reviewers carry over from an idle step: hours that nobody used are gone. Chosen: less than one,
#: so that no day sees more cases than its capacity.
_CARRIED = 1.0 - 1e-9


@dataclass
class Desk:
    """Where cases wait, and what reviewers made of them."""

    settings: DefenceSettings
    draw: Streams
    keys: Keys
    """Key of every account."""
    is_harvest: Flags
    """Shape (n_accounts,): the truth, which reviewers mostly find."""
    minutes: float = 0.0
    n_closed: int = 0
    n_appeals: int = 0
    _waiting: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            {"account": np.empty(0, np.int64), "case": np.empty(0, np.int64), "score": np.empty(0),
             "recommended": np.empty(0, dtype=object), "ready_us": np.empty(0, np.int64),
             "families": np.empty(0, dtype=object)}
        )
    )  # fmt: skip
    _spare: float = 0.0
    _appeals: list[tuple[int, Counts]] = field(default_factory=list)

    def is_waiting(self, n: int) -> Flags:
        """Tell which accounts have a case open; shape (n_accounts,)."""
        waiting = np.zeros(n, np.bool_)
        waiting[self._waiting["account"].to_numpy(np.int64)] = True
        return waiting

    def submit(self, now_us: int, accounts: Counts, case: Any, score: Any, recommended: Any, families: Any) -> None:
        """Open cases; an account that has one open keeps its place in the queue and takes the newer judgement."""
        ready = now_us + round(self.settings.review.delay_days * DAY_US)
        if self.settings.by == "account":
            case = accounts
        added = pd.DataFrame(
            {"account": accounts, "case": case + now_us * 1_000, "score": score, "recommended": recommended,
             "ready_us": ready, "families": families}
        )  # fmt: skip
        earlier = self._waiting.set_index("account")["ready_us"]
        added["ready_us"] = added["account"].map(earlier).fillna(added["ready_us"]).astype(np.int64)
        kept = self._waiting[~self._waiting["account"].isin(accounts)]
        self._waiting = pd.concat([kept, added], ignore_index=True)

    def close(self, now_us: int, step_us: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Let reviewers work through a step: the highest scores first, as many cases as they can.

        Returns
        -------
        Rows confirmed and rows cleared, columns of the queue; accounts on which reviewers differ wait for a day.
        """
        ready = self._waiting[self._waiting["ready_us"] <= now_us]
        if not self.settings.review.is_mandatory:
            self._waiting = self._waiting.drop(ready.index)
            return ready, ready.iloc[:0]
        self._spare = min(self._spare, _CARRIED) + self.settings.review.capacity_per_day * step_us / DAY_US
        if not len(ready):
            return ready, ready
        by_score = ready.groupby("case")["score"].max().sort_values(ascending=False, kind="stable")
        chosen = by_score.index[: int(self._spare)]
        self._spare -= len(chosen)
        self.minutes += len(chosen) * self.settings.review.minutes * self.settings.review.reviewers
        self.n_closed += len(chosen)
        rows = ready[ready["case"].isin(chosen)]
        n_against = self._verdicts(rows, now_us)
        agree_on_harvest, agree_on_honest = n_against == self.settings.review.reviewers, n_against == 0
        self._waiting.loc[rows.index[~agree_on_harvest & ~agree_on_honest], "ready_us"] = now_us + DAY_US
        self._waiting = self._waiting.drop(rows.index[agree_on_harvest | agree_on_honest])
        return rows[agree_on_harvest], rows[agree_on_honest]

    def forget(self, accounts: Counts) -> None:
        """Take accounts out of the queue that are to be left alone."""
        self._waiting = self._waiting[~self._waiting["account"].isin(accounts)]

    def _verdicts(self, rows: pd.DataFrame, now_us: int) -> Counts:
        """Count the reviewers who take each account for a harvest: they judge a case, and who belongs to it."""
        accounts, review = rows["account"].to_numpy(np.int64), self.settings.review
        case_keys = rows["case"].to_numpy(np.int64).astype(np.uint64)
        found = np.zeros(len(rows), np.int64)
        for reviewer in range(review.reviewers):
            place = now_us // 60_000_000 * 8 + reviewer
            missed = self.draw.chance(case_keys, "reviewer misses", place, p=review.p_misses)
            wronged = self.draw.chance(self.keys[accounts], "reviewer wrongs", place, p=review.p_wrongs)
            found += np.where(self.is_harvest[accounts], ~missed, wronged)
        return found

    def hear(self, now_us: int, accounts: Counts) -> Counts:
        """Take in the appeals of accounts that were stopped; gives those that appeal."""
        appeals = self.settings.appeals
        p = np.where(self.is_harvest[accounts], appeals.p_attacker_appeals, appeals.p_appeals)
        those = accounts[self.draw.chance(self.keys[accounts], "appeals", now_us // 60_000_000, p=p)]
        if len(those):
            self._appeals.append((now_us + round(appeals.days * DAY_US), those))
            self.n_appeals += len(those)
            self.minutes += len(those) * appeals.minutes
        return those

    def answer(self, now_us: int) -> tuple[Counts, Counts]:
        """Answer the appeals that are due; gives accounts reinstated and accounts refused."""
        due = [accounts for at_us, accounts in self._appeals if at_us <= now_us]
        self._appeals = [(at_us, accounts) for at_us, accounts in self._appeals if at_us > now_us]
        accounts = np.concatenate([np.empty(0, np.int64), *due])
        appeals = self.settings.appeals
        p = np.where(self.is_harvest[accounts], appeals.p_attacker_granted, appeals.p_granted)
        granted = self.draw.chance(self.keys[accounts], "appeal granted", now_us // 60_000_000, p=p)
        return accounts[granted], accounts[~granted]
