"""How long requests and answers are [tokens], what they cost and how long they take."""

import numpy as np

from simulations.crowd import Visits
from simulations.streams import Counts, Flags, Keys, Reals, Streams

#: Characters per token, as the sources of the calibration count.
CHARS_PER_TOKEN = 4
#: Correlation of log prompt length and log answer length within an account. Assumed; a generator that reuses one
#: draw for both reaches 1, one that draws both freely reaches 0.
LENGTH_CORRELATION = 0.35
#: Spread of the logarithm of answers within an account (ServeGen: coefficient of variation .5 to .7).
ANSWER_SIGMA = 0.6
#: Share of answers from the long tail, and its Pareto exponent: a log-normal alone fits badly (KS .13 to .21).
P_TAIL, TAIL_EXPONENT = 0.03, 1.6
#: Most history that a conversation carries along [tokens]. Chosen.
HISTORY_MOST = 6000
#: Tokens that a turn and its answer add to the history (ShareGPT: 20 asked, 290 answered).
TURN_TOKENS = 310.0
#: US dollars per million tokens asked and answered, and seconds per answered token, per model. Assumed.
PRICES = np.array([[5.0, 25.0], [1.0, 5.0], [0.2, 0.8]])
SECONDS_PER_TOKEN = np.array([0.016, 0.009, 0.005])


def answers(streams: Streams, keys: Keys, ordinal: Counts, *, median: Reals | float, chars: Counts) -> Reals:
    """Draw how long answers would be without a limit.

    Parameters
    ----------
    median: of the answers [tokens].
    chars: length of each prompt; longer ones get longer answers, more or less.
    """
    asked = np.clip((np.log(np.maximum(chars, 1)) - 5.0) / 1.2, -2.0, 2.5)
    free = streams.normal(keys, "answer length", ordinal)
    spread = LENGTH_CORRELATION * asked + np.sqrt(1.0 - LENGTH_CORRELATION**2) * free
    tail = streams.uniform(keys, "answer tail", ordinal) ** (-1.0 / TAIL_EXPONENT)
    is_tail = streams.chance(keys, "answer is long", ordinal, p=P_TAIL)
    wanted: Reals = np.maximum(
        1.0, median * np.exp(ANSWER_SIGMA * spread) * np.where(is_tail, np.minimum(tail, 30.0), 1.0)
    )
    return wanted


def histories(streams: Streams, keys: Keys, visits: Visits) -> Counts:
    """Draw the tokens of the conversation so far that are sent along with a turn."""
    wordiness = streams.lognormal(keys, "wordiness", visits.session, median=TURN_TOKENS, sigma=0.5)
    return np.minimum(visits.turn * wordiness, HISTORY_MOST).astype(np.int64)


def capped(answer_tokens: Reals, limit: Counts) -> tuple[Counts, Flags]:
    """Cut answers at a limit; say which were cut."""
    cut = answer_tokens > limit
    return np.where(cut, limit, answer_tokens).astype(np.int64), cut


def costs_usd(model: Counts, asked: Counts, answered: Counts) -> Reals:
    """Price requests."""
    paid: Reals = (asked * PRICES[model, 0] + answered * PRICES[model, 1]) / 1e6
    return np.round(paid, 6)


def latencies_ms(streams: Streams, keys: Keys, ordinal: Counts, *, model: Counts, answered: Counts) -> Reals:
    """Draw how long requests took: a start-up time and a time per answered token."""
    start = streams.lognormal(keys, "start-up", ordinal, median=350.0, sigma=0.5)
    pace = streams.lognormal(keys, "pace", ordinal, median=1000.0, sigma=0.2)
    taken: Reals = np.round(start + answered * SECONDS_PER_TOKEN[model] * pace, 1)
    return taken
