"""The command line: thin, documented, quiet when told, one exit code per error, and nothing written on error."""

import errno
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from detector import cli, errors
from tests.detector.features.small_logs import draw_accounts, draw_log, draw_truth, write_log

ROOT = Path(__file__).parents[2]


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path
    for name, child in (children or {}).items():
        yield from _walk(child, (*path, name))


COMMANDS = list(_walk(typer.main.get_command(cli.app)))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command in an empty folder; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(cli, "_add_plugins", lambda: None)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stillwatch", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small log with its accounts and truth."""
    place = tmp_path_factory.mktemp("log")
    log = draw_log()
    write_log(log, place / "log.csv")
    draw_accounts(log).to_csv(place / "accounts.csv", index=False)
    draw_truth(log).to_csv(place / "truth.csv", index=False)
    return place


def test_there_are_commands() -> None:
    """The contract's commands are there."""
    assert {("score",), ("explain",), ("fit",), ("formats", "list"), ("formats", "show"), ("formats", "check")} <= set(
        COMMANDS
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example(run: Run, command: tuple[str, ...]) -> None:
    """Every command shows how it is called, by its own name."""
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert f"Example: stillwatch {' '.join(command)}" in out


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_is_in_the_readme(command: tuple[str, ...]) -> None:
    """A command that the README does not name is not there for its readers."""
    assert f"stillwatch {' '.join(command)}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_exit_codes_are_unique() -> None:
    """One code per error; only usage and config share 2, which is the shell's word for misuse."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    codes = [k.exit_code for k in kinds if k not in (errors.StillwatchError, errors.UsageError, errors.ConfigError)]
    assert len(set(codes)) == len(codes) >= 15
    assert not {0, 2} & set(codes)


def test_help_is_light() -> None:
    """Asking for help loads none of the heavy libraries, and runs as a module."""
    code = (
        "import sys, detector.cli; print(sorted({'numpy', 'pandas', 'numba', 'pyarrow', 'duckdb'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_errors_are_one_line_and_a_code() -> None:
    """As a process: the code of the error, one line on standard error, no traceback, nothing on standard output."""
    command = [sys.executable, "-m", "detector.cli", "score", "missing.csv", "--out", "never"]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert found.returncode == 3
    assert re.fullmatch(r"stillwatch: missing\.csv: .*\n", found.stderr)
    assert found.stdout == ""
    assert not (ROOT / "never").exists()


HEADER = "occurred_at,account_id\n"
ROW = "2026-03-02T00:00:00Z,a\n"


@pytest.mark.parametrize(
    ("code", "log", "options", "text"),
    [
        (10, "when,account_id\n2026-03-02T00:00:00Z,a\n", ["--format", "stillwatch"], "occurred_at"),
        (3, None, [], "log.csv: "),
        (3, "PK\x03\x04 nothing", [], "log.csv: "),
        (11, HEADER, [], "there is a header but no row"),
        (12, HEADER + ROW, ["--format", "litelm-spend"], "litellm-spend"),
        (14, HEADER + ROW + "never,a\n" * 3, [], "3 of 4 records (75.00%) are malformed"),
        (15, HEADER + "2026-03-02T00:00:00,a\n", [], "zone"),
        (2, HEADER + ROW, ["--set", "policy.bugdet=1"], "--set: unknown key 'policy.bugdet'; nearest: 'budget'"),
        (2, HEADER + ROW, ["--set", "policy"], "give it as section.key=value"),
        (2, HEADER + ROW, ["--map", "account_id"], "give it as canonical=column"),
        (2, HEADER + ROW, ["--budget", "2"], "options: policy.budget = 2.0"),
        (
            2,
            HEADER + ROW,
            ["--budget", "0.1", "--fdr", "0.1"],
            "budget and fdr each set the threshold; give one of them",
        ),
        (2, HEADER + ROW, ["--capacity", "0"], "options: policy.capacity = 0.0"),
        (23, HEADER + ROW, ["--fdr", "0.0001"], "honest accounts behind the reference no e-value exceeds"),
        (21, HEADER + ROW, ["--history", "nowhere"], "history.parquet: is missing"),
        (2, HEADER + ROW, ["--engine", "sprak"], "engine = 'sprak'"),
        (2, HEADER + ROW, ["--config", "none.toml"], "none.toml: cannot be read"),
        (23, HEADER + ROW, ["--budget", "0.0000001"], "--budget 1e-07: the reference holds"),
        (23, HEADER + ROW, ["--detector", "rules"], "the reference holds 1 honest accounts"),
        (19, HEADER + ROW, ["--detector", "combned"], "no detector 'combned'; nearest: 'combined'"),
        (19, HEADER + ROW, ["--detector", "pyod:iforst"], "nearest: 'iforest'"),
        (18, HEADER + ROW, ["--model", "none.json"], "none.json: cannot be read"),
    ],
)
def test_errors_of_score(run: Run, tmp_path: Path, code: int, log: str | None, options: list[str], text: str) -> None:
    """Each error has its code and says what is wrong in one line; no output folder appears, and no stray file."""
    if log is not None:
        (tmp_path / "log.csv").write_text(log, encoding="utf-8")
    found, out, err = run("score", "log.csv", "--out", "scored", *options)
    assert (found, out) == (code, "")
    assert err.startswith("stillwatch: ") and err.count("\n") == 1
    assert text in err
    assert {path.name for path in tmp_path.iterdir()} <= {"log.csv"}


def test_a_config_file_is_named_with_its_key(run: Run, folder: Path, tmp_path: Path) -> None:
    """A wrong key in a file is told with the file's name and the nearest key."""
    (tmp_path / "conf.toml").write_text("[linkage]\nenabeld = true\n", encoding="utf-8")
    code, _, err = run("score", folder / "log.csv", "--out", "scored", "--config", "conf.toml")
    assert code == 2
    assert "conf.toml: unknown key 'linkage.enabeld'; nearest: 'enabled'" in err


def test_a_full_folder_is_refused_untouched(run: Run, folder: Path, tmp_path: Path) -> None:
    """Code 13, before the log is read; what is there stays as it is."""
    (tmp_path / "scored").mkdir()
    (tmp_path / "scored" / "mine.txt").write_text("mine", encoding="utf-8")
    code, _, err = run("score", "missing.csv", "--out", "scored")
    assert code == 13
    assert "holds 'mine.txt' already" in err
    assert [path.name for path in (tmp_path / "scored").iterdir()] == ["mine.txt"]


@pytest.fixture(scope="module")
def scored(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log, scored by a process of its own."""
    out = tmp_path_factory.mktemp("scored") / "out"
    command = [sys.executable, "-m", "detector.cli", "score", str(folder / "log.csv"), "--out", str(out), "--quiet"]
    accounts = ["--accounts", str(folder / "accounts.csv")]
    found = subprocess.run([*command, *accounts], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    return out


def test_score_writes_what_is_promised(scored: Path) -> None:
    """The files of the contract, and nothing printed when quiet."""
    promised = {"accounts.parquet", "accounts.csv", "clusters.parquet", "evidence.parquet", "findings.jsonl"}
    promised |= {"report.html", "rejected.csv", "run.json"}
    assert promised <= {path.name for path in scored.iterdir()}


def test_score_says_where_the_report_is(run: Run, folder: Path) -> None:
    """Without --quiet the last line names the report."""
    code, out, err = run("score", folder / "log.csv", "--out", "scored")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "report: scored/report.html"


def test_json_is_the_run_record(run: Run, folder: Path, tmp_path: Path) -> None:
    """--json prints what run.json holds but for the names of the files, and nothing else."""
    code, out, err = run("score", folder / "log.csv", "--out", "scored", "--json")
    assert (code, err) == (0, "")
    record = json.loads((tmp_path / "scored" / "run.json").read_text(encoding="utf-8"))
    assert sorted(record.pop("files")) == sorted(path.name for path in (tmp_path / "scored").iterdir())
    assert json.loads(out) == record


@pytest.mark.parametrize(
    ("given", "budget"),
    [
        ([], 0.001),
        (["--config", "conf.toml"], 0.002),
        (["--config", "conf.toml", "--set", "policy.budget=0.003"], 0.003),
        (["--budget", "0.004", "--set", "policy.budget=0.003", "--config", "conf.toml"], 0.004),
    ],
)
def test_precedence(run: Run, folder: Path, tmp_path: Path, given: list[str], budget: float) -> None:
    """Defaults, then the file, then --set, then options, wherever they stand on the line; the rest of a file stays."""
    (tmp_path / "conf.toml").write_text("[policy]\nbudget = 0.002\nrevoke_events = 77\n", encoding="utf-8")
    code, out, err = run("score", folder / "log.csv", "--out", "scored", "--json", *given)
    assert (code, err) == (0, "")
    policy = json.loads(out)["settings"]["policy"]
    assert policy["budget"] == budget
    assert policy["revoke_events"] == (77 if given else 50)


def test_a_way_given_above_replaces_the_one_below(run: Run, folder: Path, tmp_path: Path) -> None:
    """A budget in the file gives way to --capacity, without a word and without a clash."""
    (tmp_path / "conf.toml").write_text("[policy]\nbudget = 0.002\nrevoke_events = 77\n", encoding="utf-8")
    options = ["--config", "conf.toml", "--capacity", "2", "--json"]
    policy = json.loads(run("score", folder / "log.csv", "--out", "s", *options)[1])["settings"]["policy"]
    assert (policy["budget"], policy["capacity"], policy["revoke_events"]) == (None, 2.0, 77)


def test_a_bound_that_the_log_cannot_keep_is_on_screen(run: Run, folder: Path, tmp_path: Path) -> None:
    """Nobody is flagged, and screen, run and page say why and what could be had."""
    code, out, _ = run(
        "score", folder / "log.csv", "--accounts", folder / "accounts.csv", "--out", "s", "--fdr", "0.05"
    )
    assert code == 0
    assert out.startswith("0 of 38 accounts flagged")
    control = json.loads((tmp_path / "s" / "run.json").read_text(encoding="utf-8"))["error_control"]
    assert not control["is_met"]
    assert "A false discovery rate of 0.05 cannot be promised for anyone: of 38 accounts" in control["note"]
    assert control["note"] in out
    assert control["note"] in (tmp_path / "s" / "report.html").read_text(encoding="utf-8")


def test_capacity_says_what_budget_it_is(run: Run, folder: Path) -> None:
    """A case a day: the screen says how many cases, of how many, and the budget that amounts to."""
    code, out, _ = run(
        "score", folder / "log.csv", "--accounts", folder / "accounts.csv", "--out", "s", "--capacity", "1"
    )
    assert code == 0
    assert re.search(r"at most 1 cases a day are flagged \(--capacity\)", out)
    assert re.search(r"Cases: \d+; 1 a day for a period of 14 would be 14: ", out)
    assert re.search(r"That is a budget of 0\.\d+: at most [\d.]+ flagged honest accounts expected", out)


def test_looks_follow_on_one_another(run: Run, folder: Path, tmp_path: Path) -> None:
    """Each run takes the history of the one before and writes its own; the screen counts the looks."""
    log = [folder / "log.csv", "--accounts", folder / "accounts.csv"]
    run("score", *log, "--out", "day1")
    assert "Look" not in run("score", *log, "--out", "again")[1]
    assert "Look 2 of 30: " in run("score", *log, "--out", "day2", "--history", "day1")[1]
    code, out, _ = run("score", *log, "--out", "day3", "--history", "day2", "--json")
    assert code == 0
    assert json.loads(out)["history"]["look"] == 3
    first, third = (pd.read_parquet(tmp_path / day / "history.parquet").e_process for day in ("day1", "day3"))
    assert first.to_numpy() * 3 == pytest.approx(third.to_numpy())


def test_no_text_reads_no_text(run: Run, folder: Path) -> None:
    """--no-text lowers the level to network identity."""
    assert json.loads(run("score", folder / "log.csv", "--out", "s", "--json", "--no-text")[1])["evidence_level"] == 2


def test_explain_shows_the_evidence(run: Run, scored: Path) -> None:
    """An account of the log is explained; one that is not there is code 20, a folder that is no run code 21."""
    code, out, err = run("explain", scored, "acc031")
    assert (code, err) == (0, "")
    assert "acc031" in out
    assert run("explain", scored, "acc9999")[0] == 20
    assert run("explain", "nowhere", "acc031")[0] == 21


def test_explain_names_the_nearest_account(run: Run, scored: Path) -> None:
    """A slip in the account's name is answered with what is there."""
    _, out, err = run("explain", scored, "acc03l")
    assert out == ""
    assert "acc03" in err.split("acc03l", 1)[1]


def test_what_tells_origins_is_checked(run: Run, folder: Path) -> None:
    """A log given as an audit log, and a table given as a database of operators, have codes of their own."""
    code, _, err = run("score", folder / "log.csv", "--out", "never", "--audit", folder / "log.csv")
    assert (code, "log.csv: is no OpenAI audit log" in err) == (errors.AuditError.exit_code, True)
    code, _, err = run("score", folder / "log.csv", "--out", "never", "--asn", folder / "accounts.csv")
    assert (code, "accounts.csv: " in err) == (errors.AsnDatabaseError.exit_code, True)
    assert not Path("never").exists()


def test_export_reads_what_score_wrote(run: Run, folder: Path) -> None:
    """One line per flagged account of the run, and a sentence that nothing was done; wrong formats are code 2."""
    scored = Path("flagged")
    assert run("score", folder / "log.csv", "--out", scored, "--quiet", "--budget", "0.5")[0] == 0
    n_flagged = json.loads((scored / "run.json").read_text())["counts"]["n_flagged"]
    code, out, _ = run("export", scored, "--format", "ocsf", "--out", "findings.ocsf.jsonl")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith(f"findings.ocsf.jsonl: {n_flagged} finding")
    assert out.endswith("recommendations only, no account has been touched\n")
    assert n_flagged == len(Path("findings.ocsf.jsonl").read_text().splitlines()) > 0
    assert run("export", scored, "--format", "ocsf", "--out", "findings.ocsf.jsonl")[0] == 13
    assert run("export", "nowhere", "--format", "ocsf", "--out", "findings.ocsf.jsonl")[0] == 13, "before any work"
    assert run("export", scored, "--format", "stix", "--out", "findings.stix.jsonl")[0] == 2
    assert run("export", scored, "--format", "cef", "--out", "quiet.cef", "--quiet")[:2] == (0, "")


def test_fit_makes_a_model_that_score_takes(run: Run, folder: Path, tmp_path: Path) -> None:
    """Fit, then score with the model; the run names it."""
    inputs = [folder / "log.csv", "--truth", folder / "truth.csv", "--accounts", folder / "accounts.csv"]
    code, out, err = run("fit", *inputs, "--out", "mine.json")
    assert (code, err) == (0, "")
    digest = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))["sha256"]
    assert out == f"mine.json: model {digest[:12]}\n"
    options = ["--model", "mine.json", "--budget", "0.05", "--json"]
    record = json.loads(run("score", folder / "log.csv", "--out", "scored", *options)[1])
    assert record["model"]["sha256"] == digest


