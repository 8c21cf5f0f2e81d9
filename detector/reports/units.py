"""Values with their units, as they are read: shares in per cent, logarithms undone."""

from math import isfinite

from detector.reports import words

#: Up to this length a unit is a symbol, such as `ms`, and has no plural.
SHORTEST_NOUN = 3

#: Logarithms that a unit may name first.
BASES = {"log2": 2.0, "log10": 10.0}

#: Exponents beyond this stay as they are: the number would not be read.
MOST_EXPONENT = 40

#: Units that are shares of one, shown in per cent.
SHARES = frozenset({"share", "fraction", "ratio", "probability"})


def measure(value: float | None, unit: str) -> str:
    """Write a value with its unit.

    Examples
    --------
    >>> measure(0.25, "share"), measure(1.0, "accounts"), measure(12.5, "ms"), measure(2.0, "log10 s")
    ('25 %', '1 account', '12.5 ms', '100 s')
    """
    if value is None:
        return words.NOTHING
    value, unit = plain(value, unit)
    if unit in SHARES and isfinite(value):
        return f"{100 * value:.3g} %"
    noun = unit.split(" ")[0]
    if value == 1 and len(noun) > SHORTEST_NOUN and noun.endswith("s"):
        unit = noun[:-1] + unit[len(noun) :]
    return f"{words.number(value)} {unit}".rstrip()


def plain(value: float, unit: str) -> tuple[float, str]:
    """Take a value out of its logarithm, to three digits. What was added before taking it is far below them.

    Examples
    --------
    >>> plain(3.0, "log2 accounts"), plain(0.25, "share")
    ((8.0, 'accounts'), (0.25, 'share'))
    """
    base, _, noun = unit.partition(" ")
    if base not in BASES or not isfinite(value) or abs(value) > MOST_EXPONENT:
        return value, unit
    return float(f"{BASES[base] ** value:.3g}"), noun


def usual(reference: float | None, low: float | None, high: float | None, unit: str) -> str:
    """Write what is usual: from the 5 % to the 95 % quantile of honest accounts, or the middle where those are unknown.

    Examples
    --------
    >>> usual(1.0, 0.0, 2.0, "log10 s"), usual(3.0, None, None, "ms"), usual(0.0, 0.0, 0.0, "")
    ('1 to 100 s', '3 ms', '0')
    """
    if low is None or high is None or measure(low, unit) == measure(high, unit):
        return measure(reference, unit)
    first = measure(low, unit) if unit in SHARES else words.number(plain(low, unit)[0])
    return f"{first} to {measure(high, unit)}"
