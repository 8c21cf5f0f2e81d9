"""What crashes or hangs costs its own result; everything else is done."""

from simulations.benchmark.pool import Broken, Piece, run
from tests.simulations.benchmark.brought import count_up

JOBS = [("fine", 2), ("crashes", 1), ("hangs", 1), ("raises", 0), ("fine again", 3)]


def test_one_bad_job_costs_itself() -> None:
    """A crash, a silence and an error are told with their reason, after all that came before; the others end."""
    events = list(run(count_up, JOBS, workers=2, patience_s=lambda last: 2.0, rest=lambda job: None))
    pieces = [(event.job[0], event.value) for event in events if isinstance(event, Piece)]
    assert sorted(pieces) == sorted((name, n) for name, most in JOBS for n in range(most))
    broken = {event.job[0]: event.reason for event in events if isinstance(event, Broken)}
    assert broken == {
        "crashes": "the process crashed (exit code 3)",
        "hangs": "it took longer than 2 s",
        "raises": "it raises KeyError",
    }


def test_what_is_left_of_a_broken_job_goes_on() -> None:
    """The caller hands in the rest of a job, and it is done."""
    given = {"raises": ("fine", 2)}
    events = list(
        run(count_up, [("raises", 1)], workers=0, patience_s=lambda last: 9.0, rest=lambda j: given.get(j[0]))
    )
    assert [event.value for event in events if isinstance(event, Piece)] == [0, 0, 1]