def test_fit_can_be_quiet(run: Run, folder: Path, tmp_path: Path) -> None:
    """Nothing is printed, the file is there, and a second fit does not overwrite it."""
    inputs = [folder / "log.csv", "--truth", folder / "truth.csv", "--out", "mine.json", "--quiet"]
    assert run("fit", *inputs) == (0, "", "")
    before = (tmp_path / "mine.json").read_bytes()
    assert run("fit", *inputs)[0] == 13
    assert (tmp_path / "mine.json").read_bytes() == before


def test_fit_needs_a_truth_per_log(run: Run, folder: Path) -> None:
    """Two logs with one truth are a slip: code 2."""
    code, _, err = run(
        "fit", folder / "log.csv", folder / "log.csv", "--truth", folder / "truth.csv", "--out", "m.json"
    )
    assert code == 2
    assert "2 logs, 1 --truth, 0 --accounts: give one per log" in err


def test_formats_are_listed_and_shown(run: Run) -> None:
    """Every preset has a line; showing one tells its columns; an unknown one is code 12 with the nearest."""
    code, out, _ = run("formats", "list")
    assert code == 0
    assert "litellm-spend" in out and "stillwatch" in out
    assert "startTime" in run("formats", "show", "litellm-spend")[1]
    code, _, err = run("formats", "show", "litelm")
    assert code == 12
    assert "litellm-spend" in err


