"""Figures of traffic that real traces publish too: rates, rhythm, sizes, turns, texts. Pure; no file is read."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.streams import Counts, Reals

#: Length of ServeGen's windows [s], and requests below which the variation of gaps in a window says nothing.
WINDOW_S, LEAST_IN_WINDOW = 600.0, 50
#: A longer pause begins a new conversation [s]. Chosen: beyond the longest pauses of most people in one.
SESSION_GAP_S = 900.0


def gini(values: Reals) -> float:
    """Measure inequality: 0 is equal shares, 1 is all to one.

    Examples
    --------
    >>> gini(np.array([1.0, 1.0, 1.0]))
    0.0
    """
    ordered, n = np.sort(values), len(values)
    return float(2.0 * (np.arange(1, n + 1) * ordered).sum() / (n * ordered.sum()) - (n + 1) / n)


def zipf_slope(values: Reals) -> float:
    """Fit the logarithm of the value against the logarithm of its rank; the smallest tenth is left out."""
    ordered = np.sort(values[values > 0])[::-1]
    kept = ordered[: max(3, int(0.9 * len(ordered)))]
    return float(np.polyfit(np.log(np.arange(1, len(kept) + 1)), np.log(kept), 1)[0])


def variation(values: Reals) -> float:
    """Give the coefficient of variation."""
    return float(values.std() / values.mean()) if len(values) > 1 and values.mean() > 0 else float("nan")


def fano(at_s: Reals, width_s: float) -> float:
    """Give variance over mean of the counts in windows of a width: 1 is Poisson."""
    counts = np.bincount(((at_s - at_s.min()) / width_s).astype(np.int64))[:-1]
    return float(counts.var() / counts.mean()) if len(counts) > 2 else float("nan")


def fano_at(at_s: Reals, width_s: float, *, per_s: float) -> float:
    """Give the Fano factor that a log would have, were it as dense as another: what exceeds Poisson grows with density.

    Parameters
    ----------
    per_s: density of the other log [requests/s].
    """
    own = (len(at_s) - 1) / max(at_s.max() - at_s.min(), 1e-9)
    return 1.0 + (fano(at_s, width_s) - 1.0) * per_s / own


def duty_cycles(member: Counts, at_s: Reals, length_s: float) -> Reals:
    """Give the share of windows in which each account is active."""
    window = (at_s // WINDOW_S).astype(np.int64)
    n_windows = max(1, int(np.ceil(length_s / WINDOW_S)))
    pairs = np.unique(member * (n_windows + 1) + window)
    return np.unique(pairs // (n_windows + 1), return_counts=True)[1] / n_windows


def window_variations(member: Counts, at_s: Reals) -> Reals:
    """Give the variation of gaps in every window with enough requests of one account."""
    order = np.lexsort((at_s, member))
    who, at = member[order], at_s[order]
    place = who * 10_000_000 + (at // WINDOW_S).astype(np.int64)
    heads = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
    sizes = np.diff(np.append(heads, len(place)))
    enough = [(head, size) for head, size in zip(heads, sizes, strict=True) if size >= LEAST_IN_WINDOW]
    return np.array([variation(np.diff(at[head : head + size])) for head, size in enough])


def turns(member: Counts, at_s: Reals) -> Counts:
    """Count the requests of each conversation, cut at long pauses."""
    order = np.lexsort((at_s, member))
    who, at = member[order], at_s[order]
    opens = np.append(True, (who[1:] != who[:-1]) | (np.diff(at) > SESSION_GAP_S))
    return np.diff(np.append(np.flatnonzero(opens), len(at)))


def hour_shares(at_s: Reals) -> Reals:
    """Give the share of each hour of the day, largest first: the shape of a day wherever its midnight lies."""
    counts = np.bincount((at_s % 86_400 // 3600).astype(np.int64), minlength=24)
    return np.sort(counts / counts.sum())[::-1]


def gaps_within(member: Counts, at_s: Reals, longest_s: float) -> Reals:
    """Give the gaps between an account's requests that are no longer than a bound [s]."""
    order = np.lexsort((at_s, member))
    gap, same = np.diff(at_s[order]), np.diff(member[order]) == 0
    return gap[same & (gap <= longest_s)]


def per_account(member: Counts, values: Reals, *, least: int = 20) -> tuple[Reals, Reals]:
    """Give mean and coefficient of variation of a value for accounts with enough requests."""
    n = np.bincount(member)
    enough = n >= least
    mean = np.bincount(member, values)[enough] / n[enough]
    square = np.bincount(member, values**2)[enough] / n[enough]
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0)) / np.maximum(mean, 1e-9)


def text_figures(texts: pa.Array) -> dict[str, float]:
    """Give what shows the mess and the templates of texts that one account, or one corpus, holds."""
    length = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.float64)
    openings = pc.list_slice(pc.utf8_split_whitespace(texts), 0, 3)
    opened = pc.binary_join(openings.cast(pa.list_(pa.string())), " ")
    return {
        "variation of lengths": variation(length),
        "share in lower case": _share(texts, r"^[a-z]"),
        "share with please": _share(pc.utf8_lower(texts), r"\bplease\b"),
        "share of repeats": 1.0 - len(texts.unique()) / len(texts),
        "distinct openings": len(opened.unique()) / len(texts),
    }


def _share(texts: pa.Array, pattern: str) -> float:
    return float(np.mean(pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)))
