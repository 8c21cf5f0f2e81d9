import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest

from detector.intervals import share_with_interval
from detector.reports.words import share
from simulations.loop import words
from simulations.loop.assumptions import ASSUMED, assumed, changed, flat
from simulations.loop.attack import AttackSettings, RespawnSettings, Tactic, TacticSettings
from simulations.loop.defence import DefenceSettings
from simulations.loop.ledger import LEDGER
from simulations.loop.lines import lines
from simulations.loop.page import HARM, harm_of, headline, page, rewrite_page, write_page
from simulations.loop.pictures import marks_of, points
from simulations.loop.rehearsal import Rehearsal, read_rehearsal
from simulations.loop.simulate import simulate
from simulations.loop.story import MOST_DAYS, story

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
BEGIN_US = int(BEGIN.timestamp() * 1e6)
HOSTILE = '<script>alert("1")</script>\x1b\u202e https://x.y/?a=1&b=2'


class Tree(HTMLParser):
    """Tags with the names of their attributes, and texts."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__(convert_charrefs=True)
        self.shape: list[tuple[str, ...]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.shape.append((tag, *(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)


def parsed(text: str) -> Tree:
    """Read a page."""
    tree = Tree()
    tree.feed(text)
    tree.close()
    return tree


def said(text: str) -> str:
    """Give the words of a page."""
    return re.sub(r"\s+", " ", " ".join(parsed(text).texts))


def campaign(n_days: int = 4, **changes: Any) -> dict[str, Any]:
    """Give a campaign that takes 10 answers a day of 30, and is found on the second day."""
    row: dict[str, Any] = {
        "begins_on_day": 0.25,
        "n_first_accounts": 5,
        "n_opened_later": 2,
        "n_revoked": 3,
        "taken": 10.0 * n_days,
        "taken_without": 30.0 * n_days,
        "prevented": 2 / 3,
        "worth_usd": 100.0,
        "worth_usd_without": 300.0,
        "first_usd": 25.0,
        "spent_usd": dict.fromkeys(("payments", "exits", "tokens", "tactics"), 0.0)
        | {"accounts": 40.0, "verification": 80.0, "total": 120.0},
        "spent_usd_without": 60.0,
        "usd_per_useful_million_tokens": 44.0,
        "usd_per_useful_million_tokens_without": 11.0,
        "cost_multiplier": 4.0,
        "days_to_first_flags": 1.0,
        "days_to_first_limit": None,
        "days_to_first_stop": 1.5,
        "taken_before_first_flags": 12.0,
        "first_evidence": {"please_share": 4},
        "has_ended": False,
        "daily": {
            "taken": [10.0] * n_days,
            "taken_without": [30.0] * n_days,
            "alive": [5] * n_days,
            "spent_usd": [30.0 + 30.0 * day for day in range(n_days)],
            "spent_usd_without": [15.0 + 15.0 * day for day in range(n_days)],
            "flagged": [0, 4, *[0] * (n_days - 2)],
            "limited": [0] * n_days,
            "stopped": [0, 3, *[0] * (n_days - 2)],
        },
    }
    return row | changes


def never_found(n_days: int = 4) -> dict[str, Any]:
    """Give a campaign to which nothing happens."""
    row = campaign(n_days)
    nothing = dict.fromkeys(("days_to_first_flags", "days_to_first_stop", "taken_before_first_flags"))
    daily = row["daily"] | {"flagged": [0] * n_days, "stopped": [0] * n_days, "taken": [30.0] * n_days}
    return row | nothing | {"first_evidence": {}, "taken": 30.0 * n_days, "prevented": 0.0, "daily": daily}


def cohort(n: int, n_revoked: int = 0) -> dict[str, Any]:
    """Give a cohort of honest accounts."""
    return {
        **dict.fromkeys(HARM, 0), "n": n, "revoke": n_revoked, "flagged": n_revoked, "usd_lost": 2.5 * n_revoked,
        "revoked_share": share_with_interval(n_revoked, n),
    }  # fmt: skip


def outcome_with(campaigns: Mapping[str, Any], honest: Mapping[str, Any], days: float = 4) -> dict[str, Any]:
    """Give an outcome with some campaigns and cohorts."""
    return {
        "stillwatch": "9.9", "digest": "ab" * 32, "scenario": "small", "seed": 5, "defence": "standard",
        "attack": "steady", "days": days,
        "requests": {"sent": 100, "served": 90, "throttled": 4, "refused": 6, "given_up": 9},
        "campaigns": dict(campaigns), "honest": dict(honest),
        "work": {"cases": 3, "appeals": 2, "waiting": 1, "reviewer_hours": 2.5},
    }  # fmt: skip


def ledger_of(*rows: tuple[float, str, str, str | None, float | None]) -> pa.Table:
    """Lay rows of day, who, what, reason and usd out as a ledger."""
    filled = [
        {"seq": seq, "at": BEGIN + timedelta(days=day), "who": who, "what": what, "account_id": f"acct_{seq}",
         "state": None, "reason": reason, "n": None, "usd": usd}
        for seq, (day, who, what, reason, usd) in enumerate(rows)
    ]  # fmt: skip
    return pa.Table.from_pylist(filled, schema=LEDGER)


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """What a default defence and attack are recorded as."""
    parts = {"defence": DefenceSettings(), "attack": AttackSettings()}
    return {"scenario": {"starts_at": "2026-03-02T00:00:00Z", "text": True}} | {
        name: part.model_dump(mode="json") for name, part in parts.items()
    }


def written(tmp_path: Path, outcome: dict[str, Any], ledger: pa.Table, record: dict[str, Any]) -> str:
    """Write a page and read it."""
    write_page(outcome, ledger, record, tmp_path / "report.html")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_page_needs_nothing_from_outside(tmp_path: Path, record: dict[str, Any]) -> None:
    """No address, no script, no event handler; a policy that forbids them."""
    text = written(tmp_path, outcome_with({"one": campaign()}, {"office": cohort(9, 1)}), ledger_of(), record)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert re.findall(r"https?:|//\w|<script|javascript:|url\(|@import|xmlns", text, re.IGNORECASE) == []
    names = {name for shape in parsed(text).shape for name in shape[1:]}
    assert not {name for name in names if name.startswith("on")}
    assert names.isdisjoint({"src", "srcset", "action", "xlink:href"})


def test_names_from_outside_do_not_change_the_page(tmp_path: Path, record: dict[str, Any]) -> None:
    """Hostile names of campaigns, cohorts, evidence, reasons and settings: tags of a page with plain ones."""
    pages = []
    for name in ("plain", HOSTILE):
        row = campaign(first_evidence={name: 4})
        outcome = outcome_with({name: row}, {name: cohort(9, 1)}) | {"scenario": name, "defence": name, "digest": name}
        told = ledger_of((1.5, name, "opens an account", name, 5.0), (2.0, name, "stops", name, None))
        settings = record | {"defence": record["defence"] | {"name": name}}
        pages.append(written(tmp_path, outcome, told, settings))
    assert parsed(pages[0]).shape == parsed(pages[1]).shape
    assert not re.search(r"https?://|<script", pages[1], re.IGNORECASE)
    assert not set("\x1b\u202e") & set(pages[1])


def test_every_campaign_and_cohort_is_shown(tmp_path: Path, record: dict[str, Any]) -> None:
    """Several campaigns, one of them never found, and all cohorts with their counts and intervals are on the page."""
    found = {f"campaign_{place}": campaign(n_opened_later=40 + place) for place in range(4)}
    honest = {f"kind_{place}": cohort(100 + place, place) for place in range(5)}
    text = said(written(tmp_path, outcome_with(found | {"unseen": never_found()}, honest), ledger_of(), record))
    for name, row in found.items():
        assert f"Campaign {name} " in text and f"{row['n_opened_later']} opened later" in text
    assert "Campaign unseen took 120 answers where it would have taken 120 without a defence, and was never" in text
    assert "None of its accounts was ever flagged." in text
    assert "Nothing happened to it" in text
    for place, row in enumerate(honest.values()):
        interval = f"{share(row['revoked_share']['low'])} to {share(row['revoked_share']['high'])}"
        assert f"kind {place} {row['n']} {place} 0 0 0 {place} {interval} 0 " in text
    assert "10 of 510 honest accounts were revoked" in text
    assert "Hit hardest: kind 4, 4 of 104 revoked." in text
    assert "nothing" not in headline(outcome_with(found, honest))


def test_figures_of_a_campaign_are_told(tmp_path: Path, record: dict[str, Any]) -> None:
    """What leaked, what was prevented, when and by what it was found, what it paid and what that is a multiple of."""
    text = said(written(tmp_path, outcome_with({"one": campaign()}, {"office": cohort(9)}), ledger_of(), record))
    for phrase in (
        "The defence prevented 66.7 % of the harvest; none of 9 honest accounts was revoked",
        "Campaign one took 40 answers where it would have taken 120 without a defence; it was found after 24 hours, "
        "with 12 taken. A useful million tokens cost it $44.00 instead of $11.00.",
        "×4.0 published for cancelling accounts: ×3.8 to ×16 (SEAT, AISec 2021)",
        "share of prompts that say please (low): 4 accounts",
        "found: day 1.25",
        "first stop: day 1.75",
        "In all $120",
        "Without a defence $60.00",
        "It had not ended when the log did, with 5 accounts in use.",
        "proves nothing about real traffic",
        "ab" * 32,
    ):
        assert phrase in text, phrase


@pytest.mark.parametrize(
    ("campaigns", "honest", "phrase"),
    [
        ({"one": campaign()}, {}, "prevented 66.7 % of the harvest; no honest account took part"),
        ({"one": never_found()}, {"office": cohort(2, 1)}, "nothing of the harvest; 1 of 2 honest accounts was"),
        ({}, {"office": cohort(2)}, "Nothing would have been taken, with or without a defence; none of 2 honest"),
        ({}, {}, "Nothing would have been taken"),
    ],
)  # fmt: skip
def test_nobody_need_take_part(
    campaigns: dict[str, Any], honest: dict[str, Any], phrase: str, tmp_path: Path, record: dict[str, Any]
) -> None:
    """No honest account, no campaign, neither: page and lines are there, and say so."""
    outcome = outcome_with(campaigns, honest)
    assert phrase in said(written(tmp_path, outcome, ledger_of(), record))
    assert len(lines(outcome)) >= 4
    assert harm_of(honest)["n"] == sum(row["n"] for row in honest.values())


def test_reactions_are_summed_up_by_day() -> None:
    """Rows of one day and kind are one line, in order; others' rows are none; the log's end is of its last day."""
    told = ledger_of(
        (1.0, "one", "gives up an account", None, None),
        (1.25, "one", "slow_down", "content,rate", 50.0),
        (1.25, "one", "opens an account", "cards", 4.0),
        (1.75, "one", "opens an account", "cards", 4.0),
        (1.75, "other", "opens an account", "cards", 4.0),
        (1.75, "defender", "changes a key", "rate", None),
        (4.0, "one", "stops", "its money is spent", 120.0),
    )
    rows = story("one", campaign(), told, BEGIN_US)
    assert [row["day"] for row in rows] == [1, 3]
    assert rows[0]["does"] == [
        "gives up 1 account",
        "slows down (knows that content and rate gave it away), $50.00",
        "opens 2 accounts (pathway cards), $8.00",
    ]
    assert rows[1]["does"] == ["stops (its money is spent)"]
    assert (rows[0]["flagged"], rows[0]["stopped"], rows[0]["taken"], rows[0]["taken_without"]) == (4, 3, 10, 30)


def test_long_stories_are_cut_and_say_so(record: dict[str, Any]) -> None:
    """No more days are shown than people read, and how many there are is known."""
    n_days = MOST_DAYS + 5
    told = ledger_of(*((day, "one", "paraphrase", None, None) for day in range(n_days)))
    section = page(outcome_with({"one": campaign(n_days)}, {}, n_days), told, record)["sections"][0]
    assert (len(section["story"]), section["n_story"]) == (MOST_DAYS, n_days)


@pytest.mark.parametrize(
    ("alive", "stop", "told"),
    [
        ([5, 0, 0, 0], None, "It lost its last account on day 1."),
        ([5, 0, 0, 0], (3, "its money is spent"),
         "It lost its last account on day 1. It stopped on day 3: its money is spent."),
        ([5, 5, 0, 0], (2, "it was found"), "It stopped on day 2: it was found."),
        ([5, 5, 5, 1], None, "It had not ended when the log did, with 1 account in use."),
    ],
)  # fmt: skip
def test_ends_are_told(alive: list[int], stop: tuple[int, str] | None, told: str) -> None:
    """Losing all accounts, stopping, doing both, and going on are told apart."""
    row = campaign()
    assert told == words.ended(row | {"daily": row["daily"] | {"alive": alive}}, stop)


def test_every_tactic_has_words() -> None:
    """No reaction is told by the name of a setting."""
    assert set(get_args(Tactic)) <= set(words.REACTIONS)


def test_settings_that_differ_are_named(record: dict[str, Any]) -> None:
    """Defaults differ in nothing; what was set is named with its default; lists are told whole."""
    assert changed(record) == []
    attack = AttackSettings(respawn=RespawnSettings(is_on=True), tactics=(TacticSettings(do="probe"),))
    rows = changed(record | {"attack": attack.model_dump(mode="json")})
    assert [(place, usual) for place, _, usual in rows] == [("attack.respawn.is_on", False), ("attack.tactics", [])]


def test_assumed_settings_exist(record: dict[str, Any]) -> None:
    """Everything that is called assumed is a setting or a constant, with its value."""
    values = dict(flat(record))
    assert set(ASSUMED) <= set(values)
    told = assumed(record)
    assert [value for _, value, _ in told[: len(ASSUMED)]] == [values[place] for place in ASSUMED]


def test_points_and_marks_lie_within_the_log() -> None:
    """A short last day ends with the log; decisions of one instant share a mark, in order of time."""
    assert [point["day"] for point in points([1.0, 2.0, 3.0], 2.5, first=0.0)] == [0.0, 1.0, 2.0, 2.5]
    row = campaign(days_to_first_limit=1.0)
    assert marks_of(row) == [
        (0.25, "first request: day 0.25"), (1.25, "found, first limit: day 1.25"), (1.75, "first stop: day 1.75"),
    ]  # fmt: skip
    assert marks_of(never_found()) == [(0.25, "first request: day 0.25")]


def test_lines_tell_found_and_unfound() -> None:
    """In a terminal each campaign has its line, with what it paid and what gave it away."""
    told = "\n".join(lines(outcome_with({"one": campaign(), "two": never_found()}, {"office": cohort(9, 2)})))
    assert "one: found after 24 hours with 12 taken; spent $120, $60.00 without a defence" in told
    assert "  by share of prompts that say please (low)" in told
    assert "two: never found; spent $120" in told
    assert "hit hardest: office, 2 of 9 revoked" in told


@pytest.fixture(scope="module")
def rehearsed(make_scenario: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Rehearsal, Path, dict[str, Any]]:
    """A rehearsal of two and a half days with honest victims, throttles and replaced accounts."""
    rehearsal = Rehearsal(
        make_scenario(days=2.5, text=False),
        DefenceSettings.model_validate({"policy": {"budget": 0.2}}),
        AttackSettings(respawn=RespawnSettings(is_on=True)),
    )
    out = tmp_path_factory.mktemp("rehearsal") / "out"
    return rehearsal, out, simulate(rehearsal, out, keeps_log=False)


def test_page_is_made_again_from_a_folder(rehearsed: tuple[Rehearsal, Path, dict[str, Any]], tmp_path: Path) -> None:
    """The folder alone gives the same bytes; its three settings files give the same digest, which the page shows."""
    rehearsal, out, _ = rehearsed
    rewrite_page(out, tmp_path / "again.html")
    assert (out / "report.html").read_bytes() == (tmp_path / "again.html").read_bytes()
    again = read_rehearsal(out / "scenario.toml", defence=out / "defence.toml", attack=out / "attack.toml")
    assert again == rehearsal
    assert rehearsal.digest in (out / "report.html").read_text(encoding="utf-8")


def test_same_settings_give_the_same_page(rehearsed: tuple[Rehearsal, Path, dict[str, Any]], tmp_path: Path) -> None:
    """No clock and no place is on the page: another run elsewhere gives the same bytes."""
    rehearsal, out, _ = rehearsed
    simulate(rehearsal, tmp_path / "elsewhere", keeps_log=False)
    assert (out / "report.html").read_bytes() == (tmp_path / "elsewhere" / "report.html").read_bytes()


def test_days_add_up(rehearsed: tuple[Rehearsal, Path, dict[str, Any]]) -> None:
    """Each daily figure has every day, the short last one too, and ends or sums at the figure of the whole log."""
    outcome = rehearsed[2]
    for row in outcome["campaigns"].values():
        daily = row["daily"]
        assert {len(values) for values in daily.values()} == {3}
        assert (sum(daily["taken"]), sum(daily["taken_without"])) == (row["taken"], row["taken_without"])
        assert daily["spent_usd"][-1] == pytest.approx(row["spent_usd"]["total"], abs=1e-5)
        assert daily["spent_usd_without"][-1] == pytest.approx(row["spent_usd_without"], abs=1e-5)
        assert row["first_usd"] <= daily["spent_usd_without"][0]
        assert sum(daily["flagged"]) == sum(row["first_evidence"].values()) > 0
        assert sum(daily["stopped"]) >= row["n_revoked"]
    limited = sum(sum(row["daily"]["limited"]) for row in outcome["campaigns"].values())
    assert limited > 0 and any(row["usd_lost"] for row in outcome["honest"].values())
    for row in outcome["honest"].values():
        assert 0 <= row["usd_lost"] <= row["usd_without"]
        assert row["reinstated"] <= row["appeals"] <= row["n"]
