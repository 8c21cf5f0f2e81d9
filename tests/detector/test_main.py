"""The process: a fault of ours is told without what the log held."""

import subprocess
import sys

import pytest

from detector import __main__ as process
from detector import cli, errors

SECRET = "swordfish-0815"


def _break() -> None:
    prompt = f"prompt {SECRET}"
    try:
        int(prompt)
    except ValueError as error:
        raise KeyError(prompt) from error


def test_a_crash_quotes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the error's words, nor those of its cause, nor values are shown; where it broke is."""
    monkeypatch.setattr(cli, "main", _break)
    code, told = process.work(), capsys.readouterr()
    assert code == process.CRASH
    assert SECRET not in told.err + told.out
    assert "builtins.KeyError" in told.err
    assert "builtins.ValueError" in told.err
    assert "test_main.py" in told.err
    assert "_break" in told.err


def test_the_code_of_a_crash_is_no_other_error_s() -> None:
    """Scripts can tell a fault of the program from one of the input."""
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    assert process.CRASH not in codes


@pytest.mark.parametrize(("left", "code"), [(None, 0), (0, 0), (14, 14), ("said", 1), ([], 1)])
def test_codes_are_those_that_python_would_give(monkeypatch: pytest.MonkeyPatch, left: object, code: int) -> None:
    """Whatever the command line leaves with."""
    monkeypatch.setattr(cli, "main", lambda: sys.exit(left))  # type: ignore[arg-type]
    assert process.work() == code


def test_no_core_is_dumped() -> None:
    """The limit is 0 in the process that works."""
    body = """
import resource, sys
from detector import __main__ as process
from detector import cli
cli.main = lambda: sys.exit(7 + resource.getrlimit(resource.RLIMIT_CORE)[0])
process.run()
"""
    assert subprocess.run([sys.executable, "-c", body], check=False, timeout=60).returncode == 7


def test_a_lack_of_memory_is_never_told_as_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in a chain it stands; who has no memory left to say so leaves it to the parent."""

    def starve() -> None:
        try:
            raise MemoryError
        except MemoryError as error:
            raise KeyError from error

    monkeypatch.setattr(cli, "main", starve)
    with pytest.raises(MemoryError):
        process.work()


@pytest.mark.parametrize(
    ("raised", "is_told"), [("OSError('no such object')", True), ("RuntimeError()", True), ("KeyError()", False)]
)
def test_vague_refusals_are_a_lack_of_memory_only_under_a_limit(raised: str, is_told: bool) -> None:
    """Libraries that are given no memory say many things; without a limit, these are told as they are."""
    body = f"""
import resource, sys
from detector.errors import lacks_memory
before = lacks_memory({raised})
resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))
sys.exit(2 * before + lacks_memory({raised}))
"""
    assert subprocess.run([sys.executable, "-c", body], check=False, timeout=60).returncode == is_told


def test_a_stop_before_the_command_line_runs_is_a_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While libraries are loaded, too."""

    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", stop)
    assert (process.work(), capsys.readouterr().err) == (130, "stillwatch: stopped; nothing was written\n")


def test_under_a_limit_what_nobody_foresaw_is_a_lack_of_memory() -> None:
    """A library that is given no memory may raise anything; one sentence, and its code."""
    body = """
import resource
from detector import __main__ as process
from detector import cli
def starve():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))
    raise KeyError
cli.main = starve
process.run()
"""
    done = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (errors.MemoryLimitError.exit_code, 1)
