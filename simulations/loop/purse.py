"""What a campaign spends: money in is money out. Amounts in USD."""

from dataclasses import dataclass, field

#: What money goes to.
USES = ("accounts", "payments", "exits", "tokens", "verification", "tactics")


@dataclass
class Purse:
    """The money of a campaign."""

    held: float | None
    """What it began with; None is without end."""
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(USES, 0.0))

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
        """Spend."""
        self.spent[use] += usd
