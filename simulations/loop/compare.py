"""Which of two defences is better, by how much, how sure: paired over equal worlds, so that luck is shared.

It compares nothing that differs in more than the defence, and claims nothing from one seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from detector.errors import NotComparableError
from detector.intervals import share_with_interval
from simulations.loop.figures import MEASURES, Measure
from simulations.loop.sides import Side, World
from simulations.loop.spread import FEW, paired

#: Fewer pairs than this cannot make a difference sure. Chosen: two numbers that agree by chance have no spread.
FEWEST = 3
#: Measures that settle which defence is better: what it lets through, and whom it revokes wrongly.
PRIMARY = ("leak_share", "revoked_share")
#: Differences that are named when worlds differ.
_MOST_NAMED = 6
METHOD = (
    "Differences are B - A in equal worlds: same scenario, attack and seed. Intervals: 95 % for each figure by "
    f"Student's t over the paired differences; a difference is sure when its interval leaves out 0 and there are "
    f"{FEWEST} pairs or more. Of five figures of equal defences, one in about four comparisons shows one as sure. "
    "p is that of the sign test, which assumes less and sees less. Other scenarios are not spoken of."
)


def compare(a: Side, b: Side) -> dict[str, Any]:
    """Compare two defences.

    Returns
    -------
    JSON-ready: `verdict` in words, `better` ("a", "b" or None), `n_pairs`, `seeds`, `measures` by name with the mean
    of each side, the paired difference b - a with its interval and what it says, `honest` with exact intervals of
    wrongful revocations, `differs` with the settings of the defences that differ, `notes`, `method`.

    Raises
    ------
    NotComparableError
        No world is on both sides: scenario, attack or seeds differ; it says in what.
    """
    pairs = _pairs(a, b)
    measures = {measure.name: _measured(measure, pairs) for measure in MEASURES}
    sides = {"a": (a, [one for one, _ in pairs]), "b": (b, [other for _, other in pairs])}
    better, verdict = _verdict(measures, len(pairs))
    return {
        "a": a.label,
        "b": b.label,
        "verdict": verdict,
        "better": better,
        "n_pairs": len(pairs),
        "seeds": sorted({one.seed for one, _ in pairs}),
        "measures": measures,
        "honest": {name: _revoked(worlds) for name, (_, worlds) in sides.items()},
        "differs": _differences(a.defence, b.defence),
        "notes": _notes(a, b, pairs, measures),
        "method": METHOD,
    }


def _pairs(a: Side, b: Side) -> list[tuple[World, World]]:
    others = {world.key: world for world in b.worlds}
    pairs = [(world, others[world.key]) for world in a.worlds if world.key in others]
    if pairs:
        return pairs
    if {world.key[0] for world in a.worlds} & {world.key[0] for world in b.worlds}:
        raise NotComparableError(
            f"{a.label} and {b.label}: no seed is on both sides: {_listed(a.seeds)} against {_listed(b.seeds)}; "
            "rehearse both with the same --seed"
        )
    differences = _differences(a.worlds[0].settings, b.worlds[0].settings)
    named = "; ".join(
        f"{key} {one!r} against {other!r}" for key, (one, other) in list(differences.items())[:_MOST_NAMED]
    )
    rest = len(differences) - _MOST_NAMED
    raise NotComparableError(
        f"{a.label} and {b.label}: other worlds show nothing of the defences: {named}"
        f"{f'; and {rest} more' if rest > 0 else ''}; rehearse both with the same scenario and attack"
    )


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds[:_MOST_NAMED])) + (", ..." if len(seeds) > _MOST_NAMED else "")


def _differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Give the settings that differ, with both values; one that is not there is None."""
    return {key: [a.get(key), b.get(key)] for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)}


def _measured(measure: Measure, pairs: Sequence[tuple[World, World]]) -> dict[str, Any]:
    a, b = ([pair[side].figures[measure.name] for pair in pairs] for side in (0, 1))
    both = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    found = paired(a, b)
    means = [sum(values) / len(both) if both else None for values in ([x for x, _ in both], [y for _, y in both])]
    return {"a": means[0], "b": means[1], **found, "says": _says(found, more_is_better=measure.more_is_better)}


def _says(found: Mapping[str, Any], *, more_is_better: bool) -> str:
    """Say what a difference comes to: a or b is better, alike, unsure; none where nothing was measured."""
    if not found["n"]:
        return "none"
    if found["n_equal"] == found["n"]:
        return "alike"
    if found["n"] < FEWEST or found["low"] <= 0.0 <= found["high"] or found["low"] == found["high"]:
        return "unsure"
    return "b" if (found["mean"] > 0) == more_is_better else "a"


