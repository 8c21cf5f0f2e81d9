"""Who is flagged, and what protects an account from being revoked for what others did."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.control import check_budget
from detector.detectors.base import Reference, Verdict, within_log_reference
from detector.errors import ImpossibleRequestError
from detector.policy import Decisions, decide, speaks_for_itself
from detector.settings import PolicySettings
from detector.tables import ACTIONS

#: A thousand honest accounts with scores -10 to -0.01.
REFERENCE = within_log_reference(np.arange(-10, 0, 0.01))
FAMILY = {"requests_per_day": "rate", "repeats": "content", "networks": "network", "payments": "economy"}
GUILTY = {"repeats": 4.0, "networks": 4.0}


def verdict_of(*rows: dict[str, float], prior: float = -4.0) -> Verdict:
    """Make a verdict from the contributions of each account."""
    pieces = pd.DataFrame([{name: row.get(name, 0.0) for name in FAMILY} for row in rows])
    return Verdict(prior, pieces, FAMILY, REFERENCE)


def decided(
    *rows: dict[str, float],
    own: list[dict[str, float]] | None = None,
    n_events: int = 500,
    may_revoke: bool = True,
    asks_alike: list[bool] | None = None,
    in_crowd: list[bool] | None = None,
    cluster: list[int] | None = None,
    **given: Any,
) -> Decisions:
    """Decide; an account's own behaviour is its cluster's unless told otherwise."""
    return decide(
        verdict_of(*rows),
        verdict_of(*(own if own is not None else rows)),
        np.full(len(rows), n_events),
        PolicySettings(**given),
        may_revoke=may_revoke,
        asks_alike=None if asks_alike is None else np.array(asks_alike),
        in_crowd=None if in_crowd is None else np.array(in_crowd),
        cluster=None if cluster is None else np.array(cluster),
    )


def clustered(shared: dict[str, float], own: dict[str, float], *, asks_alike: bool = True, **given: Any) -> str:
    """Give the action on the first of three accounts of one cluster."""
    others = {"repeats": 4.0}
    decisions = decided(
        *[shared] * 3, own=[own, others, others], asks_alike=[asks_alike, True, True], cluster=[7] * 3, **given
    )
    return str(decisions.action[0])


def test_a_guilty_account_is_revoked() -> None:
    """Score far above the threshold, two families, own behaviour, enough requests."""
    decisions = decided(GUILTY)
    assert decisions.action.tolist() == ["revoke"]
    assert decisions.is_flagged.tolist() == [True]


def test_an_honest_account_is_left_alone() -> None:
    """No evidence, no action, a p-value that says how common it is."""
    decisions = decided({})
    assert decisions.action.tolist() == ["none"]
    assert decisions.p_value[0] == pytest.approx(0.4, abs=0.01)


def test_one_family_is_never_enough() -> None:
    """However strong, one kind of cause only throttles."""
    assert decided({"repeats": 40.0}).action.tolist() == ["throttle"]


def test_a_second_family_must_carry_weight() -> None:
    """Just below the support a family must give, it does not count; at it, it does."""
    assert decided({"repeats": 9.0, "networks": 0.99}, hiding_support=0.0).action.tolist() == ["throttle"]
    assert decided({"repeats": 9.0, "networks": 1.0}, hiding_support=0.0).action.tolist() == ["revoke"]
    assert decided({"repeats": 9.0, "networks": 2.0}, revoke_families=3).action.tolist() == ["throttle"]


def test_bulk_work_that_does_not_hide_is_not_revoked() -> None:
    """However much and however alike it asks, a customer with one card and one address is a human's to judge."""
    assert decided({"repeats": 40.0, "requests_per_day": 40.0}).action.tolist() == ["throttle"]


def test_signs_of_hiding_add_up() -> None:
    """Network and economy together must reach their support; one may carry it, and one may cost the other."""
    for network, economy, action in ((1.0, 1.0, "revoke"), (1.5, 0.49, "throttle"), (4.0, -2.1, "throttle")):
        row = {"repeats": 9.0, "networks": network, "payments": economy}
        assert decided(row).action.tolist() == [action]


