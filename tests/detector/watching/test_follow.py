"""A watch: it agrees with a run over the whole log, whatever way that came; it tells once; it forgets the long idle."""

import gzip
import json
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from detector.errors import InputUnreadableError, StateError, TooManyRejectsError
from tests.detector.watching.logs import Follower, as_csv, as_jsonl, check_agree, draw, write

TWO_WEEKS_S = 15 * 86_400.0


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_files_that_come_one_by_one_in_any_order_agree_with_a_run_over_all(tmp_path: Path, suffix: str) -> None:
    """Five files out of order of time, a restart and a look on the way: the last look is the run over the whole log."""
    log, follower = draw(), Follower(tmp_path, late_s=TWO_WEEKS_S)
    for number, part in enumerate([3, 0, 4, 1, 2]):
        write(log.slice(part * 240, 240), follower.log / f"{number}{suffix}")
        if number in (1, 4):
            looked = follower.once()
    check_agree(looked, follower.batch())
    assert follower.watch is not None
    assert follower.watch.status()["n_late"] == 0


@pytest.mark.parametrize(("suffix", "render"), [(".csv", as_csv), (".jsonl", as_jsonl)])
def test_a_file_that_grows_by_any_bytes_agrees_with_a_run_over_it(tmp_path: Path, suffix: str, render: object) -> None:
    """Cuts inside lines, quotes and letters: what is not a whole record waits; in many pieces, with restarts."""
    data, rng = render(draw(n=500)), np.random.default_rng(3)  # type: ignore[operator]
    follower = Follower(tmp_path, piece_bytes=1 << 14)
    path = follower.log / f"events{suffix}"
    for end in [*sorted(rng.integers(2000, len(data), 2).tolist()), len(data)]:
        path.write_bytes(data[:end])
        looked = follower.once()
    check_agree(looked, follower.batch())


def test_rows_that_come_later_than_is_waited_for_are_counted(tmp_path: Path) -> None:
    """Shuffled over two weeks, an hour is waited: all but rhythm is that of a run, and `n_late` says so."""
    log, rng, follower = draw(), np.random.default_rng(4), Follower(tmp_path)
    shuffled = log.take(pa.array(rng.permutation(log.num_rows)))
    for number in range(2):
        write(shuffled.slice(number * 600, 600), follower.log / f"{number}.csv")
        looked = follower.once()
    assert looked is not None
    assert follower.watch is not None
    assert follower.watch.status()["n_late"] > 0
    scored = follower.batch()
    columns = ["account_id", "n_events", "first_seen_at", "last_seen_at"]
    assert (
        looked.scored.select(columns).sort_by("account_id").equals(scored.scored.select(columns).sort_by("account_id"))
    )
    assert looked.links.equals(scored.links)


def test_bad_rows_are_set_aside_and_counted_as_in_a_run(tmp_path: Path) -> None:
    """Of all kinds, in files that grow: the same counts, the same lines and reasons, and nobody is revoked."""
    follower = Follower(tmp_path)
    follower.settings = follower.settings.model_copy(
        update={"input": follower.settings.input.model_copy(update={"max_rejects": 0.5})}
    )
    lines = as_jsonl(draw(n=300)).splitlines(keepends=True)
    lines[40:40] = [b"not json\n", b"\n", b'{"account_id": "x"}\n', b'{"occurred_at": "never", "account_id": "x"}\n']
    lines[200:200] = [b"\xff\xfe\n"]
    path = follower.log / "events.jsonl"
    for n in (30, 150, len(lines)):
        path.write_bytes(b"".join(lines[:n]))
        looked = follower.once()
    settings = follower.settings.input
    from detector.pipeline import score
    from detector.settings import ScoreSettings

    scored = score([str(path)], ScoreSettings(input=settings, policy=follower.settings.policy))
    check_agree(looked, scored)
    assert looked is not None
    assert looked.rejected.equals(scored.rejected)
    assert "revoke" not in looked.scored["action"].to_pylist()


def test_a_stray_quotation_mark_costs_what_it_costs_a_run(tmp_path: Path) -> None:
    """In CSV with prompts of several lines: the same records are lost, and no others."""
    data = as_csv(draw(n=300)).split(b"\n")
    at = next(i for i in range(120, 200) if data[i].startswith(b"2026"))
    data[at] = data[at].replace(b",", b',"oops,', 1)
    follower = Follower(tmp_path)
    follower.settings = follower.settings.model_copy(
        update={"input": follower.settings.input.model_copy(update={"max_rejects": 0.5})}
    )
    path = follower.log / "events.csv"
    for n in (100, at + 3, at + 40, len(data)):
        path.write_bytes(b"\n".join(data[:n]) + b"\n" * (n < len(data)))
        looked = follower.once()
    from detector.pipeline import score
    from detector.settings import ScoreSettings

    scored = score([str(path)], ScoreSettings(input=follower.settings.input, policy=follower.settings.policy))
    assert looked is not None
    assert looked.run["counts"]["n_rejected"] >= scored.run["counts"]["n_rejected"] > 0
    assert abs(looked.run["counts"]["n_read"] - scored.run["counts"]["n_read"]) <= 2


