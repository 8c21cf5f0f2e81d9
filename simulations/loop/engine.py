"""The loop: a step of the world, a look, decisions, reviews, reactions, in this order, until the log ends.

The open loop is the same code with a defender that never acts. Requests of a step depend on what happened before it,
and on nothing later; draws are keyed by account, so stopping one account moves no other's.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from detector.progress import Tell, silent
from detector.tables import ACCOUNTS
from detector.turns import in_turn
from simulations.loop.attack import AttackSettings
from simulations.loop.campaign import Campaign, Seen, open_campaign
from simulations.loop.defence import DefenceSettings, MeasureSettings
from simulations.loop.keys import (
    ACTIVE,
    DAY_US,
    NOTICED,
    REFUSED,
    REVOKE,
    SERVED,
    STATES,
    THROTTLED,
    UNSENT,
    VERIFY,
    Keys,
    Outcomes,
)  # fmt: skip
from simulations.loop.ledger import Ledger
from simulations.loop.plans import Plans
from simulations.loop.review import Desk
from simulations.loop.rows import Cursor, copied, enforced, pieces
from simulations.loop.stage import BEFORE, Stage
from simulations.loop.tally import Answers, Tally
from simulations.loop.watch import Look, Watch
from simulations.spill import Records, joined
from simulations.streams import Counts, Flags, Streams
from simulations.world import CHUNK_ROWS, WORKERS

#: A step of time [us]: states and plans change at its ends only, and looks come after whole steps. Chosen.
STEP_US = DAY_US // 4

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
    spent_alone: list[list[float]] = field(default_factory=list)
    """What each campaign would have spent without a defence, at the end of each step."""
    n_looks: int = 0

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
        self._created_us = self._known["created_at"].cast(pa.int64()).to_numpy() - begins_us
        self._confirmed_to = np.full(n, -1, np.int8)
        self._n_waves = 0
        self._at_first = copied(world.scene)
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
        cursor = Cursor(self.stage.world.spill.chunks(CHUNK_ROWS))
        cadence = max(1, round(self.defence.cadence_days * DAY_US / STEP_US))
        with ThreadPoolExecutor(self.workers) as pool:
            for step in range(self.n_steps):
                end_us = min((step + 1) * STEP_US, self.length_us)
                self.tell("rehearsing, steps", step, self.n_steps)
                held_back = self._step(step, self._records(cursor, step, end_us), pool)
                if (step + 1) % cadence == 0 and end_us < self.length_us:
                    self._look(end_us)
                if self.defence.acts:
                    self._defend(end_us)
                self._react(step, end_us, held_back)

    # -- a step of the world

    def _records(self, cursor: "Cursor", step: int, end_us: int) -> Records:
        first, later = cursor.until(end_us), self.plans.take(step)
        return self.stage.world.spill.in_order(joined([first, later])) if len(later) else first

    def _step(self, step: int, records: Records, pool: ThreadPoolExecutor) -> Flags:
        """Let a step's requests be answered; gives the accounts that a limit of the defence held back."""
        held_back = np.zeros(self.keys.n, np.bool_)
        table = self.stage.world.scene.table
        for some, events in in_turn(pool, table, pieces(records, CHUNK_ROWS), ahead=self.workers):
            is_valid, outcome = self.plans.is_valid(some), np.full(len(some), UNSENT, np.uint8)
            valid = np.flatnonzero(is_valid)
            model = events["model"].take(pa.array(valid)).cast(pa.string()).to_numpy(zero_copy_only=False)
            outcome[valid] = self.keys.outcomes(some[valid], model, step * STEP_US)
            answers, state = Answers.of(events), self.keys.state[some["account"]]
            alone = self._answers_alone(some, answers)
            self._spend(some, answers, outcome)
            self.tally.add(
                step, some, answers, outcome, state=state, alone=alone, is_sent_alone=self._sent_alone(some, alone)
            )
            is_gated = (outcome == REFUSED) & (state < VERIFY)
            held_back[some["account"][(outcome == THROTTLED) | is_gated]] = True
            sent = enforced(events, outcome)
            if sent.num_rows:
                self.write(sent)
                self.watch.fold(sent)
        return held_back

    def _spend(self, records: Records, answers: Answers, outcome: Outcomes) -> None:
        """Let campaigns pay for what is served; with the purse empty nothing is sent."""
        for number, campaign in enumerate(self.campaigns):
            own = np.flatnonzero((self.tally.campaign[records["account"]] == number) & (outcome != UNSENT))
            is_paid = campaign.purse.serve(np.where(outcome[own] == SERVED, answers.usd[own], 0.0))
            outcome[own[~is_paid]] = UNSENT

    def _answers_alone(self, records: Records, answers: Answers) -> Answers:
        """Give what would be answered had no campaign changed its models: prices differ, nothing else does."""
        preferred, first = (s.population.traits["preferred"] for s in (self.stage.world.scene, self._at_first))
        account = records["account"]
        moved = np.flatnonzero((records["plan"] == 0) & (preferred[account] != first[account]))
        if not len(moved):
            return answers
        usd = answers.usd.copy()
        usd[moved] = Answers.of(self._at_first.table(records[moved])).usd
        return replace(answers, usd=usd)

    def _sent_alone(self, records: Records, alone: Answers) -> Flags:
        """Tell which requests would be sent without a defence: all of the open loop, as far as purses reach."""
        is_sent: Flags = records["plan"] == 0
        for number, campaign in enumerate(self.campaigns):
            own = np.flatnonzero(is_sent & (self.tally.campaign[records["account"]] == number))
            is_sent[own] = campaign.alone.serve(np.where(alone.status[own] == 200, alone.usd[own], 0.0))
        return is_sent

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
        self.n_looks += 1
        self.ledger.add(now_us, "defender", "looks", n=look.n_looked_at)
        new = self.first_flagged_us[look.accounts] == BEFORE
        self.first_flagged_us[look.accounts[new]] = now_us
        self.first_evidence[look.accounts[new]] = look.first[new]
        fresh = new | ~waits[look.accounts]
        for action in np.unique(look.action[fresh]):
            rows = fresh & (look.action == action)
            self.ledger.add(now_us, "defender", f"recommends {action}", look.accounts[rows], reason=look.families[rows])
        for action in np.unique(look.action):
            rows = look.action == action
            self._tighten(now_us, look.accounts[rows], self._measure(action).at_once, look.families[rows])
        if self.defence.acts:
            self._submit(now_us, look)

    def _submit(self, now_us: int, look: Look) -> None:
        """Open cases where something follows, unless a reviewer has confirmed as much of the account before."""
        measures = [self._measure(action) for action in look.action]
        follows = np.array([(m.at_once, m.confirmed) != ("observe", "observe") for m in measures], np.bool_)
        could = np.array([_state(m.confirmed) for m in measures], np.int64)
        rows = np.flatnonzero(follows & (could > self._confirmed_to[look.accounts]))
        self.desk.submit(
            now_us, look.accounts[rows], look.case[rows], look.score[rows], look.action[rows], look.families[rows]
        )

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
        state = _state(action)
        because = pd.Series(np.broadcast_to(np.asarray(reason, dtype=object), len(accounts)), index=accounts)
        changed = self.keys.tighten(accounts, state)
        self.ever[changed, state] = True
        self._noticed[changed] = False
        self._behind[changed] = because[changed].to_numpy()
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
        could = [_state(self._measure(action).confirmed) for action in confirmed["recommended"]]
        self._confirmed_to[confirmed["account"].to_numpy(np.int64)] = could
        n_waves_before, self._n_waves = self._n_waves, now_us // round(self.defence.wave_days * DAY_US)
        if self.defence.by != "wave" or self._n_waves > n_waves_before:
            rows = pd.concat(self._confirmed, ignore_index=True)
            self._confirmed = []
            for action, some in rows.groupby("recommended", sort=True):
                accounts = some["account"].to_numpy(np.int64)
                self.ledger.add(now_us, "reviewer", "confirms", accounts, reason=some["families"].to_numpy())
                self._tighten(now_us, accounts, self._measure(str(action)).confirmed, some["families"].to_numpy())
        quiet = np.flatnonzero(self._is_quiet() & ~self._noticed)
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
        self._tighten(now_us, np.flatnonzero(pays_alike & free & self._is_open(now_us)), "verify", "economy")

    def _is_open(self, now_us: int) -> Flags:
        """Tell which accounts exist: those of the scenario from their creation on, and those that campaigns opened."""
        return np.where(self._is_first, self._created_us <= now_us, self.stage.born_us != BEFORE)

    def _is_quiet(self) -> Flags:
        """Tell whose clients have given up; who is being verified waits for that."""
        quiet: Flags = self.keys.is_stopped & (self.keys.n_refused >= NOTICED)
        for _, accounts in self._verifying:
            quiet[accounts] &= self.keys.state[accounts] != VERIFY
        return quiet

    def _release(self, now_us: int, accounts: Counts, who: str, what: str) -> None:
        if not len(accounts):
            return
        until_us = now_us + round(self.defence.review.cleared_days * DAY_US)
        self.ledger.add(now_us, who, what, accounts, state="active")
        self.keys.release(accounts, until_us)
        self.desk.forget(accounts)
        self._confirmed = [rows[~rows["account"].isin(accounts)] for rows in self._confirmed]
        self._confirmed_to[accounts] = -1

    def _pass_verification(self, now_us: int) -> None:
        due = [accounts for at_us, accounts in self._verifying if at_us <= now_us]
        self._verifying = [pair for pair in self._verifying if pair[0] > now_us]
        accounts = np.concatenate([np.empty(0, np.int64), *due])
        accounts = accounts[self.keys.state[accounts] == VERIFY]
        verification, own = self.defence.verification, self.tally.campaign[accounts] >= 0
        p = np.where(own, verification.p_attacker, verification.p_honest)
        passed = self.desk.draw.chance(self.stage.world.population.keys[accounts], "passes", p=p)
        for number, campaign in enumerate(self.campaigns):
            theirs = np.flatnonzero(passed & (self.tally.campaign[accounts] == number))
            passed[theirs] = campaign.alive[accounts[theirs]]
            theirs = theirs[passed[theirs]]
            n = campaign.purse.affords(self.attack.verify_usd, len(theirs))
            campaign.purse.pay("verification", n * self.attack.verify_usd)
            passed[theirs[n:]] = False
        self.keys.is_verified[accounts[passed]] = True
        self.keys.is_trusted[accounts[passed]] = True
        self._release(now_us, accounts[passed], "customer", "is verified")

    # -- the campaigns

    def _react(self, step: int, now_us: int, held_back: Flags) -> None:
        quiet = self._is_quiet()
        for number, campaign in enumerate(self.campaigns):
            own = campaign.alive
            if not campaign.has_ended and now_us % DAY_US == 0:
                campaign.purse.pay_rent("exits", campaign.exits_usd)
            campaign.alone.go_on(now_us, campaign.exits_usd, float(self.tally.without["useful"][number].sum()))
            stopped, hampered = np.flatnonzero(own & quiet), np.flatnonzero(own & held_back)
            seen = Seen(
                stopped,
                hampered,
                self._families_behind(stopped) if self.defence.says_why else frozenset(),
                self._families_behind(np.union1d(stopped, hampered)),
                float(self.tally.with_defence["token_usd"][number, step]),
                float(self.tally.with_defence["useful"][number].sum()),
            )
            if self.attack.is_adaptive or campaign.purse.is_empty or campaign.purse.left <= 0:
                campaign.react(now_us, seen, self.plans, self.ledger)
        self.alive.append([int((c.alive & ~quiet).sum()) for c in self.campaigns])
        self.spent.append([c.purse.total for c in self.campaigns])
        self.spent_alone.append([c.alone.purse.total for c in self.campaigns])

    def _families_behind(self, accounts: Counts) -> frozenset[str]:
        return frozenset(f for text in set(self._behind[accounts]) for f in text.split(",") if f)


def _state(action: str) -> int:
    """Give the state that an action puts keys into; observing is none beyond active."""
    return ACTIVE if action == "observe" else STATES.index(action)
