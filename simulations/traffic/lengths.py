"""How requests end: model, outcome, answer length, latency and cost, drawn for all rows by one compiled kernel."""

from typing import Any

import numpy as np
from numba import njit

from simulations.crowd import FIRST_TRIES
from simulations.draws import below, mix64, normal, unit

#: Characters per token, as the sources of the calibration count.
CHARS_PER_TOKEN = 4
#: Spread of its logarithm over accounts: prose takes more characters a token, code and other scripts fewer. Assumed.
CHARS_SPREAD = 0.12
#: Correlation of log prompt length and log answer length within an account. Assumed; a generator that reuses one
#: draw for both reaches 1, one that draws both freely reaches 0.
LENGTH_CORRELATION = 0.35
#: Spread of the logarithm of answers within an account, its own spread over accounts, and its largest (ServeGen: half
#: of the clients between .20 and .63, a tenth above 1.17).
ANSWER_SIGMA, ANSWER_SIGMA_SPREAD, ANSWER_SIGMA_MOST = 0.6, 0.5, 1.4
#: Share of answers from the long tail, and its Pareto exponent: a log-normal alone fits badly (KS .13 to .21).
P_TAIL, TAIL_EXPONENT, TAIL_MOST = 0.03, 1.6, 30.0
#: Most history that a conversation carries along [tokens]. Chosen.
HISTORY_MOST = 6000.0
#: Tokens that a turn and its answer add to the history (ShareGPT: 20 asked, 290 answered), and their spread.
TURN_TOKENS, TURN_SIGMA = 310.0, 0.5
#: Spread of the tokens sent along besides the text, over accounts and within one (ServeGen: client means of input
#: from 178 to 4,479 between the 10th and 90th percentile; half of the clients vary by less than .36).
CONTEXT_SPREAD, CONTEXT_SIGMA = 1.3, 0.3
#: US dollars per million tokens asked and answered, and seconds per answered token, per model. Assumed.
PRICES = np.array([[5.0, 25.0], [1.0, 5.0], [0.2, 0.8], [6.0, 30.0]])
SECONDS_PER_TOKEN = np.array([0.016, 0.009, 0.005, 0.014])
#: Start-up of a request [ms] and the spreads of start-up and pace. Assumed.
START_MS, START_SIGMA, PACE_SIGMA = 350.0, 0.5, 0.2
#: Least share of an account's requests that go to the model it prefers; accounts lie evenly above it. Assumed.
P_PREFERRED_LEAST = 0.3
#: The model that comes out at a release, if there is one, and how long accounts take to move, on average [s]: half of a
#: pivoting campaign's traffic moved within a day.
NEW_MODEL, PIVOT_S = 3, 36_000.0
#: Outcomes: 1.8 % fail (BurstGPT), two thirds of them by a limit; later tries are refused more often than first ones,
#: so that fewer first ones are. Share of answers that are refused. Assumed.
P_LIMITED, P_FAILED, P_REFUSED = 0.0072, 0.006, 0.004
#: Length of the window within which an account's quota is counted [us]. Chosen: limits are stated per minute, and
#: enforced over shorter stretches.
WINDOW_US = 20_000_000
REFUSAL_TOKENS = 40.0
#: What the models can answer at most [tokens]. Assumed.
MODEL_LIMIT = 32_768
#: Names of the draws, in the order of the kernel's bases.
PURPOSES = (
    "keeps to model", "other model", "status", "refused", "answer length", "answer tail", "answer is long",
    "answer of the account", "wordiness", "context of the account", "context", "start-up", "pace", "pivots", "moves",
    "keeps how often", "evenness of the account", "quota", "characters a token",
)  # fmt: skip
#: Where an outcome ends: stop, length, refusal; as positions of `columns.FINISHES`.
STOP, LENGTH, REFUSAL = range(3)


@njit(cache=True, inline="always")
def is_limited(key: Any, base: Any, at_us: Any) -> Any:
    """Tell whether a limit refuses whatever an account sends at an instant: its quota is spent until the window ends.

    One draw per account and window says whether and when the quota is spent, at any instant of it alike, so that
    `P_LIMITED` of all time is refused and refusals come in a row. Windows of accounts begin at instants of their own.
    """
    since = at_us + np.int64(key % np.uint64(WINDOW_US))
    window = since // WINDOW_US
    return unit(key, base, window) * WINDOW_US < 2.0 * P_LIMITED * (since - window * WINDOW_US)


@njit(cache=True, inline="always")
def _status(key: Any, bases: Any, ordinal: Any, at_us: Any) -> Any:
    if is_limited(key, bases[17], at_us):
        return 429
    return 500 if unit(key, bases[2], ordinal) < P_FAILED else 200


