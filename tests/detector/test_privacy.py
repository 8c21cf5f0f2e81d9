"""No prompt and no secret leaves memory by default: not in outputs, on screen, in errors or among temporary files."""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from detector import cli
from tests.detector import leaks

SECRETS = (
    "my name is Rosalind Quennell of Tamworth",
    "write to quennell@mail.example.org today",
    "token zk-91fTTq0Lm83XcVb2 for host vault.corp.example",
    "card 5500 0000 0000 0004 until 11/31",
    "first line\nsecond, \"quoted\" line\twith 'all' of it",
)
Run = Callable[..., tuple[int, bytes]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command; gives its exit code and all that it said, wrote beside its log, or left among temporary files."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(cli, "_add_plugins", lambda: None)
    monkeypatch.chdir(tmp_path / "work")

    def call(*arguments: object) -> tuple[int, bytes]:
        monkeypatch.setattr(sys, "argv", ["stillwatch", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as left:
            code = int(left.code or 0)
        told = capfd.readouterr()
        assert list((tmp_path / "temporary").iterdir()) == []
        return code, (told.out + told.err).encode() + leaks.everything_in(tmp_path / "work")

    return call


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The measure can fail: a secret in a text, in JSON, in a Parquet value or in a file's name is found."""
    leaks.write_parquet([{"prompt": SECRETS[4]}], tmp_path / "a.parquet")
    (tmp_path / "b.json").write_text(json.dumps(SECRETS[0]))
    (tmp_path / "c quennell@mail.example.org").write_text("")
    found = leaks.leaked(leaks.everything_in(tmp_path), SECRETS)
    assert {SECRETS[0], "quennell@mail.example.org", json.dumps(SECRETS[4])[1:-1]} <= set(found)


@pytest.mark.parametrize("reader", leaks.READERS)
def test_records_leave_nothing(run: Run, tmp_path: Path, reader: str) -> None:
    """Secrets in all texts and in wrong places of good and bad records are in no output of a run that goes well."""
    suffix, write = leaks.READERS[reader]
    log = write([*leaks.in_texts(SECRETS), *leaks.in_typed(SECRETS)], tmp_path / f"log.{suffix}")
    code, told = run("score", log, "--out", "out", "--max-rejects", "1", "--timezone", "UTC")
    assert (code, leaks.leaked(told, SECRETS)) == (0, [])
    assert b"acc05" in told
    assert {path.stat().st_mode & 0o777 for path in Path("out").iterdir()} == {0o600}
    assert Path("out").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("reader", ["csv", "jsonl", "parquet"])
def test_a_refusal_quotes_nothing(run: Run, tmp_path: Path, reader: str) -> None:
    """A log with too many bad records is refused without a word of them, and leaves no file."""
    suffix, write = leaks.READERS[reader]
    log = write(leaks.in_typed(SECRETS), tmp_path / f"log.{suffix}")
    code, told = run("score", log, "--out", "out", "--timezone", "UTC")
    assert (code, leaks.leaked(told, SECRETS)) == (14, [])
    assert not os.path.lexists("out")


@pytest.mark.parametrize("name", leaks.without_a_log(SECRETS))
def test_what_is_no_log_is_refused_without_quoting_it(run: Run, tmp_path: Path, name: str) -> None:
    """First lines, headers and keys may be somebody's words; neither scoring nor checking repeats them."""
    path = tmp_path / name
    path.write_text(leaks.without_a_log(SECRETS)[name], encoding="utf-8")
    code, told = run("score", path, "--out", "out")
    assert code not in (0, 1, 70)
    assert leaks.leaked(told, SECRETS) == []
    assert leaks.leaked(run("formats", "check", path)[1], SECRETS) == []


@pytest.mark.parametrize("reader", ["csv", "jsonl", "parquet"])
def test_names_are_hidden_under_a_key(run: Run, tmp_path: Path, reader: str) -> None:
    """With --pseudonymize, accounts, payments and organisations are nowhere; without it accounts are shown."""
    suffix, write = leaks.READERS[reader]
    log = write(leaks.in_names(SECRETS[:3]), tmp_path / f"log.{suffix}")
    key = tmp_path / "key"
    key.write_bytes(hashlib.sha256(b"a key of this test").digest())
    key.chmod(0o600)
    code, told = run("score", log, "--out", "hidden", "--pseudonymize", key)
    assert (code, leaks.leaked(told, SECRETS)) == (0, [])
    assert b"card-1" not in told
    assert key.read_bytes() not in told
    assert leaks.leaked(run("score", log, "--out", "shown")[1], SECRETS[:1])
