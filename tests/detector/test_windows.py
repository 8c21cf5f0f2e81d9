"""Windows lie apart from each other within the log, and are whole days."""

import itertools

import pytest

from detector.errors import UsageError
from detector.windows import lengths_of, windows_of


@pytest.mark.parametrize("n_days", [1, 2, 6, 14, 90])
def test_windows_lie_within_the_log_and_apart(n_days: int) -> None:
    """None is as long as the log, none reaches beyond it, two of one length share no day, and at most four are laid."""
    found = windows_of(n_days, (1, 2, 7, 14))
    assert all(begin >= 0 and begin + length <= n_days and length < n_days for begin, length in found)
    for length in {length for _, length in found}:
        begins = sorted(begin for begin, other in found if other == length)
        assert begins[0] == 0 and len(begins) <= 4
        assert all(later - earlier >= length for earlier, later in itertools.pairwise(begins))


@pytest.mark.parametrize("text", ["0", "1,0.5", "-1", "day", "1;2"])
def test_windows_are_whole_days(text: str) -> None:
    """What is no number of days is refused with an example."""
    with pytest.raises(UsageError, match=r"give whole days from 1 on, as in 1,7"):
        lengths_of(text)