@njit(cache=True, nogil=True)
def _model(key: Any, bases: Any, ordinal: Any, preferred: Any, late_s: Any, p_pivot: Any) -> Any:
    moves_s = -np.log(unit(key, bases[14], 0)) * PIVOT_S if late_s > 0.0 else late_s
    if late_s > moves_s and unit(key, bases[13], ordinal) < p_pivot:
        return NEW_MODEL
    if unit(key, bases[0], ordinal) < P_PREFERRED_LEAST + (1.0 - P_PREFERRED_LEAST) * unit(key, bases[15], 0):
        return preferred
    return below(key, bases[1], ordinal, 3)


@njit(cache=True, nogil=True)
def _answer(key: Any, bases: Any, ordinal: Any, kind: Any, chars: Any, median: Any, spread: Any) -> Any:
    """Draw how long an answer would be without a limit [tokens]."""
    asked = min(max((np.log(max(chars, 1)) - 5.0) / 1.2, -2.0), 2.5)
    free = normal(key, bases[4], ordinal)
    sigmas = LENGTH_CORRELATION * asked + np.sqrt(1.0 - LENGTH_CORRELATION**2) * free
    sigma = min(ANSWER_SIGMA * np.exp(ANSWER_SIGMA_SPREAD * normal(key, bases[16], 0)), ANSWER_SIGMA_MOST)
    wanted = median * np.exp(sigma * sigmas + spread * normal(key, bases[7], 0))
    if unit(key, bases[6], ordinal) < P_TAIL:
        wanted *= min(unit(key, bases[5], ordinal) ** (-1.0 / TAIL_EXPONENT), TAIL_MOST)
    return max(wanted, 1.0)


@njit(cache=True, nogil=True)
def end_requests(keys: Any, ordinal: Any, at_us: Any, session: Any, carried: Any, kind: Any, chars: Any, late_s: Any,
                 preferred: Any, p_pivot: Any, limit: Any, medians: Any, spreads: Any, contexts: Any, bases: Any,
                 model: Any, status: Any, finish: Any, asked: Any, answered: Any, latency_ms: Any,
                 cost_usd: Any) -> None:  # fmt: skip
    """Fill model, status, finish, tokens, latency and cost of every request.

    Parameters
    ----------
    ordinal: number of the request; a later try of a request has its own status, all else is as in the first.
    at_us: time since the log began [us].
    carried: turns of the conversation so far that are sent along.
    chars: characters of prompt and system prompt.
    late_s: time since the release of a new model [s]; not above 0 before it.
    limit: largest answer that was asked for [tokens]; 0 is none.
    """
    for i in range(len(keys)):
        key, number, sort = keys[i], ordinal[i] & (FIRST_TRIES - 1), kind[i]
        model[i] = _model(key, bases, number, preferred[i], late_s[i], p_pivot[i])
        status[i] = _status(key, bases, ordinal[i], at_us[i])
        a_token = CHARS_PER_TOKEN * np.exp(CHARS_SPREAD * normal(key, bases[18], 0))
        tokens = np.int64(max(chars[i] / a_token, 1.0))
        if carried[i] > 0:
            talk = mix64(key ^ np.uint64(session[i]))
            wordy = TURN_TOKENS * np.exp(TURN_SIGMA * normal(talk, bases[8], 0))
            tokens += np.int64(min(carried[i] * wordy, HISTORY_MOST))
        if contexts[sort] > 0.0:
            own = CONTEXT_SPREAD * normal(key, bases[9], 0) + CONTEXT_SIGMA * normal(key, bases[10], number)
            tokens += np.int64(contexts[sort] * np.exp(own))
        asked[i] = tokens
        wanted = _answer(key, bases, number, sort, chars[i], medians[sort], spreads[sort])
        finish[i] = STOP
        if unit(key, bases[3], number) < P_REFUSED:
            wanted, finish[i] = min(wanted, REFUSAL_TOKENS), REFUSAL
        most = limit[i] if limit[i] > 0 else MODEL_LIMIT
        if wanted > most:
            wanted = most
            if finish[i] == STOP:
                finish[i] = LENGTH
        answered[i] = np.int64(wanted)
        pace = SECONDS_PER_TOKEN[model[i]] * np.exp(PACE_SIGMA * normal(key, bases[12], number))
        start = START_MS * np.exp(START_SIGMA * normal(key, bases[11], number))
        latency_ms[i] = np.rint((start + 1000.0 * answered[i] * pace) * 10.0) / 10.0
        paid = tokens * PRICES[model[i], 0] + answered[i] * PRICES[model[i], 1]
        cost_usd[i] = np.rint(paid) / 1e6