def test_too_many_bad_rows_are_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    """As a run refuses them: the state is kept, and looks go on once the share is small again."""
    follower = Follower(tmp_path)
    lines = as_jsonl(draw(n=300)).splitlines(keepends=True)
    path = follower.log / "events.jsonl"
    path.write_bytes(lines[0] + b"bad\n")
    with pytest.raises(TooManyRejectsError, match=r"1 of 2 records .* line 2: the record is not JSON"):
        follower.once()
    path.write_bytes(lines[0] + b"bad\n" + b"".join(lines[1:]))
    looked = follower.once()
    assert looked is not None
    assert looked.run["counts"]["n_rows"] == 301


def test_a_finding_is_told_once_and_again_only_when_it_is_graver(tmp_path: Path) -> None:
    """Over looks and restarts: each line names another account, or a stronger recommendation."""
    log, follower = draw(), Follower(tmp_path, every_s=0.0)
    for number in range(4):
        write(log.slice(number * 300, 300), follower.log / f"{number}.csv")
        follower.once()
    found = [json.loads(line) for line in follower.findings.splitlines()]
    assert found
    ranks: dict[str, int] = {}
    for finding in found:
        rank = ["none", "review", "throttle", "revoke"].index(finding["action_recommended"])
        assert ranks.get(finding["account_id"], -1) < rank
        ranks[finding["account_id"]] = rank
    flagged = {name for look in follower.looks for name, is_flagged in _flags(look) if is_flagged}
    assert flagged == set(ranks)
    before = follower.findings
    assert follower.once() is None
    assert before == follower.findings


def _flags(look: object) -> list[tuple[str, bool]]:
    scored = look.scored  # type: ignore[attr-defined]
    return list(zip(scored["account_id"].to_pylist(), scored["is_flagged"].to_pylist(), strict=True))


def test_the_long_idle_are_forgotten_and_the_state_says_so(tmp_path: Path) -> None:
    """Who made no request for so many days of event time is gone, with what waits; the others are as if alone."""
    log, follower = draw(n=1200), Follower(tmp_path, idle_days=3.0)
    frame = log.to_pandas()
    early = frame.occurred_at < frame.occurred_at.min() + np.timedelta64(4, "D")
    idle = frame.account_id.isin(["a1", "a2", "a3"])
    kept = pa.Table.from_pandas(frame[early | ~idle], preserve_index=False).cast(log.schema)
    write(kept, follower.log / "0.csv")
    follower.once()
    assert follower.watch is not None
    forgotten = follower.watch.status()["forgotten"]
    assert forgotten["n_accounts"] == 3
    assert forgotten["n_events"] == int((early & idle).sum())
    assert not {"a1", "a2", "a3"} & set(follower.watch.folded.profiles.account_ids)
    again = follower.begin()
    assert again.status()["forgotten"] == forgotten
    assert again.status()["n_accounts_known"] == 27


def test_one_wrong_clock_makes_nobody_forgotten(tmp_path: Path) -> None:
    """A row of the year 2199 is a row; event time does not follow it."""
    follower = Follower(tmp_path, idle_days=3.0)
    lines = as_jsonl(draw(n=300)).splitlines(keepends=True)
    wrong = json.dumps(json.loads(lines[5]) | {"occurred_at": "2199-01-01T00:00:00Z", "account_id": "future"})
    (follower.log / "0.jsonl").write_bytes(b"".join(lines) + wrong.encode() + b"\n")
    looked = follower.once()
    assert looked is not None
    assert follower.watch is not None
    assert follower.watch.status()["n_accounts_known"] == looked.scored.num_rows == 31


def test_a_compressed_file_is_read_once_it_is_whole(tmp_path: Path) -> None:
    """Cut short it is waited for, said once; whole it agrees with a run."""
    follower, data = Follower(tmp_path, late_s=TWO_WEEKS_S), gzip.compress(as_csv(draw(n=300)))
    write(draw(seed=2, n=100), follower.log / "0.csv")
    path = follower.log / "1.csv.gz"
    path.write_bytes(data[: len(data) // 2])
    follower.once()
    assert any("cut short" in text for text in follower.said)
    path.write_bytes(data)
    looked = follower.once()
    check_agree(looked, follower.batch())


def test_a_stop_keeps_what_was_read(tmp_path: Path) -> None:
    """Told to stop, it commits without a look; the next one looks at what was kept without reading it again."""
    follower = Follower(tmp_path, every_s=3600.0)
    write(draw(n=300), follower.log / "0.csv")
    watch = follower.begin()
    threading.Timer(0.7, watch.stop.set).start()
    watch.run(once=False)
    assert follower.looks == []
    assert watch.n_unlooked == 300
    (follower.log / "0.csv").chmod(0)
    looked = follower.once()
    assert looked is not None
    assert looked.run["counts"]["n_read"] == 300


def test_a_state_of_other_settings_is_refused(tmp_path: Path) -> None:
    """What decides how a log reads must be as it was."""
    follower = Follower(tmp_path)
    write(draw(n=300), follower.log / "0.csv")
    follower.once()
    reading = follower.settings.input.model_copy(update={"text": False})
    follower.settings = follower.settings.model_copy(update={"input": reading})
    with pytest.raises(StateError, match="is of a watch with other settings of reading"):
        follower.begin()


def test_a_place_where_nothing_can_come_is_refused(tmp_path: Path) -> None:
    """A folder that is not there; an empty one is waited for."""
    with pytest.raises(InputUnreadableError, match="nowhere: no file or folder is there"):
        Follower(tmp_path, [str(tmp_path / "nowhere")]).begin()
    assert Follower(tmp_path).once() is None
