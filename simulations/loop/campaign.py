"""How a campaign acts: it sees what becomes of its own requests, and reacts within its means. It knows no score."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from detector.errors import ConfigError
from simulations.loop.alone import Alone, Daily
from simulations.loop.attack import COUNTERS, AttackSettings, Tactic, TacticSettings
from simulations.loop.keys import DAY_US
from simulations.loop.ledger import Ledger
from simulations.loop.plans import Manner, Plans
from simulations.loop.purse import Purse
from simulations.loop.stage import Stage
from simulations.streams import Counts, Flags

#: Parameter of an attacker that a tactic changes; one without it cannot use the tactic.
CHANGES: dict[Tactic, str] = {"jitter": "pace", "add_cover": "cover_share"}
#: Most of an account that a campaign carries over from a step in which it opened none. Chosen: less than one, so that
#: no day sees more new accounts than its bound.
_CARRIED = 1.0 - 1e-9


@dataclass(frozen=True)
class Seen:
    """What became of a campaign's requests in one step.

    Attributes
    ----------
    stopped: its accounts that were refused so often that their clients gave up.
    hampered: its accounts that a limit held back.
    told: families of evidence that those stopped were told of.
    behind: families of evidence behind stops and limits; only a probe finds them out.
    token_usd: what its served requests cost.
    useful: exchanges that it took and can use, so far.
    """

    stopped: Counts
    hampered: Counts
    told: frozenset[str]
    behind: frozenset[str]
    token_usd: float
    useful: float


@dataclass
class Campaign:
    """One campaign: its accounts, its money, its manner."""

    name: str
    settings: AttackSettings
    stage: Stage
    purse: Purse
    members: Flags
    """Shape (n_accounts,): accounts that are its own, those it may still open among them."""
    alive: Flags
    """Shape (n_accounts,): accounts in use."""
    first_usd: float = 0.0
    """What it paid for the accounts and payments that it began with."""
    manner: Manner = field(default_factory=Manner)
    has_ended: bool = False
    reacts_from_us: int = 0
    knows: frozenset[str] = frozenset()
    pathway: int = 0
    n_opened: int = 0
    alone: Alone = field(init=False)
    """The same campaign without a defence."""
    _uses: dict[int, int] = field(default_factory=dict)
    _opened: dict[int, int] = field(default_factory=dict)
    _orders: list[tuple[int, int]] = field(default_factory=list)
    """When accounts are wanted, since the log began [us], and how many."""
    _spare: float = _CARRIED
    """Accounts that the daily bound leaves."""
    _probe_ends_us: int | None = None
    _learns: frozenset[str] = frozenset()
    _daily: Daily = field(default_factory=Daily)

    def __post_init__(self) -> None:
        """Let it do the same without a defence."""
        self.alone = Alone(self.settings, replace(self.purse, spent=dict(self.purse.spent)))

    @property
    def n_first(self) -> int:
        """Count the accounts that it began with."""
        return sum(
            int(cast.is_member.sum())
            for cast, name, volume in zip(
                self.stage.world.casts, self.stage.campaign_of_cast, self.stage.volumes, strict=True
            )
            if name == self.name and cast.n_requests.any()
        )

    @property
    def n_exits(self) -> int:
        """Count the networks that its traffic leaves by, and that it rents."""
        return int(self._first_parameter("exits", 0))

    @property
    def exits_usd(self) -> float:
        """What a day of them costs [USD]."""
        return self.n_exits * self.settings.exit_usd_per_day

    def react(self, now_us: int, seen: Seen, plans: Plans, ledger: Ledger) -> None:
        """Answer to a step that has ended."""
        if self.has_ended:
            return
        self.knows |= seen.told
        lost = seen.stopped[self.alive[seen.stopped]]
        n_alive = max(int(self.alive.sum()), 1)
        share_hit = len(np.union1d(lost, seen.hampered)) / n_alive
        self._abandon(now_us, lost, plans, ledger)
        if self.settings.respawn.is_on and len(lost):
            self._orders.append((now_us + round(self.settings.respawn.delay_days * DAY_US), len(lost)))
        if self.purse.is_empty or self.purse.left <= 0:
            self._end(now_us, "its money is spent", plans, ledger)
        elif self._daily.is_loss(now_us, self.purse.total, seen.useful, self.settings):
            self._end(now_us, "a day costs more than it brings", plans, ledger)
        else:
            self._learns |= seen.behind
            self._end_probe(now_us, ledger)
            if share_hit > self.settings.tolerates and now_us >= self.reacts_from_us:
                self._change(now_us, seen, plans, ledger)
        if not self.has_ended:
            self._open_ordered(now_us, plans, ledger)
            self._go_on(now_us, plans)

    def _abandon(self, now_us: int, lost: Counts, plans: Plans, ledger: Ledger) -> None:
        self.alive[lost] = False
        plans.drop(lost)
        ledger.add(now_us, self.name, "gives up an account", lost)

    def _end(self, now_us: int, reason: str, plans: Plans, ledger: Ledger) -> None:
        self.has_ended = True
        plans.drop(np.flatnonzero(self.alive))
        ledger.add(now_us, self.name, "stops", reason=reason, n=int(self.alive.sum()), usd=self.purse.total)
        self.alive[:] = False

    # -- tactics

    def _change(self, now_us: int, seen: Seen, plans: Plans, ledger: Ledger) -> None:
        """Choose the next tactic: one that answers what is known, in the order given, else the first that is left."""
        left = [
            (place, tactic)
            for place, tactic in enumerate(self.settings.tactics)
            if self._uses.get(place, 0) < tactic.times and tactic.usd <= self.purse.left and self._can(tactic.do)
        ]
        if not left:
            return
        apt = [pair for pair in left if self.knows & set(COUNTERS[pair[1].do])]
        place, tactic = (apt or left)[0]
        self._uses[place] = self._uses.get(place, 0) + 1
        self.purse.pay("tactics", tactic.usd)
        self.reacts_from_us = now_us + round(self.settings.patience_days * DAY_US)
        reason = ",".join(sorted(self.knows)) or None
        ledger.add(now_us, self.name, tactic.do, reason=reason, n=self._uses[place], usd=tactic.usd)
        if tactic.do == "stop":
            self._end(now_us, "it was found", plans, ledger)
            return
        self._apply(now_us, tactic, seen)
        if tactic.do not in ("switch_pathway", "probe"):
            self._plan(np.flatnonzero(self.alive), now_us, plans)

    def _can(self, tactic: Tactic) -> bool:
        """Tell whether a tactic would change anything."""
        if tactic == "switch_pathway":
            return self.pathway + 1 < len(self.settings.pathways)
        return tactic not in CHANGES or self._first_parameter(CHANGES[tactic], None) is not None

    def _apply(self, now_us: int, tactic: TacticSettings, seen: Seen) -> None:
        changes = dict(self.manner.changes)
        if tactic.do == "slow_down":
            self.manner = replace(self.manner, pace=self.manner.pace / tactic.factor)
        elif tactic.do == "split":
            self.manner = replace(self.manner, pace=self.manner.pace / tactic.factor)
            self._orders.append((now_us, round(int(self.alive.sum()) * (tactic.factor - 1.0))))
        elif tactic.do == "jitter":
            self.manner = replace(self.manner, changes=tuple({**changes, "pace": "sessions"}.items()))
        elif tactic.do == "paraphrase":
            self.manner = replace(self.manner, wording=self.manner.wording + 1)
        elif tactic.do == "add_cover":
            covered = changes.get("cover_share", self._first_parameter("cover_share", 0.0))
            changes["cover_share"] = covered + (1.0 - covered) * tactic.share
            self.manner = replace(self.manner, changes=tuple(changes.items()))
        elif tactic.do == "switch_models":
            traits = self.stage.world.population.traits
            traits["preferred"][self.members] = (traits["preferred"][self.members] + 1) % 3
        elif tactic.do == "switch_pathway":
            self.pathway += 1
        elif tactic.do == "probe":
            self._probe_ends_us = now_us + round(tactic.days * DAY_US)
            self._learns = seen.behind
            self.reacts_from_us = max(self.reacts_from_us, self._probe_ends_us)

    def _first_parameter(self, name: str, default: Any) -> Any:
        places = [p for p, campaign in enumerate(self.stage.campaign_of_cast) if campaign == self.name]
        return getattr(self.stage.world.casts[places[0]].parameters, name, default)

    def _end_probe(self, now_us: int, ledger: Ledger) -> None:
        if self._probe_ends_us is None:
            self._learns = frozenset()
        elif now_us >= self._probe_ends_us:
            self._probe_ends_us, self.knows = None, self.knows | self._learns
            ledger.add(now_us, self.name, "has probed", reason=",".join(sorted(self.knows)) or None)

    # -- accounts

    def _open_ordered(self, now_us: int, plans: Plans, ledger: Ledger) -> None:
        """Open the accounts whose time has come, as far as money, pool and the daily bound reach."""
        wanted = sum(n for at_us, n in self._orders if at_us <= now_us)
        self._orders = [order for order in self._orders if order[0] > now_us]
        self._spare = min(self._spare, _CARRIED) + self.settings.respawn.per_day * self.n_first * plans.step_us / DAY_US
        now = min(wanted, int(self._spare))
        opened = self._open(now_us, now, plans, ledger)
        self._spare -= opened
        is_last = self.pathway + 1 == len(self.settings.pathways)
        if opened < now and not is_last:
            self.pathway += 1
        if opened < wanted and not (opened < now and is_last):
            self._orders.append((now_us + plans.step_us, wanted - opened))

    def _open(self, now_us: int, wanted: int, plans: Plans, ledger: Ledger) -> int:
        places = self.stage.reserves.get(self.name, ())
        if not wanted or not places:
            return 0
        place, pathway = places[self.pathway], self.settings.pathways[self.pathway]
        first = int(self.stage.world.population.firsts[place])
        of_cast = np.flatnonzero(self.stage.world.casts[place].is_member)
        begin = self._opened.get(place, 0)
        n = self.purse.affords(pathway.account_usd, min(wanted, len(of_cast) - begin))
        accounts = first + of_cast[begin : begin + n]
        self._opened[place] = begin + n
        if n:
            self.purse.pay("accounts", n * pathway.account_usd)
            self.n_opened += n
            self.alive[accounts] = True
            self.stage.born_us[accounts] = now_us
            ledger.add(now_us, self.name, "opens an account", accounts, reason=pathway.name, usd=pathway.account_usd)
            self._plan(accounts, now_us, plans)
        return n

    def _plan(self, accounts: Counts, now_us: int, plans: Plans) -> None:
        """Plan accounts anew, cast by cast."""
        firsts = self.stage.world.population.firsts
        place = np.searchsorted(firsts, accounts, side="right") - 1
        for number in np.unique(place):
            plans.begin(int(number), accounts[place == number], now_us, self.manner)

    def _go_on(self, now_us: int, plans: Plans) -> None:
        """Plan on where plans have ended."""
        done = np.flatnonzero(self.alive & (plans.ends_us <= now_us))
        if len(done):
            self._plan(done, now_us, plans)


def open_campaign(name: str, settings: AttackSettings, stage: Stage) -> Campaign:
    """Give a campaign its accounts and its purse, and let it pay for what it begins with.

    Raises
    ------
    ConfigError
        Its purse does not reach for that.
    """
    firsts, n = stage.world.population.firsts, len(stage.world.population)
    members, alive, campaign_purse = np.zeros(n, np.bool_), np.zeros(n, np.bool_), Purse(settings.purse_usd)
    for place, of in enumerate(stage.campaign_of_cast):
        if of == name:
            own = slice(firsts[place], firsts[place + 1])
            members[own] = stage.world.casts[place].is_member
            alive[own] = members[own] & (stage.world.casts[place].n_requests > 0)
    payments = len(np.unique(stage.world.population.payment[alive]))
    campaign_purse.pay("accounts", int(alive.sum()) * settings.pathways[0].account_usd)
    campaign_purse.pay("payments", payments * settings.payment_usd)
    if campaign_purse.left <= 0:
        raise ConfigError(
            f"attack: purse_usd = {settings.purse_usd:g}: campaign {name!r} begins with {int(alive.sum())} accounts "
            f"and {payments} payments for ${campaign_purse.total:,.2f}; give more than that, or cheaper ones"
        )
    return Campaign(name, settings, stage, campaign_purse, members, alive, first_usd=campaign_purse.total)