def test_formats_check_reads_a_log(run: Run, folder: Path) -> None:
    """How a log would be read, without scoring it."""
    code, out, err = run("formats", "check", folder / "log.csv")
    assert (code, err) == (0, "")
    assert "account_id" in out


def test_version(run: Run) -> None:
    """The version alone."""
    from detector import __version__

    assert run("--version") == (0, f"stillwatch {__version__}\n", "")


def test_a_stop_by_hand_is_no_traceback(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is told in one line with the shell's code."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", stop)
    assert run("score") == (130, "", "stillwatch: stopped; nothing was written\n")


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), errors.DiskFullError, "the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), errors.DiskFullError, "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "a.bin"), errors.WriteError, "a.bin: the system refused"),
        (OSError("no number"), errors.WriteError, "the system refused"),
        (MemoryError(), errors.MemoryLimitError, "the system gives no more memory"),
        (RuntimeError("can't start new thread"), errors.MemoryLimitError, "the system gives no more memory"),
    ],
)
def test_what_the_system_refuses_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, raised: Exception, kind: type[errors.StillwatchError], said: str
) -> None:
    """A user reads what to do, not where our code was."""

    def refused() -> None:
        raise raised

    monkeypatch.setattr(cli, "app", refused)
    code, out, err = run("score")
    assert (code, out, err.count("\n")) == (kind.exit_code, "", 1)
    assert err.startswith(f"stillwatch: {said}")


