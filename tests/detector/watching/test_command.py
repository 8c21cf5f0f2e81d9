"""`stillwatch watch` on the command line: what is refused, signals, standard input, and what is left in the folder."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from detector import cli
from detector.errors import UsageError
from detector.watching.command import seconds_of
from tests.detector.watching.logs import as_jsonl, draw

Run = Callable[..., tuple[int, str]]
_PLACE = ("--state", "state", "--out", "out", "--threads", "1")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command in a folder with a log; gives its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "_add_plugins", lambda: None)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.jsonl").write_bytes(as_jsonl(draw(n=300)))

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["stillwatch", "watch", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as stop:
            return int(stop.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return call


def test_lengths_of_time_are_read_and_others_refused() -> None:
    """A number and a unit."""
    assert [seconds_of(text, option="--every") for text in ("60s", "10m", "1.5h", "30d")] == [60, 600, 5400, 2_592_000]
    for text in ("", "60", "s", "-1s", "1w", "1s "):
        with pytest.raises(UsageError, match="is no length of time"):
            seconds_of(text, option="--every")


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("log", "--pseudonymize", "key"), 2, "keeps names and fingerprints of texts, without a key"),
        (("log", "--set", "report.include_excerpts=true"), 2, "a watch keeps no prompts"),
        (("log", "--set", "watch.evry_s=1"), 2, "unknown key 'watch.evry_s'; nearest: 'every_s'"),
        (("nowhere",), 3, "nowhere: no file or folder is there"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(run: Run, options: tuple[str, ...], code: int, said: str) -> None:
    """With the exit code of its kind, and nothing written."""
    found = run(*options, *_PLACE, "--once")
    assert (found[0], found[1].count("\n")) == (code, 1)
    assert said in found[1]
    assert not list(Path("out").iterdir() if Path("out").exists() else ())


def test_an_output_of_somebody_else_is_refused(run: Run) -> None:
    """A folder that holds something belongs to a state that goes on, or to nobody here."""
    Path("out").mkdir()
    (Path("out") / "mine.txt").write_text("mine")
    code, said = run("log", *_PLACE, "--once")
    assert code == 13
    assert "holds 'mine.txt' already" in said
    (Path("out") / "mine.txt").unlink()
    assert run("log", *_PLACE, "--once", "--quiet") == (0, "")
    assert {path.name for path in Path("out").iterdir()} == {
        "findings.jsonl",
        "accounts.parquet",
        "evidence.parquet",
        "rejected.csv",
        "watch.json",
    }
    assert {path.stat().st_mode & 0o777 for place in ("out", "state") for path in Path(place).iterdir()} == {0o600}
    (Path("out") / "findings.jsonl").write_text("{}\n")
    code, said = run("log", *_PLACE, "--once")
    assert code == 36
    assert "is not as the watch left it" in said


def test_standard_input_is_followed_and_a_signal_ends_it_well(tmp_path: Path) -> None:
    """What came is kept at SIGTERM; the same stream given again goes on where it was, to the same counts."""
    data = as_jsonl(draw(n=300))
    command = [sys.executable, "-m", "detector", "watch", "-", *_PLACE, "--every", "1s"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdin is not None
        process.stdin.write(data[: len(data) // 2])
        process.stdin.flush()
        while not (tmp_path / "out" / "watch.json").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    again = subprocess.run(command, input=data, capture_output=True, cwd=tmp_path, check=True)
    counts = json.loads((tmp_path / "out" / "watch.json").read_text())["counts"]
    assert counts["n_read"] == counts["n_rows"] == 300
    assert b"begins as before" in again.stderr
