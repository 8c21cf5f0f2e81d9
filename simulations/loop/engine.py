"""The loop: a step of the world, a look, decisions, reviews, reactions, in this order, until the log ends.

The open loop is the same code with a defender that never acts. Requests of a step depend on what happened before it,
and on nothing later; draws are keyed by account, so stopping one account moves no other's.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from detector.progress import Tell, silent
from detector.tables import ACCOUNTS
from simulations.columns import LEAN
from simulations.loop.attack import AttackSettings
from simulations.loop.campaign import Campaign, Seen, open_campaign
from simulations.loop.defence import DefenceSettings, MeasureSettings
from simulations.loop.keys import (
    DAY_US,
    NOTICED,
    REFUSED,
    REVOKE,
    SERVED,
    STATES,
    SUSPEND,
    THROTTLED,
    UNSENT,
    VERIFY,
    Keys,
    Outcomes,
)  # fmt: skip
from simulations.loop.ledger import Ledger
from simulations.loop.plans import Plans
from simulations.loop.review import Desk
from simulations.loop.stage import BEFORE, Stage
from simulations.loop.tally import Answers, Tally
from simulations.loop.watch import Look, Watch
from simulations.spill import RECORD, Records, joined
from simulations.streams import Counts, Flags, Streams
from simulations.world import CHUNK_ROWS, WORKERS

#: A step of time [us]: states and plans change at its ends only, and looks come after whole steps. Chosen.
STEP_US = DAY_US // 4
#: HTTP status of what a defence does not serve.
STATUS = {THROTTLED: 429, REFUSED: 403}
_ANSWERED = ("output_tokens", "finish_reason", "refusal_category", "latency_ms", "cost_usd")

#: Gives the look at an instant [us since the log began], from an earlier run where there is one.
Looking = Callable[[int, Callable[[], Look]], Look]


def look_afresh(now_us: int, look: Callable[[], Look]) -> Look:
    """Look, whatever was seen before."""
    return look()


@dataclass
class Loop:
    """A rehearsal under way.

    Attributes
    ----------
    write: takes the rows of the log, tables of `columns.LEAN` in order of time.
    looking: see `Looking`.
    """

    stage: Stage
    defence: DefenceSettings
    attack: AttackSettings
    write: Callable[[pa.Table], None]
    looking: Looking = look_afresh
    workers: int = WORKERS
    tell: Tell = silent
    keys: Keys = field(init=False)
    plans: Plans = field(init=False)
    ledger: Ledger = field(init=False)
    desk: Desk = field(init=False)
    tally: Tally = field(init=False)
    watch: Watch = field(init=False)
    campaigns: list[Campaign] = field(init=False)
    first_flagged_us: Counts = field(init=False)
    """Shape (n_accounts,): when first recommended for anything, since the log began [us]; `BEFORE` is never."""
    first_stopped_us: Counts = field(init=False)
    first_evidence: npt.NDArray[np.object_] = field(init=False)
    """Shape (n_accounts,): the piece of evidence that weighed most when it was first flagged."""
    ever: Flags = field(init=False)
    """Shape (n_accounts, n_states): whether a key was ever put into a state."""
    alive: list[list[int]] = field(default_factory=list)
    """Accounts in use of each campaign, at the end of each step."""
    spent: list[list[float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the stage: all keys active, all plans as without a defence."""
        world = self.stage.world
        n, names = len(world.population), self.stage.names
        begins_us = round(world.scenario.starts_at.timestamp() * 1e6)
        self.keys, self.ledger = Keys(self.defence, n), Ledger(names, begins_us)
        self.plans = Plans(world, self.stage.volumes, STEP_US)
        is_harvest = np.concatenate([cast.is_member for cast in world.casts])
        self.desk = Desk(self.defence, Streams(world.scenario.seed), world.population.keys, is_harvest)
        self.tally = Tally(self.stage, self.attack.value, self.n_steps)
        self.watch = Watch(self.defence, names, begins_us, world.scenario.text, threads=self.workers)
        self.campaigns = [open_campaign(name, self.attack, self.stage) for name in self.stage.reserves]
        self.first_flagged_us, self.first_stopped_us = (np.full(n, BEFORE, np.int64) for _ in range(2))
        self.first_evidence = np.full(n, None, dtype=object)
        self.ever = np.zeros((n, len(STATES)), np.bool_)
        self._behind = np.full(n, "", dtype=object)
        self._known = self.stage.accounts()
        self._noticed = np.zeros(n, np.bool_)
        self._verifying: list[tuple[int, Counts]] = []
        _, self._payment = np.unique(world.population.payment, return_inverse=True)
        n_first = int(world.population.firsts[self.stage.n_first_casts])
        self._is_first = np.arange(n) < n_first
        self._confirmed: list[pd.DataFrame] = []
        self._verify_some(is_harvest)

    @property
    def length_us(self) -> int:
        """Length of the log [us]."""
        return round(self.stage.world.scenario.days * DAY_US)

    @property
    def n_steps(self) -> int:
        """Count the steps; the last may be short."""
        return -(-self.length_us // STEP_US)

    def run(self) -> None:
        """Let everything happen."""
        cursor = _Cursor(self.stage.world.spill.chunks(CHUNK_ROWS))
        cadence = max(1, round(self.defence.cadence_days * DAY_US / STEP_US))
        with ThreadPoolExecutor(self.workers) as pool:
            for step in range(self.n_steps):
                end_us = min((step + 1) * STEP_US, self.length_us)
                self.tell("rehearsing, steps", step, self.n_steps)
                held_back = self._step(step, self._records(cursor, step, end_us), pool)
                if self.defence.acts and (step + 1) % cadence == 0 and end_us < self.length_us:
                    self._look(end_us)
                if self.defence.acts:
                    self._defend(end_us)
                self._react(step, end_us, held_back)

    # -- a step of the world

    def _records(self, cursor: "_Cursor", step: int, end_us: int) -> Records:
        first, later = cursor.until(end_us), self.plans.take(step)
        return self.stage.world.spill.in_order(joined([first, later])) if len(later) else first

    def _step(self, step: int, records: Records, pool: ThreadPoolExecutor) -> Flags:
        """Let a step's requests be answered; gives the accounts that a limit of the defence held back."""
        held_back = np.zeros(self.keys.n, np.bool_)
        for some, events in _in_turn(pool, self.stage.world.scene.table, records, self.workers):
            is_valid, outcome = self.plans.is_valid(some), np.full(len(some), UNSENT, np.uint8)
            valid = np.flatnonzero(is_valid)
            model = events["model"].take(pa.array(valid)).cast(pa.string()).to_numpy(zero_copy_only=False)
            outcome[valid] = self.keys.outcomes(some[valid], model, step * STEP_US)
            answers = Answers.of(events)
            self._spend(some, answers, outcome)
            self.tally.add(step, some, answers, outcome, self.keys.state[some["account"]])
            held_back[some["account"][outcome == THROTTLED]] = True
            sent = _enforced(events, outcome)
            if sent.num_rows:
                self.write(sent)
                if self.defence.acts:
                    self.watch.fold(sent)
        return held_back

    def _spend(self, records: Records, answers: Answers, outcome: Outcomes) -> None:
        """Let campaigns pay for what is served; with the purse empty nothing is sent."""
        for number, campaign in enumerate(self.campaigns):
            own = np.flatnonzero((self.tally.campaign[records["account"]] == number) & (outcome != UNSENT))
            usd = np.where(outcome[own] == SERVED, answers.usd[own], 0.0)
            beyond = np.cumsum(usd) > campaign.purse.left
            outcome[own[beyond]] = UNSENT
            campaign.purse.pay("tokens", float(usd[~beyond].sum()))

    # -- the defender

    def _verify_some(self, is_harvest: Flags) -> None:
        """Settle who is verified from the beginning, and whose payments others have told of."""
        gate, draw, population = self.defence.gate, self.desk.draw, self.stage.world.population
        p = np.where(is_harvest, gate.p_attacker, gate.p_honest)
        self.keys.is_verified = draw.chance(population.keys, "is verified", p=p)
        share = self.defence.indicators.received_share
        self._told = is_harvest & draw.chance(population.payment, "told by another provider", p=share)

    def _look(self, now_us: int) -> None:
        waits = self.desk.is_waiting(self.keys.n)
        may = (self.keys.left_alone_until_us <= now_us) & (self.keys.state != REVOKE)
        look = self.looking(now_us, lambda: self.watch.look(now_us, self.known_accounts(), may))
        self.ledger.add(now_us, "defender", "looks", n=look.n_looked_at)
        new = self.first_flagged_us[look.accounts] == BEFORE
        self.first_flagged_us[look.accounts[new]] = now_us
        self.first_evidence[look.accounts[new]] = look.first[new]
        self._behind[look.accounts] = look.families
        fresh = new | ~waits[look.accounts]
        for action in np.unique(look.action[fresh]):
            rows = fresh & (look.action == action)
            self.ledger.add(now_us, "defender", f"recommends {action}", look.accounts[rows], reason=look.families[rows])
        for action in np.unique(look.action):
            rows = look.action == action
            self._tighten(now_us, look.accounts[rows], self._measure(action).at_once, look.families[rows])
        self.desk.submit(now_us, look.accounts, look.case, look.score, look.action, look.families)

    def known_accounts(self) -> pa.Table:
        """Give what is known of all accounts now, by number: with the age of those opened meanwhile."""
        opened = np.flatnonzero(self.stage.born_us != BEFORE)
        created_us = self._known["created_at"].cast(pa.int64()).to_numpy().copy()
        created_us[opened] = self.ledger.begins_us + self.stage.born_us[opened]
        place = ACCOUNTS.get_field_index("created_at")
        return self._known.set_column(
            place, ACCOUNTS.field(place), pa.array(created_us).cast(ACCOUNTS.field(place).type)
        )

    def _measure(self, action: str) -> MeasureSettings:
        measure: MeasureSettings = getattr(self.defence.measures, action)
        return measure

    def _tighten(self, now_us: int, accounts: Counts, action: str, reason: Any) -> None:
        if action == "observe" or not len(accounts):
            return
        state = STATES.index(action)
        because = pd.Series(np.broadcast_to(np.asarray(reason, dtype=object), len(accounts)), index=accounts)
        changed = self.keys.tighten(accounts, state)
        self.ever[changed, state] = True
        self._noticed[changed] = False
        stopped = changed[(self.first_stopped_us[changed] == BEFORE)] if state >= VERIFY else changed[:0]
        self.first_stopped_us[stopped] = now_us
        self.ledger.add(now_us, "defender", "changes a key", changed, state=action, reason=because[changed].to_numpy())
        if state == VERIFY:
            self._verifying.append((now_us + round(self.defence.verification.days * DAY_US), changed))

    def _defend(self, now_us: int) -> None:
        """Review, appeal, verify, and check who signs up."""
        confirmed, cleared = self.desk.close(now_us, STEP_US)
        self._release(now_us, cleared["account"].to_numpy(np.int64), "reviewer", "clears")
        self._confirmed.append(confirmed)
        is_wave = self.defence.by == "wave" and now_us % round(self.defence.wave_days * DAY_US)
        if not is_wave:
            rows = pd.concat(self._confirmed, ignore_index=True).drop_duplicates("account", keep="last")
            self._confirmed = []
            for action, some in rows.groupby("recommended", sort=True):
                accounts = some["account"].to_numpy(np.int64)
                self.ledger.add(now_us, "reviewer", "confirms", accounts, reason=some["families"].to_numpy())
                self._tighten(now_us, accounts, self._measure(str(action)).confirmed, some["families"].to_numpy())
        quiet = np.flatnonzero((self.keys.state >= SUSPEND) & (self.keys.n_refused >= NOTICED) & ~self._noticed)
        self._noticed[quiet] = True
        self.ledger.add(now_us, "customer", "appeals", self.desk.hear(now_us, quiet))
        granted, refused = self.desk.answer(now_us)
        self._release(now_us, granted, "reviewer", "reinstates")
        self.ledger.add(now_us, "reviewer", "refuses an appeal", refused)
        self._pass_verification(now_us)
        self._ask_who_pays_alike(now_us)

    def _ask_who_pays_alike(self, now_us: int) -> None:
        """Let accounts verify that pay as revoked ones did, or as another provider has told of."""
        least = self.defence.indicators.revoked_before_verify
        revoked = self.keys.state == REVOKE
        if not least or not (revoked.any() or self._told.any()):
            return
        n_revoked = np.bincount(self._payment, weights=revoked)[self._payment]
        pays_alike = (n_revoked >= least) | self._told
        free = (self.keys.state < VERIFY) & ~self.keys.is_trusted & (self.keys.left_alone_until_us <= now_us)
        self._tighten(now_us, np.flatnonzero(pays_alike & free & self._is_open()), "verify", "economy")

    def _is_open(self) -> Flags:
        """Tell which accounts exist: those of the beginning, and those that campaigns have opened."""
        return self._is_first | (self.stage.born_us != BEFORE)

    def _release(self, now_us: int, accounts: Counts, who: str, what: str) -> None:
        until_us = now_us + round(self.defence.review.cleared_days * DAY_US)
        self.ledger.add(now_us, who, what, accounts, state="active")
        self.keys.release(accounts, until_us)

    def _pass_verification(self, now_us: int) -> None:
        due = [accounts for at_us, accounts in self._verifying if at_us <= now_us]
        self._verifying = [pair for pair in self._verifying if pair[0] > now_us]
        accounts = np.concatenate([np.empty(0, np.int64), *due])
        accounts = accounts[self.keys.state[accounts] == VERIFY]
        verification, own = self.defence.verification, self.tally.campaign[accounts] >= 0
        p = np.where(own, verification.p_attacker, verification.p_honest)
        passed = self.desk.draw.chance(self.stage.world.population.keys[accounts], "passes", p=p)
        for number, campaign in enumerate(self.campaigns):
            n = campaign.purse.affords(
                self.attack.verify_usd, int((self.tally.campaign[accounts[passed]] == number).sum())
            )
            campaign.purse.pay("verification", n * self.attack.verify_usd)
        self.keys.is_verified[accounts[passed]] = True
        self.keys.is_trusted[accounts[passed]] = True
        self._release(now_us, accounts[passed], "customer", "is verified")

    # -- the campaigns

    def _react(self, step: int, now_us: int, held_back: Flags) -> None:
        quiet = self.keys.is_stopped & (self.keys.n_refused >= NOTICED)
        for number, campaign in enumerate(self.campaigns):
            own = campaign.alive
            if not campaign.has_ended and now_us % DAY_US == 0:
                campaign.purse.pay("exits", campaign.n_exits * self.attack.exit_usd_per_day)
            stopped = np.flatnonzero(own & quiet)
            behind = frozenset(f for text in set(self._behind[stopped]) for f in text.split(",") if f)
            seen = Seen(
                stopped,
                np.flatnonzero(own & held_back),
                behind if self.defence.says_why else frozenset(),
                behind,
                float(self.tally.with_defence["token_usd"][number, step]),
                float(self.tally.with_defence["useful"][number].sum()),
            )
            if self.attack.is_adaptive or campaign.purse.left <= 0:
                campaign.react(now_us, seen, self.plans, self.ledger)
        self.alive.append([int((c.alive & ~quiet).sum()) for c in self.campaigns])
        self.spent.append([c.purse.total for c in self.campaigns])


@dataclass
class _Cursor:
    """Reads requests in order up to an instant."""

    chunks: Iterator[Records]
    rest: Records = field(default_factory=lambda: np.empty(0, RECORD))

    def until(self, end_us: int) -> Records:
        parts = []
        while True:
            cut = int(np.searchsorted(self.rest["at_us"], end_us))
            parts.append(self.rest[:cut])
            if cut < len(self.rest):
                self.rest = self.rest[cut:]
                break
            following = next(self.chunks, None)
            if following is None:
                self.rest = self.rest[cut:]
                break
            self.rest = following
        return joined([np.ascontiguousarray(part) for part in parts])


def _in_turn(
    pool: ThreadPoolExecutor, table: Callable[[Records], pa.Table], records: Records, workers: int
) -> Iterator[tuple[Records, pa.Table]]:
    """Write rows beside one another; gives them in order."""
    waiting: deque[tuple[Records, Future[pa.Table]]] = deque()
    for begin in range(0, len(records), CHUNK_ROWS):
        some = records[begin : begin + CHUNK_ROWS]
        waiting.append((some, pool.submit(table, some)))
        if len(waiting) > workers:
            first, events = waiting.popleft()
            yield first, events.result()
    while waiting:
        first, events = waiting.popleft()
        yield first, events.result()


def _enforced(events: pa.Table, outcome: Outcomes) -> pa.Table:
    """Leave out what was not sent, and take the answers from what was not served."""
    if (outcome == SERVED).all():
        return events
    sent = outcome != UNSENT
    events, outcome = events.filter(pa.array(sent)), outcome[sent]
    denied = pa.array(outcome != SERVED)
    if not pc.any(denied).as_py():
        return events
    status = np.select([outcome == kind for kind in STATUS], list(STATUS.values()), events["status_code"].to_numpy())
    for name in _ANSWERED:
        place = LEAN.get_field_index(name)
        kept = pc.if_else(denied, pa.scalar(None, LEAN.field(place).type), events[name])
        events = events.set_column(place, LEAN.field(place), kept)
    place = LEAN.get_field_index("status_code")
    return events.set_column(place, LEAN.field(place), pa.array(status).cast(LEAN.field(place).type))
