from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.reports.waterfall import waterfall


def _piece(contribution: float, feature: str = "f", family: str = "rate") -> dict:
    empty = dict.fromkeys(("subject", "value", "unit", "reference", "percentile", "meaning"))
    return empty | {"family": family, "feature": feature, "contribution": contribution}


PRIOR = _piece(-4.0, "prior", "")


def test_steps_come_in_reading_order():
    """Prior first, then for and against by strength, then the smaller pieces as one."""
    rows = [
        _piece(0.03),
        _piece(-1.0, "b"),
        _piece(2.0, "a"),
        PRIOR,
        _piece(-0.04),
        _piece(3.0, "c"),
        _piece(-2.0, "d"),
    ]
    fall = waterfall(rows, -2.01)
    assert [step.kind for step in fall.steps] == ["prior", "for", "for", "against", "against", "small"]
    assert [step.feature for step in fall.steps] == ["prior", "c", "a", "d", "b", ""]
    assert fall.steps[-1].meaning == "2 smaller pieces of evidence"


@given(st.lists(st.floats(-20, 20), max_size=40))
def test_steps_sum_to_the_score(contributions):
    """Whatever is folded, the steps sum to the score, and each step starts where the last one ended."""
    score = fsum([-4.0, *contributions])
    fall = waterfall([PRIOR, *(_piece(value) for value in contributions)], score)
    assert score == pytest.approx(fsum(step.contribution for step in fall.steps), abs=1e-9)
    assert score == pytest.approx(fall.steps[-1].after, abs=1e-9)
    assert [step.after for step in fall.steps[:-1]] == [step.before for step in fall.steps[1:]]
    assert "unexplained" not in {step.kind for step in fall.steps}


def test_what_evidence_leaves_open_is_said():
    """A gap between evidence and score is a step of its own, never spread or hidden."""
    gap = waterfall([PRIOR, _piece(1.0)], 0.0).steps[-1]
    assert (gap.kind, gap.contribution) == ("unexplained", 3.0)
    assert waterfall([], 2.0).steps[0].meaning == "no evidence was stored for this account"
