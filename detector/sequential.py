"""Looking again and again without fooling oneself: evidence gathered over looks, valid whenever one stops.

An honest customer who is odd today is odd tomorrow, so the days of an account are dependent and the next p-value given
the past ones is not uniform. Products of e-values, and any detector that resets and bets anew, are not valid then.
A sum of e-values with weights set beforehand is, under dependence of any kind.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from detector.errors import ImpossibleRequestError
from detector.evalues import from_p
from detector.tables import HISTORY


@dataclass(frozen=True)
class EProcess:
    """Stake 1 / `looks` on each look, whatever the earlier ones showed.

    Attributes
    ----------
    looks: looks that are planned; later ones are refused.
    least: the least p-value that the reference can give, see `evalues.from_p`.
    budget: expected share of honest accounts that ever raise an alarm, over all looks.

    Notes
    -----
    The process never falls and has expectation at most 1 after the last look, so by Markov's inequality an honest
    account ever reaches 1 / `budget` with probability at most `budget`, whatever rule stops the watch: look daily, stop
    when it is convenient. It holds over looks at overlapping windows, such as the last fourteen days, each day.
    The p-value of a look is valid where the reference is of windows of that length, see `detectors.base.Reference`.
    The price beside one look: an account must be conspicuous in budget x largest e-value of the looks.
    """

    looks: int
    least: float
    budget: float

    def check_budget(self) -> None:
        """Refuse a budget at which nobody could ever raise an alarm.

        Raises
        ------
        ImpossibleRequestError
            The largest e-value at every look does not reach 1 / `budget`.
        """
        most = float(from_p(np.array([self.least]), self.least)[0])
        if most * self.budget < 1.0:
            raise ImpossibleRequestError(
                f"policy.history_budget = {self.budget:g}: no e-value of this reference exceeds {most:.4g}, and an "
                f"alarm needs {1 / self.budget:.4g}; give {1 / most:.2g} or more, or fit a model on more accounts"
            )

    def gathered(self, looks: pd.DataFrame) -> pd.DataFrame:
        """Follow accounts over looks.

        Parameters
        ----------
        looks: `account_id`, `window`, a number or instant that sorts, and `p_value`; each account once per window.

        Returns
        -------
        A row per row of `looks`, in order of account and window, with `e_process`, never falling within an account,
        and `is_alarm`.

        Raises
        ------
        ImpossibleRequestError
            There are more windows than planned looks.
        """
        self._check_looks(int(looks["window"].nunique()))
        rows = looks.sort_values(["account_id", "window"], ignore_index=True)
        stakes = pd.Series(from_p(rows["p_value"].to_numpy(np.float64), self.least) / self.looks)
        process = stakes.groupby(rows["account_id"]).cumsum()
        return rows.assign(e_process=process, is_alarm=process >= 1.0 / self.budget)

    def advance(self, history: pa.Table, account_ids: pa.ChunkedArray, p_values: pa.ChunkedArray) -> pa.Table:
        """Add one look to a history.

        Parameters
        ----------
        history: columns of `tables.HISTORY`; empty before the first look.
        account_ids, p_values: of the accounts in this look.

        Returns
        -------
        The new history, by account; who is absent keeps what was gathered, so that pausing wins nothing.

        Raises
        ------
        ImpossibleRequestError
            All planned looks are spent, or the history was planned for another number.
        """
        before = history.to_pandas().set_index("account_id")
        n_looks = int(before["n_looks"].max()) + 1 if len(before) else 1
        self._check_plan(set(before["n_planned"]))
        self._check_looks(n_looks)
        staked = from_p(p_values.to_numpy(), self.least) / self.looks
        now = pd.Series(staked, pd.Index(account_ids.to_pylist(), name="account_id"), dtype=np.float64)
        process = before["e_process"].astype(np.float64).add(now, fill_value=0.0).sort_index()
        after = pd.DataFrame({"e_process": process, "is_alarm": process >= 1.0 / self.budget})
        after = after.assign(n_looks=n_looks, n_planned=self.looks)
        return pa.Table.from_pandas(after.reset_index(), schema=HISTORY, preserve_index=False)

    def _check_looks(self, n_looks: int) -> None:
        if n_looks > self.looks:
            raise ImpossibleRequestError(
                f"look {n_looks}: policy.looks = {self.looks} were planned and are spent; begin a new history with a "
                "first run without --history"
            )

    def _check_plan(self, planned: set[int]) -> None:
        """Refuse stakes of another size: what is staked over all looks must be 1."""
        if planned - {self.looks}:
            raise ImpossibleRequestError(
                f"policy.looks = {self.looks}: the history was begun for {max(planned)}; give that number, or begin a "
                "new history with a first run without --history"
            )