def test_few_requests_revoke_nobody() -> None:
    """Below 50 requests a human decides."""
    assert decided(GUILTY, n_events=49).action.tolist() == ["throttle"]
    assert decided(GUILTY, n_events=50).action.tolist() == ["revoke"]


def test_nothing_is_recommended_for_an_account_under_contract() -> None:
    """It is flagged and scored like its neighbour, so that a contract that is abused still shows."""
    verdict = verdict_of(GUILTY, GUILTY)
    counts = np.array([1000, 1000])
    is_allowed = np.array([True, False])
    decisions = decide(verdict, verdict, counts, PolicySettings(), may_revoke=True, is_allowed=is_allowed)
    assert decisions.action.tolist() == ["none", "revoke"]
    assert decisions.is_flagged.all()


def test_a_degraded_log_revokes_nobody() -> None:
    """What the log cannot support is not done, whatever the score."""
    assert decided(GUILTY, may_revoke=False).action.tolist() == ["throttle"]


@settings(max_examples=60)
@given(st.lists(st.floats(0, 30), min_size=4, max_size=4), st.lists(st.floats(-5, 0.99), min_size=2, max_size=2))
def test_who_does_not_ask_like_its_cluster_is_not_revoked(cluster: list[float], own: list[float]) -> None:
    """Sharing cards and addresses with a fleet is not enough, however much is forged onto it."""
    shared = dict(zip(FAMILY, cluster, strict=True))
    behaviour = {"requests_per_day": own[0], "repeats": own[1], "networks": 30.0, "payments": 30.0}
    assert clustered(shared, behaviour, asks_alike=False) != "revoke"
    assert decided(shared, own=[behaviour]).action[0] != "revoke"


@settings(max_examples=60)
@given(st.lists(st.floats(0, 30), min_size=4, max_size=4), st.floats(-5, 2.5), st.floats(-5, 0))
def test_nobody_is_revoked_without_evidence_of_its_own(cluster: list[float], rate: float, sum_of_both: float) -> None:
    """Even who asks like its cluster is not, while its own rate and content, taken together, do not speak for it."""
    shared = dict(zip(FAMILY, cluster, strict=True))
    behaviour = {"requests_per_day": rate, "repeats": sum_of_both - rate, "networks": 30.0, "payments": 30.0}
    assert clustered(shared, behaviour) != "revoke"


def test_a_member_too_small_to_convict_itself_is_judged_as_what_it_asks_like() -> None:
    """Own evidence short of support is enough in a cluster that it asks like, and only there."""
    slight = {"repeats": 0.3}
    assert clustered(GUILTY, slight) == "revoke"
    assert clustered(GUILTY, slight, asks_alike=False) == "throttle"
    assert decided(GUILTY, own=[slight]).action.tolist() == ["throttle"]


def test_asking_like_a_cluster_whose_asking_is_ordinary_revokes_nobody() -> None:
    """A cluster that is guilty by its addresses and payments alone lends its members no behaviour."""
    assert clustered({"networks": 5.0, "payments": 5.0, "repeats": 0.9}, {"repeats": 0.9}) == "throttle"


def test_who_would_be_revoked_for_its_own_behaviour_need_not_ask_like_its_cluster() -> None:
    """Three above the threshold by rate and content alone it is; what can be forged onto it does not help it there."""
    needed = REFERENCE.threshold(1e-3) + 3.0 + 4.0
    for own, action in (
        ({"repeats": needed + 0.01}, "revoke"),
        ({"repeats": needed - 0.01, "networks": 9.0, "payments": 9.0}, "throttle"),
        ({"repeats": needed + 0.01, "networks": -0.02}, "throttle"),
    ):
        assert clustered(GUILTY, own, asks_alike=False) == action


