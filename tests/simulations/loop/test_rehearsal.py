"""What is rehearsed, from files and the command line: what is wrong is one error with its key, and no output."""

import re
from pathlib import Path
from typing import Any

import pytest

from detector import cli
from detector.errors import ConfigError, UnknownDetectorError
from simulations.loop.rehearsal import read_rehearsal
from simulations.toml_text import toml_text
from tests.simulations.loop.play import BULK, COHORTS, FLEET, PEOPLE, world_of

Run = Any


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `stillwatch simulate` in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "world.toml").write_text(toml_text(world_of(COHORTS, days=2).model_dump(mode="json")), encoding="utf-8")

    def call(*arguments: object, world: str = "world.toml") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["stillwatch", "simulate", world, "--out", "out", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return int(left.value.code or 0), told.out, told.err

    return call


def sets(*assignments: str) -> list[str]:
    """Options of the command."""
    return [part for one in assignments for part in ("--set", one)]


@pytest.mark.parametrize(
    ("assignments", "told"),
    [
        (["defence.detector.name=combind"], r"'combind'.*'combined'"),
        (["defence.measures.review.confirmed=ban"], r"measures\.review\.confirmed.*'ban'"),
        (["defence.review.capacity_per_day=0"], r"review\.capacity_per_day = 0 with review\.is_mandatory = true"),
        (["defence.reviw.minutes=3"], r"unknown key 'reviw'; nearest: 'review'"),
        (["attack.purse_usd=0"], r"purse_usd = 0: an attacker without money"),
        (["attack.purse_usd=3"], r"purse_usd = 3: campaign 'bulk' begins with 2 accounts"),
        (["attack.respwn.is_on=true"], r"unknown key 'respwn'; nearest: 'respawn'"),
        (["attack.pathways=[]"], r"pathways = \[\]: an attacker needs a way"),
        (["defense.by=account"], r"unknown key 'defense'"),
        (["cohorts.flet.accounts=3"], r"cohorts\.flet.*'fleet'"),
    ],
)
def test_what_is_wrong_is_one_error(run: Run, tmp_path: Path, assignments: list[str], told: str) -> None:
    """A wrong key or value ends in one line that names it, and leaves neither output nor looks."""
    code, out, err = run(*sets(*assignments))
    assert code == (UnknownDetectorError.exit_code if "detector" in assignments[0] else 2) and out == ""
    assert re.search(told, err), err
    assert len(err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["world.toml"]


@pytest.mark.parametrize(
    ("pathway", "told"),
    [
        ('parameters = { payments = "few" }', r"pathway 'bought': fleet does not take {'payments': 'few'}"),
        ("parameters = { paymnts = 2 }", r"pathway 'bought': .* parameter 'paymnts'; nearest: 'payments'"),
        ("pool = -1", r"pathways.*pool"),
        ("pol = 1", r"unknown key .*pol"),
    ],
)
def test_a_wrong_pathway_is_one_error(run: Run, tmp_path: Path, pathway: str, told: str) -> None:
    """A pathway of the wrong type or with an unknown parameter is an error that names it."""
    text = f'[respawn]\nis_on = true\n[[pathways]]\nname = "bought"\n{pathway}\n'
    (tmp_path / "attack.toml").write_text(text, encoding="utf-8")
    code, out, err = run("--attack", "attack.toml")
    assert code == 2 and out == ""
    assert re.search(told, err), err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["attack.toml", "world.toml"]


def test_a_scenario_without_attackers_tells_of_harm(run: Run, tmp_path: Path) -> None:
    """Without a campaign a rehearsal ends well, with any attack, and tells what honest accounts suffered."""
    (tmp_path / "calm.toml").write_text(toml_text(world_of([PEOPLE]).model_dump(mode="json")), encoding="utf-8")
    code, out, err = run(*sets("attack.respawn.is_on=true", "attack.purse_usd=1"), world="calm.toml")
    assert code == 0, err
    assert re.search(r"honest: 0 of \d+ accounts revoked", out)
    assert (tmp_path / "out" / "outcome.json").exists()


def test_settings_reach_their_place(tmp_path: Path) -> None:
    """Files and ``--set`` are laid over one another: a value of the command line wins over one of a file."""
    path = tmp_path / "world.toml"
    path.write_text(toml_text(world_of([PEOPLE, BULK, FLEET]).model_dump(mode="json")), encoding="utf-8")
    (tmp_path / "defence.toml").write_text('name = "mild"\n[review]\nminutes = 9.0\nreviewers = 1\n', encoding="utf-8")
    assignments = ["defence.review.minutes=5", "attack.purse_usd=900", "days=3", "cohorts.fleet.accounts=4"]
    read = read_rehearsal(path, defence=tmp_path / "defence.toml", seed=11, assignments=assignments)
    assert (read.defence.name, read.defence.review.minutes, read.defence.review.reviewers) == ("mild", 5.0, 1)
    assert (read.attack.purse_usd, read.scenario.days, read.scenario.seed) == (900.0, 3.0, 11)
    assert [cohort.accounts for cohort in read.scenario.cohorts] == [24, 2, 4]
    assert set(read.record()) == {"scenario", "defence", "attack"}


def test_a_digest_is_of_all_settings(tmp_path: Path) -> None:
    """Equal settings have equal digests, and any other setting of any of the three has another one."""
    path = tmp_path / "world.toml"
    path.write_text(toml_text(world_of([PEOPLE, FLEET]).model_dump(mode="json")), encoding="utf-8")
    changes = [[], ["seed=9"], ["defence.says_why=false"], ["attack.tolerates=0.9"], ["cohorts.fleet.accounts=9"]]
    digests = [read_rehearsal(path, assignments=some).digest for some in changes]
    assert len(set(digests)) == len(changes)
    assert read_rehearsal(path).digest == digests[0]
    with pytest.raises(ConfigError, match="absent"):
        read_rehearsal(path, attack=tmp_path / "absent.toml")
