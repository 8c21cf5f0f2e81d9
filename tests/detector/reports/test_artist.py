import numpy as np
import pytest

from detector.reports import artist
from detector.reports.artist import drawing_aside
from detector.reports.charts import score_histogram
from detector.reports.drawing import draw_here

SCORES = np.array([-3.0, -1.0, 2.5])


def test_a_chart_drawn_aside_is_the_chart_drawn_here():
    """Two charts in a row, drawn by the other process, are the same bytes as those of this one."""
    with drawing_aside(threads=2) as draw:
        assert draw is not draw_here
        for threshold in (0.0, 1.0):
            assert score_histogram(SCORES, threshold) == score_histogram(SCORES, threshold, draw=draw)


def test_the_other_process_ends_with_the_command(monkeypatch):
    """Nothing is left running, whether or not anything was drawn, and whatever came in between."""
    started = []
    start = artist._started
    monkeypatch.setattr(artist, "_started", lambda: started.append(start()) or started[-1])
    with pytest.raises(KeyError), drawing_aside(threads=2):
        raise KeyError
    assert [process.poll() is not None for process in started] == [True]


@pytest.mark.parametrize("command", [("no such program",), ("true",), ("echo", "[")])
def test_without_the_other_process_this_one_draws(monkeypatch, command):
    """A process that does not start, ends at once or answers nonsense costs no chart."""
    monkeypatch.setattr(artist, "_COMMAND", command)
    with drawing_aside(threads=2) as draw:
        assert score_histogram(SCORES, 0.0) == score_histogram(SCORES, 0.0, draw=draw)


def test_with_one_thread_nothing_is_started():
    """Where one thread may be used, this process draws."""
    with drawing_aside(threads=1) as draw:
        assert draw is draw_here


def test_nothing_is_imported_from_where_the_user_works(tmp_path, monkeypatch):
    """A file beside a log that is named like a library is not run."""
    mark = tmp_path / "run"
    (tmp_path / "json.py").write_text(f"open({str(mark)!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    with drawing_aside(threads=2) as draw:
        score_histogram(SCORES, 0.0, draw=draw)
    assert not mark.exists()
    assert [tmp_path / "json.py"] == list(tmp_path.iterdir())
