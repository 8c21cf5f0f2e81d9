"""A comparison names the better defence only where equal worlds show it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from detector.errors import NotComparableError, NotRehearsedError
from simulations.loop.compare import compare, lines
from simulations.loop.sides import Side, World, read_side


def side(label: str, leaks: Sequence[float], *, revoked: Sequence[int] = (), hours: float = 1.0, **values: Any) -> Side:
    """Make a side of a rehearsal per seed, 1,000 honest accounts each."""
    revoked = revoked or [0] * len(leaks)
    worlds = tuple(
        World(
            {"scenario.days": values.get("days", 7)},
            seed,
            {
                "leak_share": leak, "revoked_share": n / 1000, "stopped_share": 0.0, "cost_multiplier": None,
                "reviewer_hours": hours, "n_honest": 1000.0, "n_revoked": float(n), "n_stopped": 0.0,
            },
        )
        for seed, (leak, n) in enumerate(zip(leaks, revoked, strict=True), start=values.get("first", 1))
    )  # fmt: skip
    return Side(label, values.get("defence", {"defence.policy.budget": label}), worlds)


def test_a_side_compared_with_itself_is_alike() -> None:
    """Nothing is found where there is nothing, and both are said to be one defence."""
    one = side("a", [0.2, 0.5, 0.1], revoked=[0, 3, 1])

    figures = compare(one, one)

    assert figures["better"] is None
    assert figures["verdict"] == "No difference: 3 worlds came out alike in every figure."
    assert "Both sides have the same defence." in figures["notes"]
    assert all(found["says"] in ("alike", "none") for found in figures["measures"].values())


def test_the_difference_is_that_of_pairs() -> None:
    """By hand: differences -.1, -.2, -.3, deviation .1, t 4.3027: -.2 -+ 4.3027 * .1 / sqrt(3) leaves 0 inside."""
    figures = compare(side("a", [0.9, 0.5, 0.4]), side("b", [0.8, 0.3, 0.1]))

    leak = figures["measures"]["leak_share"]
    assert (leak["mean"], leak["low"], leak["high"]) == pytest.approx((-0.2, -0.4484, 0.0484), abs=1e-4)
    assert leak["says"] == "unsure"
    assert figures["verdict"].startswith("No sure difference in 3 worlds: harvest that gets through")


@pytest.mark.parametrize("is_turned", [False, True])
def test_who_lets_less_through_in_every_world_is_better(is_turned: bool) -> None:
    """Worlds may differ by far more than defences do; the order of the sides turns nothing but the name."""
    few, many = side("few", [0.10, 0.50, 0.90]), side("many", [0.21, 0.60, 1.01])

    figures = compare(many, few) if is_turned else compare(few, many)

    assert figures["better"] == ("b" if is_turned else "a")
    assert figures["verdict"].startswith(f"{'B' if is_turned else 'A'} is better")


def test_less_leak_for_more_wrong_revocations_is_a_trade_off() -> None:
    """What weighs more is not for a program to say."""
    strict = side("strict", [0.10, 0.11, 0.10, 0.12], revoked=[9, 10, 11, 10])
    mild = side("mild", [0.50, 0.51, 0.52, 0.50])

    figures = compare(strict, mild)

    assert figures["better"] is None
    assert figures["verdict"].startswith("A trade-off: A wins in harvest that gets through")
    assert figures["honest"]["a"]["hits"] == 40


def test_nobody_is_better_while_wrong_revocations_are_open() -> None:
    """A wrong revocation is the worst outcome, so a defence that may revoke more is not named the better."""
    figures = compare(side("a", [0.10, 0.11, 0.10], revoked=[0, 5, 0]), side("b", [0.50, 0.51, 0.52]))

    assert figures["better"] is None
    assert figures["verdict"].startswith("A may be better")
    assert "Not sure: honest accounts revoked" in figures["verdict"]


def test_fewer_hours_alone_make_no_defence_better() -> None:
    """Work is a price, no aim."""
    idle, busy = side("idle", [0.1, 0.1, 0.1]), side("busy", [0.1, 0.1, 0.1])
    worlds = [World(w.settings, w.seed, {**w.figures, "reviewer_hours": 2.0 + 0.01 * w.seed}) for w in busy.worlds]

    figures = compare(Side("busy", busy.defence, tuple(worlds)), idle)

    assert figures["better"] is None
    assert figures["verdict"].startswith("Neither is shown to be better: B wins in reviewers' work")


def test_one_seed_cannot_tell() -> None:
    """However great the difference."""
    figures = compare(side("a", [0.0]), side("b", [1.0]))

    assert figures["better"] is None
    assert figures["verdict"].startswith("One seed cannot tell")
    assert figures["measures"]["leak_share"]["low"] is None


def test_only_worlds_of_both_sides_count() -> None:
    """What has no partner is left out, and it is said how much."""
    figures = compare(side("a", [0.1, 0.2, 0.3]), side("b", [0.2, 0.3, 0.4], first=2))

    assert figures["seeds"] == [2, 3]
    assert figures["measures"]["leak_share"]["n_equal"] == 2
    assert "1 of A's 3 rehearsals have no partner and are left out." in figures["notes"]


def test_other_worlds_are_refused_with_what_differs() -> None:
    """Of unlike worlds a difference says nothing of the defences."""
    with pytest.raises(NotComparableError, match=r"other worlds show nothing.*scenario\.days 7 against 21"):
        compare(side("a", [0.1]), side("b", [0.1], days=21))
    with pytest.raises(NotComparableError, match="no seed is on both sides: 1 against 5"):
        compare(side("a", [0.1]), side("b", [0.1], first=5))


def test_the_text_holds_verdict_figures_and_what_differs() -> None:
    """Who reads only the lines misses nothing that decides."""
    shown = "\n".join(lines(compare(side("a", [0.10, 0.50, 0.90]), side("b", [0.21, 0.60, 1.01]))))

    assert shown.startswith("A is better: A wins in harvest that gets through")
    assert "A revoked 0 of 3000 honest accounts" in shown
    assert "defence.policy.budget: 'a' in A, 'b' in B" in shown


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"rehearsal.json": "{", "outcome.json": "{}"},
        {"rehearsal.json": "{}", "outcome.json": "{}"},
        {"rehearsal.json": "[]", "outcome.json": "[]"},
        {"rehearsal.json": '{"scenario": {"seed": NaN}}', "outcome.json": "{}"},
        {"sweep.json": "{}"},
        {"sweep.json": '{"points": [{}]}', "sweep.parquet": "no table"},
    ],
)
def test_a_folder_that_is_no_rehearsal_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    """Missing, damaged or foreign files end in one clear error."""
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(NotRehearsedError, match=r"`stillwatch simulate` has written"):
        read_side(str(tmp_path))


def test_a_comparison_is_plain_json() -> None:
    """What --json prints can be read back."""
    figures = compare(side("a", [0.1, 0.2]), side("b", [0.1, 0.3]))

    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
