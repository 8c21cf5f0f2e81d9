"""What a campaign spends: money in is money out. Amounts in USD."""

from dataclasses import dataclass, field

import numpy as np

from simulations.streams import Flags, Reals

#: What money goes to.
USES = ("accounts", "payments", "exits", "tokens", "verification", "tactics")


@dataclass
class Purse:
    """The money of a campaign."""

    held: float | None
    """What it began with; None is without end."""
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(USES, 0.0))
    is_empty: bool = False
    """Whether something was asked of it that it could not pay in full; it pays nothing more."""

    @property
    def total(self) -> float:
        """Sum of what was spent."""
        return sum(self.spent.values())

    @property
    def left(self) -> float:
        """What is left; infinite where there is no end."""
        return float("inf") if self.held is None else self.held - self.total

    def affords(self, unit_usd: float, wanted: int) -> int:
        """Give how many things of a price can be had, at most as many as wanted."""
        return wanted if unit_usd <= 0 else int(min(wanted, max(self.left, 0.0) // unit_usd))

    def pay(self, use: str, usd: float) -> None:
        """Spend; what can be afforded is asked before."""
        self.spent[use] += usd

    def pay_rent(self, use: str, usd: float) -> None:
        """Spend what is due; with less left, all that is left."""
        self.is_empty |= usd > self.left
        self.pay(use, min(usd, max(self.left, 0.0)))

    def serve(self, usd: Reals) -> Flags:
        """Pay for requests one after the other, up to the first that is beyond what is left.

        Parameters
        ----------
        usd: price of each, in order of time, shape (n,).

        Returns
        -------
        Shape (n,): those that were paid for.
        """
        within: Flags = np.cumsum(usd) <= (-1.0 if self.is_empty else self.left)
        self.is_empty |= not within.all()
        self.pay("tokens", float(usd[within].sum()))
        return within
