import pytest

from detector.errors import NotScoredError
from detector.reports.loading import load_results
from detector.reports.publish import write_results

HOSTILE = ["=1+1", "a\x1b[31m\0b", "a\\x1b", "", " \ufeff@x", "'=1", 'q"uo,te\r\n', "\u202eabc", "p\u0430y"]


def test_what_was_written_is_read_back(make_results, tmp_path):
    """Every table and the facts of the run survive exactly, hostile names included."""
    results = make_results(HOSTILE, HOSTILE[:3])
    write_results(results, tmp_path / "out", report_accounts=3)
    assert results == load_results(tmp_path / "out")


def test_other_folders_are_refused(tmp_path):
    """A missing folder, a file and an empty folder are not scored folders."""
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotScoredError, match="does not exist"):
        load_results(tmp_path / "missing")
    with pytest.raises(NotScoredError, match="is not a folder"):
        load_results(tmp_path / "file")
    with pytest.raises(NotScoredError, match=r"run\.json: is missing or unreadable; give the folder"):
        load_results(tmp_path / "empty")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("run.json", b"{", "is not JSON"),
        ("run.json", b"[]", "is not a JSON object"),
        ("evidence.parquet", None, "is missing"),
        ("evidence.parquet", b"PAR1 cut", "is not a readable Parquet file"),
        ("rejected.csv", None, "is missing"),
        ("rejected.csv", b"a,b\n1,2\n", "does not have the columns"),
    ],
)
def test_damaged_folders_are_refused(results, tmp_path, name, content, reason):
    """A missing, cut or foreign file is named, never guessed around."""
    write_results(results, tmp_path / "out", report_accounts=1)
    (tmp_path / "out" / name).unlink()
    if content is not None:
        (tmp_path / "out" / name).write_bytes(content)
    with pytest.raises(NotScoredError, match=reason):
        load_results(tmp_path / "out")


def test_foreign_columns_are_refused(results, tmp_path):
    """A Parquet file of another contract is not taken."""
    write_results(results, tmp_path / "out", report_accounts=1)
    (tmp_path / "out" / "links.parquet").write_bytes((tmp_path / "out" / "timeline.parquet").read_bytes())
    with pytest.raises(NotScoredError, match="has columns"):
        load_results(tmp_path / "out")
