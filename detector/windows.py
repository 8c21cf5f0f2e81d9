"""Windows of days over a log: how long, and where they lie."""

from collections.abc import Sequence

import numpy as np

from detector.errors import UsageError
from detector.profiles.store import Profiles

#: Windows of one length that a log gives at most (chosen: some weekdays and a weekend, its beginning and its end).
_MOST_WINDOWS = 4
_DAY_US = 86_400_000_000


def lengths_of(text: str) -> list[int]:
    """Read lengths of windows in days, as in "1,7"; an empty text is none.

    Raises
    ------
    UsageError
        One is not a whole number of days from 1 on.
    """
    lengths = [part.strip() for part in text.split(",") if part.strip()]
    if wrong := [part for part in lengths if not (part.isdecimal() and part.isascii() and int(part))]:
        raise UsageError(f"--windows {wrong[0]!r}: give whole days from 1 on, as in 1,7")
    return [int(part) for part in lengths]


def windows_of(n_days: int, lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Lay windows over a log, spread evenly and apart from each other.

    Parameters
    ----------
    n_days: days that the log covers.
    lengths: of the windows [days]; those as long as the log or longer give none.

    Returns
    -------
    First day and length of each window.

    Examples
    --------
    >>> windows_of(14, [1, 7, 28])
    [(0, 1), (4, 1), (8, 1), (13, 1), (0, 7), (7, 7)]
    """
    shorter = sorted({length for length in lengths if length < n_days})
    begins = {n: np.linspace(0, n_days - n, min(n_days // n, _MOST_WINDOWS)).astype(int).tolist() for n in shorter}
    return [(begin, length) for length in shorter for begin in begins[length]]


def bounds_of(whole: Profiles, lengths: Sequence[int]) -> list[tuple[int, tuple[int, int]]]:
    """Lay windows over the log that was folded whole.

    Returns
    -------
    Length of each window [days], its begin and its end [us since 1970].
    """
    volume = whole.trimmed()["volume"]
    midnight = int(volume.first_at.min()) // _DAY_US * _DAY_US
    n_days = (int(volume.last_at.max()) - midnight) // _DAY_US + 1
    laid = windows_of(n_days, lengths)
    return [(n, (midnight + begin * _DAY_US, midnight + (begin + n) * _DAY_US)) for begin, n in laid]
