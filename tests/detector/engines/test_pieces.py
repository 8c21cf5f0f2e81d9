"""Cutting a CSV file: every piece holds whole records, nothing is lost, whatever prompts contain."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.engines import pieces
from detector.engines.pieces import Stage, UnendingRecordError, cut, is_lenient_json, side_by_side, without_returns
from detector.logs.objects import DEEPEST, ObjectReader

ROWS = st.lists(st.lists(st.text('ab",\n\r x', max_size=12), min_size=3, max_size=3), min_size=1, max_size=30)


def written(rows: list[list[str]]) -> bytes:
    """Write rows as the standard library does."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


@settings(max_examples=200, deadline=None)
@given(ROWS, st.integers(1, 50), st.integers(0, 20))
def test_pieces_hold_whole_records(rows: list[list[str]], step: int, skip: int) -> None:
    """However the bytes arrive, the pieces joined are the body, and each parses on its own."""
    body = written(rows)
    whole = b"h" * skip + body
    chunks = [whole[i : i + step] for i in range(0, len(whole), step)]
    found = [bytes(piece) for piece in cut(chunks, skip=skip, longest=10_000, size=40)]
    assert b"".join(found) == body
    parsed = [row for piece in found for row in csv.reader(io.StringIO(piece.decode(), newline=""))]
    assert parsed == rows


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b'"')), max_size=30), st.integers(1, 50))
def test_lines_are_cut_at_every_end(lines: list[bytes], step: int) -> None:
    """Where quotes mean nothing to a record's end, as in JSON lines, pieces are bounded and hold whole lines."""
    body = b"".join(line + b"\n" for line in lines)
    chunks = [body[i : i + step] for i in range(0, len(body), step)]
    found = [bytes(piece) for piece in cut(chunks, skip=0, longest=100, size=40, is_quoted=False)]
    assert b"".join(found) == body
    assert all(piece.endswith(b"\n") and len(piece) < 40 + step for piece in found)


@settings(max_examples=200, deadline=None)
@given(ROWS)
def test_returns_go_from_line_ends_alone(rows: list[list[str]]) -> None:
    """What Windows writes becomes what the strict reader takes; a return inside quotes stays, whatever follows."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    piece = memoryview(text.getvalue().encode())
    assert bytes(without_returns(piece)) == written(rows)


def test_an_unclosed_quote_is_refused() -> None:
    """A quote that never closes would swallow the rest of the file."""
    with pytest.raises(UnendingRecordError):
        list(cut([b'"a"\n"b\n' + b"c\n" * 5], skip=0, longest=1000, size=40))


@pytest.mark.parametrize("bad", ['{"a":[1,]}', '{"a":"x" , }', '{"a":NaN}', "[-Infinity]", '{"a":"\\\\","b":1,\t}'])
def test_what_json_forbids_is_seen(bad: str) -> None:
    """Between good lines, wherever it stands; the same signs inside a text are a text."""
    good = '{"a":"NaN,}","b":"q\\",]","c":[{"d":1},2.5e3,true,null]}\n'
    assert is_lenient_json(memoryview((good + bad + "\n" + good).encode()))
    assert not is_lenient_json(memoryview((good + good).encode()))


def test_an_endless_record_is_refused() -> None:
    """Memory is bounded by the longest record allowed."""
    with pytest.raises(UnendingRecordError):
        list(cut([b'"' + b"a" * 30] * 9, skip=0, longest=100, size=40))


def test_results_come_in_order(tmp_path: Path) -> None:
    """Several stages at work do not mix up the pieces, and a stage's content is replaced whole."""
    stages = [Stage(tmp_path) for _ in range(3)]
    texts = [b"x" * (100 - 7 * i) + bytes([65 + i]) for i in range(12)]
    found = list(side_by_side(map(memoryview, texts), stages, lambda path, _: Path(path).read_bytes()))
    assert found == texts
    for stage in stages:
        stage.close()


def test_a_prompt_that_looks_like_records_stays_a_prompt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines inside a quoted prompt that spell whole records never become rows, wherever pieces end."""
    from detector.engines.embedded import EmbeddedEngine
    from detector.settings import InputSettings

    monkeypatch.setattr(pieces, "PIECE_BYTES", 4096)
    forged = "\n".join("2026-03-02T00:00:00Z,victim,forged" for _ in range(300))
    rows = [["2026-03-02T00:00:00Z", f"a{i % 7}", forged if i % 3 else "plain"] for i in range(400)]
    log = tmp_path / "log.csv"
    with log.open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([["occurred_at", "account_id", "prompt"], *rows])
    with EmbeddedEngine(InputSettings()).open([str(log)]) as opened:
        found = [pair for b in opened.batches() for pair in zip(b[1].to_pylist(), b[2].to_pylist(), strict=True)]
    assert found == [(row[1], row[2]) for row in rows]


def test_line_ends_of_windows_are_read_the_fast_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows come from both line ends, and neither needs the reading record by record."""
    from detector.engines import scans
    from detector.engines.embedded import EmbeddedEngine
    from detector.settings import InputSettings

    monkeypatch.delattr(scans, "ExactReader")
    rows = [["2026-03-02T00:00:00Z", f"a{i % 7}", f'line\r\nor "two"\n{i}', "last"] for i in range(400)]
    found = []
    for ending in ("\n", "\r\n"):
        log = tmp_path / f"{len(ending)}.csv"
        with log.open("w", newline="") as out:
            header = ["occurred_at", "account_id", "prompt", "model"]
            csv.writer(out, lineterminator=ending).writerows([header, *rows])
        with EmbeddedEngine(InputSettings()).open([str(log)]) as opened:
            found.append([tuple(row.values())[1:] for batch in opened.batches() for row in batch.to_pylist()])
    assert found[0] == found[1]
    assert [row[0] for row in found[0]] == [row[1] for row in rows]


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1])
def test_json_may_be_nested_as_deep_on_one_way_as_on_the_other(depth: int) -> None:
    """Brackets in strings do not count, nor do those of other lines; one level too many sends a piece the exact way."""
    inner = depth - 1
    line = b'{"a":"' + b"[" * 600 + b'\\"[{","b":' + b"[" * inner + b"]" * inner + b"}\n"
    piece = b'{"c":[' + b"\n" + line * 3
    assert is_lenient_json(memoryview(piece)) == (depth > DEEPEST)
    assert [found.reason for found in ObjectReader([line], ())] == [
        "the record is nested too deeply" if depth > DEEPEST else None
    ]
