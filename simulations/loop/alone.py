"""What a campaign would have spent and taken without a defence: the same purse, the same rule when to stop."""

from dataclasses import dataclass, field

from simulations.loop.attack import AttackSettings
from simulations.loop.keys import DAY_US
from simulations.loop.purse import Purse
from simulations.loop.value import worth
from simulations.streams import Flags, Reals


@dataclass
class Daily:
    """Weighs each day: what it cost against what it brought."""

    spent: float = 0.0
    earned: float = 0.0

    def is_loss(self, now_us: int, spent: float, useful: float, settings: AttackSettings) -> bool:
        """Tell at the end of a day, but the first, whether it cost more than it brought; before the work begins, no.

        Parameters
        ----------
        spent: so far [USD].
        useful: exchanges that were taken and can be used, so far.
        """
        if not settings.stops_at_cost or now_us % DAY_US:
            return False
        earned = float(worth(useful, settings.value))
        before, self.spent, self.earned = (self.spent, self.earned), spent, earned
        return now_us > DAY_US and useful > 0.0 and spent - before[0] > earned - before[1]


@dataclass
class Alone:
    """A campaign that nobody defends against; it has nothing to react to."""

    settings: AttackSettings
    purse: Purse
    has_ended: bool = False
    daily: Daily = field(default_factory=Daily)

    def serve(self, usd: Reals) -> Flags:
        """Pay for requests in order of time; gives those that it would have sent."""
        return self.purse.serve(usd)

    def go_on(self, now_us: int, exits_usd: float, useful: float) -> None:
        """End a step: pay for the day's exits, and stop where money or worth is at an end."""
        if self.has_ended:
            return
        if now_us % DAY_US == 0:
            self.purse.pay_rent("exits", exits_usd)
        is_loss = self.daily.is_loss(now_us, self.purse.total, useful, self.settings)
        self.has_ended = self.purse.is_empty or self.purse.left <= 0 or is_loss
        self.purse.is_empty |= self.has_ended