def test_a_fault_of_ours_stays_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system is not to blame for keeps its traceback."""

    def broken() -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        run("score")


def test_pseudonyms_from_end_to_end(run: Run, folder: Path, tmp_path: Path) -> None:
    """Nothing on screen or in a file is a name; who has the key looks an account up by its name; no key, no run."""
    key = tmp_path / "key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o644)
    ask = ("score", folder / "log.csv", "--accounts", folder / "accounts.csv", "--out", "hidden", "--pseudonymize", key)
    assert run(*ask)[0] == errors.KeyFileError.exit_code
    assert not (tmp_path / "hidden").exists()
    key.chmod(0o600)
    code, out, err = run(*ask)
    assert (code, re.findall(r"acc0\d\d|card-\d|203\.0\.113", out + err)) == (0, [])
    code, out, _ = run("explain", "hidden", "acc030", "--pseudonymize", key)
    assert code == 0
    assert "account-" in out
    assert run("explain", "hidden", "acc030")[0] == errors.UnknownAccountError.exit_code
    assert run("score", folder / "log.csv", "--out", "b", "--history", "hidden")[0] == errors.KeyFileError.exit_code


def test_purge_removes_a_run_and_says_so(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was scored is gone; what is no run is refused; what is not ours is kept and named."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run("score", folder / "log.csv", "--out", "scored", "--quiet")
    code, out, _ = run("purge", "scored")
    assert (code, (tmp_path / "scored").exists()) == (0, False)
    assert "removed scored/report.html\n" in out
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note").write_text("x")
    assert run("purge", "mine")[0] == errors.NotOursError.exit_code
    run("score", folder / "log.csv", "--out", "scored", "--quiet")
    (tmp_path / "scored" / "note").write_text("x")
    assert "kept scored: it holds what no run wrote" in run("purge", "scored")[1]
