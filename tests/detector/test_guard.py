"""The process that works is a child; however it dies, there is one sentence, one code, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detector import errors

SECRET = "swordfish-0815"
_BEGIN = f"""
import os, resource, signal, sys, time
from pathlib import Path
from detector.guard import limit, watched
from detector.lastnotes import note_file, note_place
def end(how):
    note_file("log\\x1b.csv")
    os.write(2, b"{SECRET}")
    if how < 0:
        os.kill(os.getpid(), -how)
    os._exit(how)
"""


def started(body: str, **given: object) -> "subprocess.Popen[str]":
    """Start a process that watches over some work."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **given}
    return subprocess.Popen([sys.executable, "-c", _BEGIN + body], **pipes)  # type: ignore[call-overload, no-any-return]


def ended(body: str, **given: object) -> tuple[int, str, str]:
    """Let work end; gives its exit code, and what it said."""
    process = started(body, **given)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_what_work_says_and_how_it_ends_is_passed_through() -> None:
    """Its exit code, its standard output and what Python writes to standard error."""
    body = "def work():\n print('a', flush=True); print('b', file=sys.stderr)\n return 14\nsys.exit(watched(work))"
    assert ended(body) == (14, "a\n", "b\n")


@pytest.mark.parametrize(
    ("how", "before", "code"),
    [
        (-signal.SIGSEGV, "", errors.ReaderDiedError.exit_code),
        (-signal.SIGABRT, "", errors.ReaderDiedError.exit_code),
        (1, "", errors.ReaderDiedError.exit_code),
        (-signal.SIGKILL, "", errors.MemoryLimitError.exit_code),
        (-signal.SIGABRT, "limit(2 << 30, None)", errors.MemoryLimitError.exit_code),
        (127, "limit(2 << 30, None)", errors.MemoryLimitError.exit_code),
        (1, "raise MemoryError", errors.MemoryLimitError.exit_code),
        (-signal.SIGXCPU, "limit(None, 9)", errors.TimeLimitError.exit_code),
    ],
)
def test_a_death_is_one_sentence_and_quotes_nothing(how: int, before: str, code: int) -> None:
    """A signal, a library that leaves by itself, and either under limits: the file is named, harmlessly."""
    limits = "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    body = f"def work():\n {before or 'pass'}\n end({how})\n{limits}\nsys.exit(watched(work))"
    found, out, err = ended(body)
    assert (found, out, err.count("\n"), SECRET in err, "\x1b" in err) == (code, "", 1, False, False)
    assert code == errors.MemoryLimitError.exit_code or "log\\x1b.csv" in err


def test_work_that_takes_more_than_it_may_is_ended() -> None:
    """A limit of processor time is kept, and told as such."""
    code, _, err = ended("def work():\n limit(None, 1)\n while True: pass\nsys.exit(watched(work))")
    assert code == errors.TimeLimitError.exit_code
    assert "processor time" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_work_leaves_nothing_beside_the_output(tmp_path: Path, number: signal.Signals) -> None:
    """The signal reaches the work, twice where the terminal sends it, too; hidden and temporary files vanish."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    body = """
def work():
    from detector.leftovers import scratch_folder
    from detector.reports.atomic import new_folder
    try:
        with new_folder(Path("out")), scratch_folder():
            print("now", flush=True)
            time.sleep(60)
    except KeyboardInterrupt:
        return 130
sys.exit(watched(work))
"""
    given = {"cwd": tmp_path, "env": {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(Path.cwd())}}
    process = started(body, start_new_session=True, **given)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert err.count("\n") == (number == signal.SIGTERM)
    assert [*temporary.iterdir()] == []
    assert [path.name for path in tmp_path.iterdir()] == ["temporary"]


def test_work_ends_with_whoever_started_it() -> None:
    """Where the parent is killed outright, the child does not go on alone."""
    process = started("def work():\n print(os.getpid(), flush=True); time.sleep(60)\nsys.exit(watched(work))")
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()
    process.communicate(timeout=60)
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{child}/stat").exists() and Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    pytest.fail("the child lives")


def test_nothing_heavy_is_loaded_before_the_fork() -> None:
    """What both processes would have to hold is the interpreter's own."""
    heavy = "{'numpy', 'pyarrow', 'duckdb', 'pandas', 'typer', 'pydantic'}"
    body = f"import detector.__main__\nsys.exit(len({heavy} & set(sys.modules)))"
    assert ended(body)[0] == 0


def test_the_command_ends_as_its_work_does() -> None:
    """As users start it: one line, and the code of the error."""
    command = [sys.executable, "-m", "detector", "score", "missing.csv", "--out", "never"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (errors.InputUnreadableError.exit_code, 1)


def test_without_another_process_the_work_is_done_in_this_one() -> None:
    """A system that gives no more processes is no reason to do nothing."""
    refuse = "def refuse(): raise OSError(11, 'no')\nos.fork = refuse\n"
    assert ended(f"{refuse}sys.exit(watched(lambda: 14))") == (14, "", "")
    starve = "def work(): raise MemoryError\n"
    code, _, err = ended(f"{refuse}{starve}sys.exit(watched(work))")
    assert (code, err.count("\n")) == (errors.MemoryLimitError.exit_code, 1)


def test_what_threads_fail_of_is_not_shown() -> None:
    """Python would show a thread's error with its words, and those of one that nobody can catch."""
    body = f"""
import threading
class Odd:
    def __del__(self): raise ValueError("{SECRET}")
def fail(): raise ValueError("{SECRET}")
def work():
    thread = threading.Thread(target=fail); thread.start(); thread.join()
    Odd()
    return 0
sys.exit(watched(work))
"""
    assert ended(body) == (0, "", "")
