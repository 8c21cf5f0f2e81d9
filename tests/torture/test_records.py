"""Bad records cost themselves alone, all rows add up, and nobody writes rows in another's name."""

import csv
import io
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.engines.embedded import EmbeddedEngine, Restart
from detector.errors import StillwatchError
from detector.settings import InputSettings
from tests.torture.corpus import TORTURE, Figures, hostile_file, manifest, needs_torture
from tests.torture.trials import mapped_by_hand

HEADER = ("request_id", "occurred_at", "account_id", "prompt", "ip", "output_tokens")
PROMPTS = ("plain", "with, comma", "multi\nline, text\nend", 'say "x", "y"', "")
DAMAGE = ('"', '""', ",", "\n", "\r\n", "\r", " ", '",', '"\n', "\\", "\0", 'x"y', '""",')
#: Files of ours of which the manifest tells how many records are good and bad.
OUTCOMES = {
    "csv/own__giant_row_then_good.csv.gz": (10, 1),
    "csv/own__latin1_in_utf8.csv": (6, 1),
    "csv/own__nul_bytes.csv": (6, 1),
    "csv/own__truncated_last_record.csv": (9, 1),
    "csv/own__unclosed_quote_swallows_rest.csv": (220, 1),
    "json/own__duplicate_account_id.jsonl": (10, 1),
    "json/own__one_line_64MB.jsonl.gz": (10, 1),
    "json/own__surrogates_controls.jsonl": (10, 1),
    "json/own__truncated_tail.jsonl": (10, 1),
}
N_CLEAN, N_FORGED, N_DAMAGED = 2000, 1000, 300
#: Every so many records one is polluted, in 23 ways: with those of whole files, 457 files.
EVERY = 110