def test_a_crowd_needs_less_of_score_and_of_hiding() -> None:
    """In a crowd one above the threshold and one family's hiding are enough, elsewhere three and two of hiding are."""
    threshold = REFERENCE.threshold(1e-3) + 4.0
    for network, above, in_crowd, action in (
        (1.0, 1.01, True, "revoke"),
        (0.99, 1.01, True, "throttle"),
        (1.0, 0.99, True, "review"),
        (1.0, 3.01, False, "throttle"),
        (2.0, 2.99, False, "throttle"),
        (2.0, 3.01, False, "revoke"),
    ):
        row = {"networks": network, "repeats": threshold + above - network}
        decisions = decided(*[row] * 3, in_crowd=[in_crowd] * 3, asks_alike=[True] * 3, cluster=[7] * 3)
        assert decisions.action.tolist() == [action] * 3


@settings(max_examples=60)
@given(st.lists(st.floats(-6, 20), min_size=4, max_size=4), st.lists(st.floats(-5, 20), min_size=4, max_size=4))
def test_a_crowd_flags_nobody_and_excuses_nothing(shared: list[float], own: list[float]) -> None:
    """Standing in one moves no score, and who is revoked in one is flagged, asks alike and has two families."""
    row, itself = dict(zip(FAMILY, shared, strict=True)), dict(zip(FAMILY, own, strict=True))

    def acting(*, in_crowd: bool, alike: bool) -> Decisions:
        others = [True, True]
        return decided(
            *[row] * 3, own=[itself] * 3, in_crowd=[in_crowd] * 3, asks_alike=[alike, *others], cluster=[7] * 3
        )

    inside, outside = acting(in_crowd=True, alike=True), acting(in_crowd=False, alike=True)
    np.testing.assert_array_equal(inside.is_flagged, outside.is_flagged)
    assert ACTIONS.index(inside.action[0]) >= ACTIONS.index(outside.action[0])
    if inside.action[0] == "revoke":
        assert inside.is_flagged[0]
        assert sum(value >= 1.0 for value in shared) >= 2
        assert max(own[:2]) > 0
    forged = acting(in_crowd=True, alike=False)
    assert forged.action[0] != "revoke" or sum(own[:2]) - 4.0 >= REFERENCE.threshold(1e-3) + 3.0


def test_stricter_settings_outside_are_never_undone_by_a_crowd() -> None:
    """A crowd's needs are never more than those of everyone else."""
    row = {"networks": 0.6, "repeats": REFERENCE.threshold(1e-3) + 4.0}
    given: dict[str, Any] = {"revoke_odds": 0.5, "hiding_support": 0.5, "family_support": 0.5}
    for in_crowd in (True, False):
        decisions = decided(*[row] * 2, in_crowd=[in_crowd] * 2, asks_alike=[True] * 2, cluster=[7] * 2, **given)
        assert decisions.action.tolist() == ["revoke"] * 2


def test_what_can_be_forged_speaks_for_nobody() -> None:
    """Own rate and own content together speak from two on; addresses and payments do not, nor against it."""
    rows = [
        {"requests_per_day": 1.0, "repeats": 1.0},
        {"requests_per_day": 3.0, "repeats": -1.01},
        {"networks": 30.0, "payments": 30.0},
        {"repeats": 2.0, "networks": -30.0},
    ]
    assert speaks_for_itself(verdict_of(*rows)).tolist() == [True, False, False, True]


def test_framing_is_told_apart_account_by_account() -> None:
    """In one cluster the one who harvests is revoked and the one who is framed is not."""
    decisions = decided(
        GUILTY, GUILTY, own=[{"repeats": 1.0}, {"networks": 9.0}], asks_alike=[True, False], cluster=[3, 3]
    )
    assert decisions.action.tolist() == ["revoke", "throttle"]


def test_actions_rise_with_the_score() -> None:
    """Just above the threshold is looked at, one above is throttled, three above is revoked."""
    threshold = REFERENCE.threshold(1e-3)
    for above, action in ((-0.01, "none"), (0.01, "review"), (1.01, "throttle"), (2.99, "throttle"), (3.01, "revoke")):
        half = (threshold + above + 4.0) / 2
        assert decided({"repeats": half, "networks": half}).action.tolist() == [action]