def _verdict(measures: Mapping[str, Mapping[str, Any]], n_pairs: int) -> tuple[str | None, str]:
    says = {name: found["says"] for name, found in measures.items()}
    if set(says.values()) <= {"alike", "none"}:
        return None, f"No difference: {_seeds(n_pairs)} came out alike in every figure."
    if n_pairs == 1:
        return None, "One seed cannot tell: what differs may be this one world. Rehearse both with --seeds 5 or more."
    won = {side: [measure for measure in MEASURES if says[measure.name] == side] for side in ("a", "b")}
    unsure = [measure.noun for measure in MEASURES if says[measure.name] == "unsure"]
    if not won["a"] and not won["b"]:
        return None, f"No sure difference in {_seeds(n_pairs)}: {_joined(unsure)} may differ either way."
    if won["a"] and won["b"]:
        return None, f"A trade-off: {_won('a', won, measures)}; {_won('b', won, measures)}. Which weighs more is yours."
    side = "b" if won["b"] else "a"
    claim = _claim(side, won[side], says)
    text = f"{claim}: {_won(side, won, measures)}." + (f" Not sure: {_joined(unsure)}." if unsure else "")
    return side if claim.endswith("is better") else None, text


def _claim(side: str, won: Sequence[Measure], says: Mapping[str, str]) -> str:
    """Claim only as much as the primary measures bear."""
    if not any(measure.name in PRIMARY for measure in won):
        return "Neither is shown to be better"
    is_open = any(says[name] == "unsure" for name in PRIMARY)
    return f"{side.upper()} {'may be' if is_open else 'is'} better"


def _won(side: str, won: Mapping[str, list[Measure]], measures: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [f"{measure.noun} {_span(measure, measures[measure.name])}" for measure in won[side]]
    return f"{side.upper()} wins in {_joined(parts)}"


def _span(measure: Measure, found: Mapping[str, Any]) -> str:
    a, b, low, high = (found[name] * measure.times for name in ("a", "b", "low", "high"))
    return f"(A {a:.3g}, B {b:.3g}; B - A {low:+.3g} to {high:+.3g} {measure.unit})"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _seeds(n: int) -> str:
    return "one world" if n == 1 else f"{n} worlds"


def _revoked(worlds: Sequence[World]) -> dict[str, Any]:
    hits, n = (sum(int(world.figures[name] or 0) for world in worlds) for name in ("n_revoked", "n_honest"))
    return share_with_interval(hits, n, per=1e4)


def _notes(
    a: Side, b: Side, pairs: Sequence[tuple[World, World]], measures: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Say what was left out and what is thin."""
    notes = []
    if not _differences(a.defence, b.defence):
        notes.append("Both sides have the same defence.")
    for name, side in (("A", a), ("B", b)):
        if n := len(side.worlds) - len(pairs):
            notes.append(f"{n} of {name}'s {len(side.worlds)} rehearsals have no partner and are left out.")
        if side.n_failed:
            notes.append(f"{side.n_failed} of {name}'s rehearsals failed and are left out.")
    if 1 < len(pairs) < FEW:
        notes.append(f"{len(pairs)} pairs are few: intervals are wide and lean on worlds being alike.")
    n_missing = len(pairs) - measures["cost_multiplier"]["n"]
    if n_missing:
        notes.append(f"{n_missing} pairs have no cost multiplier: nothing useful was taken, or nothing was harvested.")
    return notes


def lines(figures: Mapping[str, Any]) -> list[str]:
    """Lay a comparison out as text."""
    shown = [figures["verdict"], "", f"{'':<44}{'A':>9}{'B':>9}{'B - A':>9}  {'95 % interval':<20}{'p':>7}"]
    for measure in MEASURES:
        found = figures["measures"][measure.name]
        if not found["n"]:
            continue
        a, b, mean = (f"{found[name] * measure.times:.4g}" for name in ("a", "b", "mean"))
        bounds = _bounds(found, measure)
        shown.append(f"{measure.title:<44}{a:>9}{b:>9}{mean:>9}  {bounds:<20}{found['p_sign']:>7.2g}")
    shown += ["", *(_harm(name, figures["honest"][name]) for name in ("a", "b"))]
    shown += [f"{key}: {one!r} in A, {other!r} in B" for key, (one, other) in figures["differs"].items()]
    return [*shown, *figures["notes"], figures["method"]]


def _bounds(found: Mapping[str, Any], measure: Measure) -> str:
    if found["n_equal"] == found["n"]:
        return "equal in all"
    return "" if found["low"] is None else " to ".join(f"{found[k] * measure.times:+.3g}" for k in ("low", "high"))


def _harm(name: str, found: Mapping[str, Any]) -> str:
    return (
        f"{name.upper()} revoked {found['hits']} of {found['n']} honest accounts: between {found['low']:.3g} and "
        f"{found['high']:.3g} in 10,000"
    )
