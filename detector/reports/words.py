"""Numbers and verdicts in words, the same in every output. Nothing here may claim that something was done."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

MINUS = "\u2212"
NOTHING = "\u2013"

#: What each action is called where it is recommended. Never in the past tense: nothing has been done.
RECOMMENDATION = {
    "none": "no action",
    "review": "review by a person",
    "throttle": "throttle and review",
    "revoke": "revoke after review",
}

#: What a log of each level holds, from `L0` on.
LEVEL = {
    0: "request counts per time bucket",
    1: "one row per request: time, tokens, model",
    2: "requests with network identity",
    3: "requests, network identity and prompts",
    4: "requests, network identity, prompts and completions",
}

#: Why accounts are linked, by kind of `linkage.links.KINDS`.
LINK = {
    "payment": "same payment instrument",
    "organisation": "same organisation",
    "network": "same network",
    "system_prompt": "same system prompt",
    "template": "prompts open alike",
    "sign_up": "opened in one burst of sign-ups",
    "lock_step": "act in lock-step",
}

#: Said once, where contributions are explained, of a model that weighs values together.
PAIRS = (
    "The model also weighs values of one family together: a long answer counts for more after a long prompt. Half of "
    "what two values add together is told with each, so what a value adds depends on the rest of its family, and the "
    "sum of a family says more than any one line."
)


def number(value: float | int | None) -> str:
    """Write a number for reading: thousands apart, three digits where more say nothing.

    Examples
    --------
    >>> number(1234567), number(0.012345), number(None)
    ('1,234,567', '0.0123', '–')
    """
    if value is None:
        return NOTHING
    if not isfinite(value):
        return "not a number" if value != value else ("unbounded" if value > 0 else f"{MINUS}unbounded")
    if value == int(value) and abs(value) < 1e15:
        text = f"{abs(int(value)):,}"
    elif abs(value) >= 1000:
        text = f"{abs(value):,.0f}" if abs(value) < 1e15 else f"{abs(value):.3g}"
    else:
        text = f"{abs(value):.3g}"
    return (MINUS if value < 0 and text != "0" else "") + text


def signed(value: float) -> str:
    """Write log-odds with their sign and two decimals.

    Examples
    --------
    >>> signed(1.234), signed(-0.5)
    ('+1.23', '−0.50')
    """
    return fixed(value) if round(value, 2) < 0 else f"+{fixed(value)}"


def fixed(value: float | None) -> str:
    """Write log-odds with two decimals, no sign where positive."""
    if value is None or not isfinite(value):
        return number(value)
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", MINUS)


def among(n_peers: int | None, peers: str) -> str:
    """Say among whom a percentile was taken; empty where unknown.

    Examples
    --------
    >>> among(214, "volume and client"), among(3000, "nothing"), among(None, "")
    ('among 214 accounts of like volume and client', 'among 3,000 accounts of any kind', '')
    """
    if n_peers is None:
        return ""
    return f"among {counted(n_peers, 'account')} of " + ("any kind" if peers == "nothing" else f"like {peers}")


def kind(name: str) -> str:
    """Write the name of a kind of customer, or of a link, for reading."""
    return LINK.get(name, name.replace("_", " "))


def betting(e_value: float | None) -> str:
    """Say what an e-value means; empty where it is unknown or says nothing.

    Examples
    --------
    >>> betting(2603.4), betting(0.5)
    ('a bet against its honesty would have paid 2,600-fold', '')
    """
    if e_value is None or not isfinite(e_value) or e_value <= 1:
        return ""
    return f"a bet against its honesty would have paid {number(_rounded(e_value))}-fold"


def likeness(row: Mapping[str, Any]) -> str:
    """Say how like a kind of honest customer an account is; a row of `tables.LOOKALIKES`."""
    return (
        f"{kind(row['kind'])} (typical distance {row['typical']:.1f}, nearly all within {row['far']:.1f}, "
        f"this account {row['distance']:.1f})"
    )


def share(value: float | None) -> str:
    """Write a share between 0 and 1 in per cent, never rounding up to everything or down to nothing."""
    if value is None or not isfinite(value):
        return NOTHING
    percent = 100 * value
    if 99.9 < percent < 100:
        return "> 99.9 %"
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return f"{percent:.1f}".removesuffix(".0") + " %"


def rarity(p_value: float | None) -> str:
    """Say how often an honest account would score as high."""
    if p_value is None or not isfinite(p_value) or p_value <= 0:
        return "unknown among honest accounts"
    if p_value >= 0.1:
        return f"expected of {share(p_value)} of honest accounts"
    return f"expected of about 1 in {number(_rounded(1 / p_value))} honest accounts"


def _rounded(value: float) -> int:
    return int(float(f"{value:.2g}"))


def counted(n: int | None, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> counted(1, "account"), counted(2000, "account")
    ('1 account', '2,000 accounts')
    """
    return f"{number(n)} {noun}" if n == 1 else f"{number(n)} {noun}s"


def listed(names: list[str]) -> str:
    """Join names as a sentence does.

    Examples
    --------
    >>> listed(["rate", "content", "network"])
    'rate, content and network'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
