"""Whether accounts come in conversations, runs or single requests, and with pauses, as their pace declares."""

import math

import numpy as np
from scipy.special import ndtri

from simulations.effects.checks import ERRORS, Check, about
from simulations.effects.gathered import Found, Rows
from simulations.population import Cast
from simulations.streams import Reals
from simulations.traffic.arrivals import Runs

#: Requests and pauses of a cohort below which they tell nothing. Chosen.
LEAST = 100
#: How far shares and logarithms may be off besides chance: the ends of lives and of the log cut runs. Chosen.
ROOM = 0.05
#: Places of the law's quantiles at which its moments are taken. Chosen.
N_QUANTILES = 1001


class Pace:
    """Requests open as many conversations and follow each other as fast as declared."""

    parameters = ("pace",)
    reads = ("session",)
    silence = f"fewer than {LEAST} requests of watched accounts"

    def applies(self, cast: Cast) -> bool:
        """Cohorts that may set their pace do."""
        return hasattr(cast.parameters, "pace")

    def checks(self, found: Found) -> list[Check]:
        """Compare the conversations, and the pauses within them."""
        rows, pace = found.rows, found.cast.actor.pace_of(found.cast.parameters)
        if found.cast.is_member.any():
            rows = _of(rows, found.cast.is_member[rows.account])
        if len(rows.account) < LEAST:
            return []
        n_of = np.bincount(rows.account).astype(np.float64)
        talks = np.unique(rows.account << 32 | rows.session) >> 32
        if not isinstance(pace, Runs):
            return [about("requests per conversation", 1.0, len(rows.account) / len(talks), room=0.0)]
        opened = np.bincount(talks, minlength=len(n_of))[n_of > 0]
        expected, variance = _opened(pace, n_of[n_of > 0])
        room = ERRORS * math.sqrt(variance) + ROOM * expected
        return [about("conversations", expected, float(opened.sum()), room=room), *_pauses(rows, pace)]


def _of(rows: Rows, kept: "np.typing.NDArray[np.bool_]") -> Rows:
    return Rows(*(getattr(rows, name)[kept] for name in Rows.__dataclass_fields__))


def _opened(pace: Runs, n: Reals) -> tuple[float, float]:
    """Give mean and variance of the conversations that accounts open in n requests each."""
    if pace.most_runs:
        runs = np.minimum(np.arange(1, pace.most_runs + 1)[:, None], n)
        return float(runs.mean(axis=0).sum()), float(runs.var(axis=0).sum())
    brief = np.exp(pace.length_sigma * ndtri((np.arange(N_QUANTILES) + 0.5) / N_QUANTILES))
    first = np.minimum(brief * (1.0 / pace.length if pace.first_ends is None else pace.first_ends), 1.0)
    later = first
    if pace.first_ends is not None:
        later = np.minimum(brief * (1.0 - pace.first_ends) / (pace.length - 1.0), 1.0)
    opens = 1.0 / (1.0 + (1.0 - first) / later)
    p, spread = float(opens.mean()), float(opens.var())
    within = float(np.mean(opens * (1.0 - opens)))
    return float((1.0 + (n - 1.0) * p).sum()), float((n * within + n**2 * spread).sum())


def _pauses(rows: Rows, pace: Runs) -> list[Check]:
    """Compare the median pause, account by account, in logarithms."""
    order = np.lexsort((rows.at_us, rows.session, rows.account))
    account, session = rows.account[order], rows.session[order]
    follows = (np.diff(account) == 0) & (np.diff(session) == 0)
    pauses = np.log(np.maximum(np.diff(rows.at_us[order])[follows], 1) / 1e6)
    whose = account[1:][follows]
    if len(pauses) < LEAST:
        return []
    by_account = np.split(pauses, np.flatnonzero(np.diff(whose)) + 1)
    medians = np.array([np.median(some) for some in by_account])
    n_of = np.array([len(some) for some in by_account])
    # The variance of a median of n normal values is at most pi / 2 of that of their mean.
    variance = pace.pace_sigma**2 + np.pi / 2.0 * pace.pause_sigma**2 / n_of
    room = ROOM + ERRORS * math.sqrt(float(variance.mean()) / len(medians))
    declared, pause = math.log(pace.pause_s), float(medians.mean())
    low, high = math.exp(declared - room), math.exp(declared + room)
    return [Check("median pause in seconds", pace.pause_s, math.exp(pause), low, high)]
