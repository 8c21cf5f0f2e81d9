"""A mark of how far a log was read survives as JSON."""

import json
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from detector.engines.marks import Mark
from detector.engines.tallies import Tally

COUNTS = st.integers(0, 2**40)
TALLIES = st.builds(
    Tally,
    n_read=COUNTS,
    n_truncated=COUNTS,
    n_by_rung=st.dictionaries(st.integers(0, 5), st.integers(1, 2**40)).map(Counter),
    rejected=st.lists(st.tuples(COUNTS, st.text(max_size=5))),
)


@given(st.lists(TALLIES, max_size=3).map(tuple), COUNTS)
def test_what_is_kept_is_what_was(tallies: tuple[Tally, ...], offset: int) -> None:
    """Counts by what names an account are counts again, not text."""
    mark = Mark(len(tallies), offset, tallies, (1,))
    assert Mark.from_json(json.loads(json.dumps(mark.to_json()))) == mark
    for tally in mark.tallies:
        copied = tally.copy()
        copied.n_by_rung[9] += 1
        copied.rejected.append((0, "more"))
        assert 9 not in tally.n_by_rung
        assert len(copied.rejected) == len(tally.rejected) + 1
