"""Every string of the corpus in every text of a log and of its results: no output bites. Takes some minutes.

Looked at: all files of `score`, what it and every command prints, all exports, and the file system around them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from detector import tables
from detector.reports.caveats import remark
from detector.reports.exports.registry import EXPORTS
from detector.reports.safe import safe_cell, safe_name
from detector.reports.sheets import read_csv
from tests.torture.corpus import Figures
from tests.torture.embedding import (
    CORPUS,
    bites,
    corpus_strings,
    left_marks,
    look_alikes,
    moves_the_reader,
    page_shape,
    scored_bites,
    snapshot,
)

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the hostile strings are not beside the checkout")

ROOT = Path(__file__).parents[2]
BATCH = 150
#: Longer strings go into prompts alone: no gateway keeps a header or an id of that size.
LONGEST = 4000
TEXTS = [field.name for field in tables.EVENTS if field.type == pa.string()]
NAMED = ("account_id", "payment_id", "org_id", "ip", "user_agent", "model")
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE_FILE = "=1+1 <script>\x1b[31m\u202e|log"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _row(place: int) -> dict[str, Any]:
    """Give a plain request; accounts and what they share are few, so that things are linked."""
    return {
        "occurred_at": BEGIN + timedelta(seconds=7 * place),
        "account_id": f"acct-{place % 50}",
        "payment_id": f"card-{place % 20}",
        "org_id": f"org-{place % 30}",
        "ip": f"192.0.2.{place % 40}",
        "user_agent": "client/1.0",
        "model": "m-1",
        "prompt": f"Say {place} in words.",
        "completion": "Yes.",
        "input_tokens": 10 + place % 7,
        "output_tokens": 20 + place % 11,
        "status_code": 200,
    }


def _rows(strings: list[str]) -> list[dict[str, Any]]:
    """Put every string into every column of texts, twice where two accounts must share it to be shown."""
    rows: list[dict[str, Any]] = []
    for text in strings:
        for column in TEXTS if len(text) <= LONGEST else ["prompt", "completion", "system_prompt"]:
            for _ in range(2 if column in NAMED else 1):
                rows.append(_row(len(rows)) | {column: text})
    return rows


@pytest.fixture(scope="module", autouse=True)
def on_purpose(request: pytest.FixtureRequest) -> None:
    """Minutes are spent only where they are asked for: `pytest tests/torture`."""
    if not any("torture" in argument for argument in request.config.invocation_params.args):
        pytest.skip("takes minutes; give tests/torture")


@pytest.fixture(scope="module")
def strings() -> list[str]:
    """Every string of the corpus."""
    return corpus_strings()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, strings: list[str]) -> Path:
    """A folder with a hostile log, its accounts and its truth."""
    folder = tmp_path_factory.mktemp("torture")
    (folder / "log").mkdir()
    rows = _rows(strings)
    log = pa.Table.from_pylist(rows, schema=tables.EVENTS)
    pq.write_table(log, folder / "log" / f"{HOSTILE_FILE}.parquet")
    with (folder / "log.jsonl").open("w", encoding="ascii") as lines:
        lines.writelines(json.dumps(row | {"occurred_at": row["occurred_at"].isoformat()}) + "\n" for row in rows)
    pa.csv.write_csv(log.drop_columns(["wants_logprobs"]), folder / "log.csv")
    names = log["account_id"].unique().to_pylist()
    texts = {name: strings[at % len(strings)] for at, name in enumerate(names)}
    accounts = [{"account_id": n, "plan": t, "email_domain": t, "country": t} for n, t in texts.items()]
    pq.write_table(pa.Table.from_pylist(accounts, schema=tables.ACCOUNTS), folder / "accounts.parquet")
    truth = [
        {"account_id": n, "persona": t[:200], "is_extraction": at % 9 == 0, "n_events": 1, "n_extraction_events": 0}
        for at, (n, t) in enumerate(texts.items())
    ]
    pq.write_table(pa.Table.from_pylist(truth, schema=tables.TRUTH), folder / "truth.parquet")
    return folder


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    """Runs a command as a process of its own in that folder, its home there, too."""

    def call(*arguments: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "detector.cli", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place), "TMPDIR": str(place / "log")}
        found = subprocess.run(
            command, cwd=place, env=environment, capture_output=True, check=False, timeout=600, stdin=subprocess.DEVNULL
        )
        out, err = found.stdout.decode("utf-8"), found.stderr.decode("utf-8")
        assert [moves_the_reader(text) for text in (out, err)] == [[], []], arguments
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(command, found.returncode, out, err)

    return call


@pytest.fixture(scope="module")
def scored(place: Path, run: Run) -> Path:
    """The log, scored with half of everyone flagged and with excerpts; nothing else in the folder has changed."""
    before = snapshot(place)
    log = place / "log" / f"{HOSTILE_FILE}.parquet"
    options = ["--accounts", "accounts.parquet", "--out", "scored", "--budget", "0.5", "--include-excerpts"]
    found = run("score", log, *options, "--set", "report.accounts=60")
    assert (found.returncode, found.stderr) == (0, "")
    after = {path: digest for path, digest in snapshot(place).items() if not path.startswith("scored")}
    assert before == after
    return place / "scored"


def test_no_text_of_a_run_bites(
    strings: list[str], tmp_path: Path, figures: Figures, tell: Callable[[str], None]
) -> None:
    """Every string as every text of the results: account, cluster, thing, unit, meaning, reason, file, version."""
    found = []
    for start in range(0, len(strings), BATCH):
        (tmp_path / str(start)).mkdir()
        found += bites(strings[start : start + BATCH], tmp_path / str(start))
        tell(f"{start} of {len(strings)} strings")
    told = f"{len(strings)} strings as every text, {len(found)} bite {found[:3] or ''}"
    figures.add("R17, R18, R19 texts of results", told, "0", holds=not found)


def test_no_text_of_a_log_bites(scored: Path, figures: Figures) -> None:
    """Every string in every column of texts of a log: the files of its scores hold no formula, no tag, no control."""
    counts = json.loads((scored / "run.json").read_text())["counts"]
    assert counts["n_flagged"] > 200
    found = [*scored_bites(scored), *left_marks(scored.parent)]
    told = f"{counts['n_rows']:,} rows, {counts['n_flagged']:,} accounts flagged, {len(found)} bite {found[:3] or ''}"
    figures.add("R17, R18, R19 texts of a log", told, "0", holds=not found)
    assert not {"script", "img", "iframe", "svg"} & {tag[0] for tag in page_shape(_without_charts(scored))}


def _without_charts(scored: Path) -> str:
    """Give the page without the charts, which are drawings of ours."""
    return re.sub(r"<svg.*?</svg>", "", (scored / "report.html").read_text(encoding="utf-8"), flags=re.S)


def test_every_account_stays_itself(place: Path, scored: Path, figures: Figures) -> None:
    """As many accounts as distinct names in the log, byte for byte, in Parquet and, made safe, in CSV.

    Names with NUL are refused and listed.
    """
    log = pq.read_table(place / "log", columns=["account_id"])["account_id"].to_pylist()
    exact = pq.read_table(scored / "accounts.parquet")["account_id"].to_pylist()
    assert sorted(exact) == sorted({name for name in log if "\0" not in name})
    assert read_csv(scored / "rejected.csv", tables.REJECTED).num_rows == sum("\0" in name for name in log) > 0
    assert read_csv(scored / "accounts.csv", tables.SCORED)["account_id"].to_pylist() == exact
    figures.add("R19 names", f"{len(exact):,} distinct names are as many accounts", "all", holds=True)


def test_look_alikes_stay_apart(figures: Figures) -> None:
    """Of every group of letters that look the same, no two names are shown alike, and each odd one has its bytes."""
    for group in look_alikes():
        names = [f"p{letter}y" for letter in group]
        assert len({safe_name(name) for name in names}) == len({safe_cell(name) for name in names}) == len(set(names))
        odd = [name for name in names if not name.isascii()]
        assert all(name.encode().hex(" ") in remark(name) for name in odd)
        assert len({safe_name(name) + remark(name) for name in odd}) == len(odd)
    figures.add("R19 look-alikes", f"{len(look_alikes())} groups, none shown alike", "0", holds=True)


def test_file_names_are_never_of_the_log(scored: Path, figures: Figures) -> None:
    """The files are those of any other run."""
    known = {"accounts.csv", "rejected.csv", "findings.jsonl", "report.html", "run.json"}
    known |= {f"{name}.parquet" for name in ("accounts", "clusters", "evidence", "links", "timeline", "history")}
    strange = {path.name for path in scored.iterdir()} ^ (known | {"lookalikes.parquet", "excerpts.parquet"})
    told = f"{len(strange)} files called by the log, nothing changed around them"
    figures.add("R20 paths", told, "0", holds=not strange)


@pytest.mark.parametrize("name", EXPORTS)
def test_no_export_bites(run: Run, scored: Path, name: str, figures: Figures) -> None:
    """One line per flagged account, printable, whatever it is called."""
    found = run("export", scored, "--format", name, "--out", f"export.{name}", "--least", "none")
    assert (found.returncode, found.stderr) == (0, "")
    text = (scored.parent / f"export.{name}").read_bytes().decode("utf-8")
    flagged = json.loads((scored / "run.json").read_text())["counts"]["n_flagged"]
    is_inert = moves_the_reader(text) == [] and text.count("\n") == len(text.splitlines()) == flagged
    figures.add(f"R19 export {name}", f"{flagged:,} findings, a line each, printable", "all", holds=is_inert)


def test_what_is_printed_of_accounts_is_inert(run: Run, scored: Path) -> None:
    """Explanations and case files of the most suspicious, and the answer to a name that is not there."""
    names = pq.read_table(scored / "accounts.parquet")["account_id"].to_pylist()
    for name in [name for name in names if "\0" not in name][:3]:
        for options in ([], ["--case"]):
            assert run("explain", scored, *options, "--", name).returncode == 0
    assert run("explain", scored, "\x1b[31m<no such account>\u202e").returncode == 20


@pytest.mark.parametrize("log", ["log.csv", "log.jsonl", "log"])
def test_what_a_check_of_a_log_prints_is_inert(run: Run, place: Path, log: str) -> None:
    """Rows, file names and columns of the log, shown redacted, move nothing."""
    assert run("formats", "check", place / log).returncode == 0


def test_columns_and_settings_of_strange_names_are_inert(run: Run, place: Path, strings: list[str]) -> None:
    """A log whose columns are called so ends in rows or one line of error, and so do options."""
    names = [text for text in strings if len(text) < 200][::40]
    strange = {"occurred_at": [BEGIN], "account_id": ["a"]} | {name: ["x"] for name in names}
    pq.write_table(pa.table(strange), place / "strange.parquet")
    for arguments in (
        ("formats", "check", "strange.parquet"),
        ("formats", "check", "strange.parquet", "--map", "account_id=\x1b[2J"),
        ("formats", "show", "\x1b]0;x\x07"),
        ("score", "strange.parquet", "--out", "no", "--set", "\x1b.x=\u202e"),
        ("export", "scored", "--format", "\x1b[1m", "--out", "no"),
    ):
        found = run(*arguments)
        assert found.returncode == 0 or found.stderr.count("\n") == 1, arguments


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_figures_are_inert(run: Run, place: Path, scored: Path, options: list[str]) -> None:
    """Kinds of customer are named by whoever labelled the log."""
    out = f"figures{len(options)}.json"
    assert run("evaluate", scored, place / "truth.parquet", "--out", out, *options).returncode == 0
    assert moves_the_reader((place / out).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "canary",
    [
        "strings/model_canary.pkl",
        "strings/yaml_python_object.yaml",
        "strings/yaml_billion_laughs.yaml",
        "strings/toml_deep.toml",
        "strings/zip_slip.zip",
        "parquet/own__cve_2023_47248_canary.parquet",
    ],
)
def test_no_file_is_run(run: Run, place: Path, canary: str, figures: Figures) -> None:
    """A file that runs something where it is loaded carelessly runs nothing here, whatever it is given as.

    It is one line of error, unless its rows can be taken for accounts.
    """
    before, file = snapshot(place), CORPUS.parent / canary
    log = place / "log" / f"{HOSTILE_FILE}.parquet"
    for arguments in (
        ("score", file, "--out", "no"),
        ("score", log, "--model", file, "--out", "no"),
        ("score", log, "--accounts", file, "--out", "no"),
        ("score", log, "--config", file, "--out", "no"),
        ("explain", file, "acct-1"),
        ("formats", "show", file),
    ):
        found = run(*arguments)
        is_table = canary.endswith(".parquet") and "--accounts" in arguments
        assert is_table or (found.returncode > 1 and found.stderr.count("\n") == 1), arguments
        shutil.rmtree(place / "no", ignore_errors=True)
    is_still = snapshot(place) == before and left_marks(place) == []
    figures.add(f"R21 {Path(canary).name}", "given as 6 things: nothing ran, nothing changed", "0", holds=is_still)