def test_many_reviewers_make_nobody_guiltier() -> None:
    """Where capacity lowers the threshold, more is looked at; what is throttled or revoked is what ever was."""
    rows = [{"repeats": half, "networks": half} for half in np.linspace(0.0, 9.0, 40)]
    usual, many = decided(*rows), decided(*rows, capacity=40.0, least_odds=0.0)
    assert many.threshold < usual.threshold
    assert many.is_flagged.sum() > usual.is_flagged.sum()
    for action in ("throttle", "revoke"):
        np.testing.assert_array_equal(many.action == action, usual.action == action)


@settings(max_examples=40)
@given(st.lists(st.floats(-6, 20), min_size=1, max_size=20), st.floats(0.001, 0.5))
def test_flagged_is_above_the_threshold(added: list[float], budget: float) -> None:
    """An account is flagged exactly when its score reaches the threshold, and acted upon exactly when flagged."""
    decisions = decided(*({"repeats": a} for a in added), budget=budget)
    scores = -4.0 + np.array(added)
    np.testing.assert_array_equal(decisions.is_flagged, scores >= decisions.threshold)
    np.testing.assert_array_equal(decisions.is_flagged, decisions.action != "none")


@settings(max_examples=40)
@given(st.lists(st.floats(-6, 20), min_size=2, max_size=2), st.floats(0, 8))
def test_more_evidence_never_softens(added: list[float], more: float) -> None:
    """Higher contributions give no smaller action and no larger p-value."""
    decisions = decided(
        {"repeats": added[0], "networks": added[1]}, {"repeats": added[0] + more, "networks": added[1] + more}
    )
    severity = [ACTIONS.index(action) for action in decisions.action]
    assert severity[0] <= severity[1]
    assert decisions.p_value[0] >= decisions.p_value[1]


def test_an_impossible_budget_is_refused() -> None:
    """A thousand honest accounts cannot show a rate of 1 in 10,000; the text says from where on they can."""
    with pytest.raises(ImpossibleRequestError) as caught:
        decided({}, budget=1e-4)
    assert str(caught.value) == (
        "--budget 0.0001: the reference holds 1000 honest accounts and can tell rates from 0.001 up; "
        "give a larger budget, or fit a model on more accounts"
    )


def test_the_least_budget_is_one_in_n() -> None:
    """One in n is told, anything less is refused, and no account at all tells nothing."""
    check_budget(REFERENCE, 1 / 1000)
    with pytest.raises(ImpossibleRequestError):
        check_budget(REFERENCE, 0.999 / 1000)
    with pytest.raises(ImpossibleRequestError, match="holds 0 honest accounts"):
        check_budget(Reference(0, np.empty(0), np.empty(0)), 0.5)


def test_a_detector_without_reference_is_refused() -> None:
    """A budget needs honest scores to count against."""
    verdict = Verdict(0.0, pd.DataFrame({"repeats": [1.0]}), FAMILY)
    with pytest.raises(ImpossibleRequestError, match="the detector has no reference scores; a budget needs them"):
        decide(verdict, verdict, np.array([5]), PolicySettings(), may_revoke=True)


@pytest.mark.parametrize(
    ("rows", "given", "lacking"),
    [
        ([GUILTY], {}, ""),
        ([{}], {}, ""),
        ([GUILTY], {"may_revoke": False}, "leave"),
        ([GUILTY], {"n_events": 1}, "requests"),
        ([{"repeats": 40.0}], {}, "families,hiding"),
        ([GUILTY], {"own": [{}]}, "own_behaviour"),
    ],
)
def test_what_a_revocation_lacks_is_named(rows: list[dict[str, float]], given: dict[str, Any], lacking: str) -> None:
    """A flagged account that is not revoked says why; one that is revoked, or not flagged, lacks nothing."""
    decisions = decided(*rows, **given)
    assert decisions.held_back.tolist() == [lacking]
    assert (decisions.action[0] == "revoke") == (decisions.is_flagged[0] and not lacking)
