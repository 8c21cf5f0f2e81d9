"""The process: a fault of ours is told without what the log held."""

import resource
import sys

import pytest

from detector import __main__ as process
from detector import errors

SECRET = "swordfish-0815"


def _break() -> None:
    prompt = f"prompt {SECRET}"
    try:
        int(prompt)
    except ValueError as error:
        raise KeyError(prompt) from error


def test_a_crash_quotes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the error's words, nor those of its cause, nor values are shown; where it broke is."""
    monkeypatch.setattr(process, "main", _break)
    with pytest.raises(SystemExit) as left:
        process.run()
    told = capsys.readouterr()
    assert left.value.code == process.CRASH
    assert SECRET not in told.err + told.out
    assert "builtins.KeyError" in told.err
    assert "builtins.ValueError" in told.err
    assert "test_main.py" in told.err
    assert "_break" in told.err


def test_the_code_of_a_crash_is_no_other_error_s() -> None:
    """Scripts can tell a fault of the program from one of the input."""
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    assert process.CRASH not in codes


def test_no_core_is_dumped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is 0 before the command line runs."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    found = []

    def look() -> None:
        found.append(resource.getrlimit(resource.RLIMIT_CORE)[0])
        sys.exit(1)

    monkeypatch.setattr(process, "main", look)
    try:
        with pytest.raises(SystemExit):
            process.run()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    assert found == [0]