def read(path: Path, **settings: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Read a log to its end, bad records or not."""
    given = {"threads": 1, "max_rejects": 1.0, **settings}
    with EmbeddedEngine(InputSettings(**given)).open([str(path)]) as log:
        try:
            rows = [row for batch in log.batches() for row in batch.to_pylist()]
        except Restart:
            rows = [row for batch in log.batches() for row in batch.to_pylist()]
        assert len(log.rejected()) == log.counts()["n_rejected"]
        return rows, log.counts()


def row(i: int, prompt: str, account: str = "") -> list[str]:
    """A record."""
    moment = f"2026-03-02T{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z"
    return [f"r{i}", moment, account or f"a{i % 7}", prompt, f"::{i}", str(i)]


def written(rows: list[list[str]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


@needs_torture
def test_rows_of_salvage_files_add_up(figures: Figures) -> None:
    """R2: good and bad records are as many as the file has, where that is known."""
    wrong = []
    entries = {str(entry["file"]): entry for entry in manifest()}
    for name, expected in OUTCOMES.items():
        path = hostile_file(entries[name])
        _, counts = read(path, timezone="UTC", map=mapped_by_hand(path))
        if (counts["n_read"], counts["n_rejected"]) != expected:
            wrong.append((name, counts["n_read"], counts["n_rejected"]))
    figures.add("R2 own salvage files", f"{len(OUTCOMES)} files, {len(wrong)} off {wrong or ''}", "0", holds=not wrong)


@needs_torture
def test_one_bad_record_costs_no_other(tmp_path: Path, figures: Figures, tell: Callable[[str], None]) -> None:
    """R3 and R4 on one-record and whole-file pollutions of a clean log."""
    rows = [row(i, PROMPTS[i % len(PROMPTS)]) for i in range(N_CLEAN)]
    (tmp_path / "clean.csv").write_text(written([list(HEADER), *rows]), newline="")
    command = [sys.executable, str(TORTURE / "pollute.py"), str(tmp_path / "clean.csv"), str(tmp_path / "out")]
    subprocess.run([*command, "--every", str(EVERY)], check=True, capture_output=True, timeout=300)
    clean = {each["request_id"]: each for each in read(tmp_path / "clean.csv")[0]}
    n_files = n_lost = n_shifted = n_refused = n_off = 0
    silent: list[str] = []
    told: list[str] = []
    again: list[str] = []
    dialects = 0
    for place, line in enumerate((tmp_path / "out" / "expect.jsonl").read_text().splitlines()):
        if place % 50 == 0:
            tell(f"{place} files")
        expect = json.loads(line)
        victims = set(expect["victims"])
        is_dialect = expect["rule"] != "others"
        n_files, dialects = n_files + 1, dialects + is_dialect
        try:
            allowed = {"max_rejects": InputSettings().max_rejects} if is_dialect else {}
            found, counts = read(tmp_path / "out" / expect["file"], **allowed)
        except StillwatchError:
            n_refused += not is_dialect and len(victims) < len(clean)
            continue
        for each in found:
            each["prompt"] = each["prompt"] and each["prompt"].replace("\0", "")  # a NUL in a text is data
        same = {each["request_id"] for each in found if each == clean.get(each["request_id"])}
        n_off += counts["n_read"] + counts["n_rejected"] != counts["n_rows"] or len(found) != counts["n_read"]
        if is_dialect:
            is_right = len(same) == len(found) == len(clean)
            again += [expect["file"]] * (counts["n_headers"] > 0)
            told += [expect["file"]] * (not is_right and counts["n_rejected"] > 0)
            silent += [expect["file"]] * (not is_right and counts["n_rejected"] == 0)
            continue
        n_lost += len(clean.keys() - same - victims)
        n_shifted += sum(each != clean.get(each["request_id"]) for each in found)
    wrong = f"{dialects} files; silently wrong: {silent or 'none'}; read in part, with rejects: {told or 'none'}"
    figures.add("R4 other dialects", wrong, "none silently", holds=not silent)
    is_told = again == ["file_header_twice.csv", "file_concatenated_twice.csv"]
    figures.add("R4 headers that stand again", f"told in {again}", "both files of such", holds=is_told)
    cost = f"{n_files - dialects} files, {n_lost} lost, {n_shifted} shifted, {n_refused} refused, {n_off} do not add up"
    figures.add("R3 one bad record", cost, "0, 0, 0, 0", holds=not (n_lost or n_shifted or n_refused or n_off))


def forged_log(rng: random.Random, name: str) -> str:
    """A log of a gateway that quotes prompts and doubles no quotation mark, one of which forges a record."""
    moment, address, amount = "2026-03-02T23:00:00Z", "::9", "9"
    said = rng.choice(("x", "", '"x"', '"x'))
    victim = f"{name},{moment},victim,{said},{address},{amount}"
    before = rng.choice(("", '"', '",', '"\n', f'",{address},1', f'",{address},1,', "x", "x\ny"))
    after = rng.choice(("", "\n", '\n"', '"', f'\n{name}b,{moment},victim,"x', "\nx", f"\nx,{moment},a,", '\n""'))
    forged = f"{before}\n{victim}{after}"
    prompts = [rng.choice(PROMPTS) for _ in range(rng.randint(3, 12))] + ['he said "yes"']
    rng.shuffle(prompts)
    prompts.insert(rng.randint(0, len(prompts)), forged)
    lines = []
    for i, prompt in enumerate(prompts):
        cells = row(i, "")
        cells[3] = f'"{prompt}"'
        lines.append(",".join(cells))
    return "\n".join([",".join(HEADER), *lines]) + "\n"


def test_forged_records_support_no_revocation(tmp_path: Path, figures: Figures) -> None:
    """R3b: where a forged record is read, the log has rejects that cast doubt on all; then nobody is revoked."""
    rng = random.Random(5)
    n_read = n_evidence = n_recovered = 0
    path = tmp_path / "log.csv"
    for i in range(N_FORGED):
        path.write_text(forged_log(rng, f"forged{i}"), newline="")
        try:
            rows, counts = read(path)
        except StillwatchError:
            continue
        is_read = any(each["account_id"] == "victim" for each in rows)
        n_read += is_read
        n_recovered += is_read and counts["n_recovered"] > 0
        n_evidence += is_read and counts["n_doubtful"] == 0
    told = f"{N_FORGED} forged, {n_read} read, {n_recovered} of them told as recovered, {n_evidence} in a sound log"
    figures.add("R3b forged records", told, "0 in a sound log", holds=n_read > 0 and not n_evidence)


def test_the_fast_way_reads_what_the_exact_way_reads(tmp_path: Path, figures: Figures) -> None:
    """R3: on random damage the two ways of reading give the same rows and rejects, or the fast one gives up."""
    rng = random.Random(3)
    n_differ, path = 0, tmp_path / "log.csv"
    for _ in range(N_DAMAGED):
        text = list(written([row(i, rng.choice(PROMPTS)) for i in range(rng.randint(2, 6))]))
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text) + 1)
            text[at : at + (rng.random() < 0.2)] = [rng.choice(DAMAGE)]
        body = "".join(text)
        path.write_text(f"{','.join(HEADER)}\n{body}", newline="")
        n_differ += _outcome(path, is_exact=False) != _outcome(path, is_exact=True)
    figures.add("R3 fast against exact", f"{N_DAMAGED} damaged logs, {n_differ} differ", "0", holds=not n_differ)


def _outcome(path: Path, *, is_exact: bool) -> object:
    """What a log gives: its rows and rejects, or its error."""
    with EmbeddedEngine(InputSettings(threads=1, max_rejects=1.0)).open([str(path)]) as log:
        if is_exact:
            log._exact.update(log._scans)
        try:
            try:
                rows = [each for batch in log.batches() for each in batch.to_pylist()]
            except Restart:
                rows = [each for batch in log.batches() for each in batch.to_pylist()]
        except StillwatchError as error:
            return str(error)
        return rows, log.rejected().to_pylist()


@pytest.mark.parametrize("copies", [1, 200])
def test_a_log_of_any_length_tells_all_its_rejects(copies: int, tmp_path: Path, figures: Figures) -> None:
    """R2: a bad record among many good ones is counted wherever it lies, and every good one loads."""
    rows = [row(i, PROMPTS[i % len(PROMPTS)]) for i in range(500)]
    bad = 'r9,2026-03-02T00:00:00Z,"x"y,p,::1,1\n'
    text = (written(rows) + bad) * copies
    (tmp_path / "log.csv").write_text(",".join(HEADER) + "\n" + text, newline="")
    found, counts = read(tmp_path / "log.csv")
    is_whole = (len(found), counts["n_rejected"]) == (500 * copies, copies)
    figures.add(
        "R2 rows add up", f"{len(found)} + {counts['n_rejected']}", f"{500 * copies} + {copies}", holds=is_whole
    )
