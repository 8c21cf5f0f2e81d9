"""Every export is a file of lines that appears whole, recommends, and is reached by name."""

import json
import stat

import pytest

from detector.cli import export as command
from detector.errors import NotScoredError, OutputNotEmptyError, UsageError
from detector.reports.exports.registry import EXPORTS, write_export
from detector.tables import ACTIONS

DONE = ("revoked", "blocked", "throttled", "suspended", "banned", "disabled")


@pytest.mark.parametrize("name", EXPORTS)
def test_one_printable_line_a_finding(make_results, tmp_path, name):
    """Hostile and look-alike names give as many lines as findings, each with its own account, none with controls."""
    names = ["=1+1", "\x1b]0;x\x07", "a\nb", "p\u0430y", "pay", "\u202eyap", "a\u2028b", "<script>", "../../etc"]
    results = make_results(names)
    flagged = results.scored.filter(results.scored["is_flagged"])["account_id"].to_pylist()
    assert write_export(results, name, tmp_path / "out", least="none") == len(flagged)
    text = (tmp_path / "out").read_text(encoding="utf-8")
    lines = text.split("\n")[:-1]
    assert len(lines) == len(set(lines)) == len(flagged)
    assert all(line.isprintable() for line in lines)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", EXPORTS)
def test_no_export_claims_that_something_was_done(results, tmp_path, name):
    """Not one word in the past tense of an action; each line says that nothing has been done."""
    write_export(results, name, tmp_path / "out", least="none")
    for line in (tmp_path / "out").read_text(encoding="utf-8").splitlines():
        assert not [word for word in DONE if word in line.lower()]
        assert "Nothing has been done to the account" in line


@pytest.mark.parametrize("least", ACTIONS)
def test_only_what_is_recommended_strongly_enough(results, tmp_path, least):
    """`least` keeps that recommendation and stronger ones."""
    kept = {"none": 2, "review": 2, "throttle": 1, "revoke": 1}
    assert kept[least] == write_export(results, "ecs", tmp_path / "out", least=least)


def test_a_plan_holds_revocations_unless_asked_for_more(results, tmp_path):
    """Of a revocation and a review, the plan has the revocation; of other formats both are written."""
    assert write_export(results, "litellm-plan", tmp_path / "plan") == 1
    assert json.loads((tmp_path / "plan").read_text())["recommended"] == "revoke"
    assert write_export(results, "cef", tmp_path / "all") == 2


def test_wrong_names_are_answered(results, tmp_path):
    """Unknown format and level name the nearest; a file that is there stays, and no folder is made up."""
    with pytest.raises(UsageError, match=r"--format 'ocfs': there is no such export; nearest: 'ocsf'"):
        write_export(results, "ocfs", tmp_path / "out")
    with pytest.raises(UsageError, match=r"--least 'revok': is no recommendation; nearest: 'revoke'"):
        write_export(results, "ocsf", tmp_path / "out", least="revok")
    with pytest.raises(UsageError, match=r"no file can be made there \(No such file"):
        write_export(results, "ocsf", tmp_path / "missing" / "out")
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputNotEmptyError, match=r"out: is there already"):
        write_export(results, "ocsf", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_failure_leaves_nothing(results, tmp_path):
    """A run whose end is unknown is refused, and neither the file nor its draft is left."""
    broken = type(results)(**vars(results) | {"run": results.run | {"period": {"to": "yesterday"}}})
    with pytest.raises(NotScoredError, match=r"period\.to is 'yesterday', no instant"):
        write_export(broken, "ocsf", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_equal_results_give_equal_bytes(results, tmp_path):
    """An export depends on the scored folder alone, not on when it is made."""
    for name in EXPORTS:
        for turn in "ab":
            write_export(results, name, tmp_path / f"{name}.{turn}")
        assert (tmp_path / f"{name}.a").read_bytes() == (tmp_path / f"{name}.b").read_bytes()


def test_help_names_every_format():
    """The command's help lists what is registered."""
    told = command.__annotations__["form"].__metadata__[0].help
    assert [name for name in EXPORTS if name not in told] == []
