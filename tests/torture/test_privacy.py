"""R23 measured: documentation values of personal data and secrets, through the command as users start it.

Outside the default run: `python -m pytest tests/torture --override-ini addopts="-q --strict-markers"`.
"""

import hashlib
import hmac
import ipaddress
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from detector.pseudonyms import Pseudonyms
from tests.detector import leaks
from tests.torture.corpus import Figures

VALUES = Path(__file__).parents[3] / "shared" / "torture" / "dev" / "strings" / "pii_documentation_values.jsonl"
pytestmark = pytest.mark.skipif(not VALUES.is_file(), reason="the documentation values are not beside the checkout")
KEY = hashlib.sha256(b"a key of this test").digest()
Run = Callable[..., tuple[int, bytes]]


def values() -> list[str]:
    """Read the documentation values."""
    return [json.loads(line) for line in VALUES.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in a process; gives its code and all that it said, wrote, or left among temporary files."""
    for name in ("work", "temporary"):
        (tmp_path / name).mkdir()
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o600)

    def call(*arguments: object, stdin: Path | None = None) -> tuple[int, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "detector", *map(str, arguments)],
            cwd=tmp_path / "work",
            env=environment(tmp_path),
            input=stdin.read_bytes() if stdin else b"",
            capture_output=True,
            timeout=120,
            check=False,
        )
        held = leaks.everything_in(tmp_path / "work") + leaks.everything_in(tmp_path / "temporary")
        return done.returncode, done.stdout + done.stderr + held

    return call


def environment(folder: Path) -> dict[str, str]:
    """Give the variables of a process whose temporary files lie in a folder of the test."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "TMPDIR": str(folder / "temporary"), "PYTHONPATH": root, "NO_COLOR": "1"}


def litellm_rows(secrets: Sequence[str]) -> list[leaks.Row]:
    """Put secrets into the nested documents of a gateway's log, of which some are broken."""
    rows = []
    for i, secret in enumerate([*secrets, *["Name a river."] * 60]):
        asked = {"messages": [{"role": "system", "content": secret}, {"role": "user", "content": secret}]}
        rows.append(
            {
                "request_id": f"r{i}",
                "call_type": "acompletion",
                "api_key": f"k{i % 9}",
                "spend": 0.1,
                "startTime": f"2026-03-02T{i % 24:02d}:00:00Z",
                "endTime": f"2026-03-02T{i % 24:02d}:00:05Z",
                "user": f"u{i % 9}",
                "end_user": secret,
                "requester_ip_address": secret,
                "request_tags": json.dumps([f"User-Agent: {secret}", secret]),
                "proxy_server_request": json.dumps(asked)[: None if i % 3 else -9],
                "response": json.dumps({"choices": [{"message": {"role": "assistant", "content": secret}}]}),
                "metadata": json.dumps({"status": secret, "error_information": {"error_code": secret}}),
                "prompt_tokens": secret if i % 5 == 0 else 7,
                "completion_tokens": 70,
            }
        )
    return rows


CASES = {"texts": leaks.in_texts, "types": leaks.in_typed, "nested": litellm_rows}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("reader", leaks.READERS)
def test_no_value_is_in_a_default_output(run: Run, tmp_path: Path, case: str, reader: str, figures: Figures) -> None:
    """Of 14 values in every place of a record, none is in an output, on screen or left behind, whoever reads."""
    found = []
    suffix, write = leaks.READERS[reader]
    log = write(CASES[case](values()), tmp_path / f"log.{suffix}")
    for options in (["--max-rejects", "1"], []):
        code, told = run("score", log, "--out", f"out{len(options)}", "--timezone", "UTC", *options)
        assert code in ((0,) if options else (0, 14))
        found += leaks.leaked(told, values())
    figures.add(f"R23 {case}, {reader}", f"{len(values())} values, {len(found)} found", "0", holds=not found)


@pytest.mark.parametrize("case", ["texts", "types"])
def test_standard_input_leaves_nothing(run: Run, tmp_path: Path, case: str, figures: Figures) -> None:
    """A log from a pipe, copied to a file without a name, is gone afterwards."""
    log = leaks.READERS["csv"][1](CASES[case](values()), tmp_path / "log.csv")
    code, told = run("score", "-", "--out", "out", "--max-rejects", "1", "--timezone", "UTC", stdin=log)
    found = leaks.leaked(told, values())
    figures.add(f"R23 standard input, {case}", f"code {code}, {len(found)} found", "0", holds=not code and not found)


def test_plain_lines_leave_nothing(run: Run, tmp_path: Path, figures: Figures) -> None:
    """Values in the paths, referers and clients of a web server's log, and in lines that fit no pattern."""
    form = '10.0.0.{} - u{} [02/Mar/2026:03:11:09 +0000] "POST /v1/chat?q={} HTTP/1.1" 200 5 "{}" "{}"'
    plain = [value.replace('"', "").replace("\n", " ") for value in values() * 9]
    lines = [form.format(i % 9, i % 9, value.replace(" ", "_"), value, value) for i, value in enumerate(plain)]
    (tmp_path / "access.log").write_text("\n".join([*lines, *values()]) + "\n", encoding="utf-8")
    code, told = run("score", tmp_path / "access.log", "--out", "out", "--max-rejects", "1")
    found = leaks.leaked(told, values())
    figures.add("R23 plain lines", f"code {code}, {len(found)} found", "0", holds=not code and not found)


def test_refusals_and_checks_quote_nothing(run: Run, tmp_path: Path) -> None:
    """Whatever is refused as no log, the refusal has none of the values."""
    for name, text in leaks.without_a_log(values()).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        for command in (["score", tmp_path / name, "--out", "out"], ["formats", "check", tmp_path / name]):
            code, told = run(*command)
            assert (code != 70, leaks.leaked(told, values())) == (True, []), name


@pytest.mark.parametrize("reader", leaks.READERS)
def test_names_are_hidden_under_a_key(run: Run, tmp_path: Path, reader: str, figures: Figures) -> None:
    """As accounts, payments and organisations too, none of the values is anywhere with --pseudonymize."""
    suffix, write = leaks.READERS[reader]
    log = write(leaks.in_names(values()), tmp_path / f"log.{suffix}")
    code, told = run("score", log, "--out", "out", "--max-rejects", "1", "--pseudonymize", tmp_path / "key")
    found = leaks.leaked(told, values())
    figures.add(f"R23 pseudonyms, {reader}", f"code {code}, {len(found)} found", "0", holds=not code and not found)
    assert KEY not in told


def test_a_dictionary_attack_recovers_nobody(run: Run, tmp_path: Path, figures: Figures) -> None:
    """All candidate ids and all addresses and networks of the right /16, in usual ways and guessed keys: 0 hits.

    With the key every one of them is found, so that the search can fail.
    """
    rows = leaks.clean_rows()
    for i, row in enumerate(rows):
        row["ip"] = f"10.23.{i % 12 // 2}.{i % 250}"
    log = leaks.READERS["csv"][1](rows, tmp_path / "log.csv")
    assert run("score", log, "--out", "out", "--pseudonymize", tmp_path / "key")[0] == 0
    out = tmp_path / "work" / "out"
    links = pq.read_table(out / "links.parquet")
    told = {*pq.read_table(out / "accounts.parquet")["account_id"].to_pylist(), *links["thing"].to_pylist()}
    assert "network" in links["kind"].to_pylist()
    tails = {name.rsplit("-", 1)[-1] for name in told}
    block = ipaddress.ip_network("10.23.0.0/16")
    candidates = [f"acc{i:02d}" for i in range(100)] + [f"card-{i}" for i in range(100)]
    candidates += [str(address) for address in block] + [str(network) for network in block.subnets(new_prefix=24)]
    ways = (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.blake2b)
    guesses = [Pseudonyms(guess) for guess in (b"", b"\0" * 32, b"stillwatch", b"password")]
    hits = 0
    for candidate in candidates:
        raw = candidate.encode()
        hits += any(way(raw).hexdigest()[:32] in tails for way in ways)
        hits += hmac.digest(b"", raw, "sha256").hex()[:32] in tails
        hits += any(
            g.name(purpose, candidate) in told for g in guesses for purpose in ("account", "address", "payment")
        )
    figures.add("R23 dictionary attack", f"{len(candidates):,} candidates, {hits} recovered", "0", holds=hits == 0)
    made = Pseudonyms(KEY)
    found = {made.name(p, c) for c in candidates for p in ("account", "address", "payment")} & told
    assert len(found) == 12 + 6 + 6


def test_a_killed_run_leaves_no_prompt_and_purge_leaves_nothing(run: Run, tmp_path: Path, figures: Figures) -> None:
    """Killed at any of 12 instants, a run has put no prompt on disk; after a purge nothing of it is left."""
    rows = leaks.in_texts(values()) * 150
    log = leaks.write_parquet(rows, tmp_path / "log.parquet")
    for step in range(12):
        command = [sys.executable, "-m", "detector", "score", str(log), "--out", "out"]
        process = subprocess.Popen(
            command, cwd=tmp_path / "work", env=environment(tmp_path),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(0.3 + 0.25 * step)
        process.send_signal(signal.SIGKILL)
        process.wait()
        held = b"".join(leaks.everything_in(tmp_path / place) for place in ("work", "temporary"))
        assert leaks.leaked(held, values()) == []
        run("purge", "out")
        assert [*(tmp_path / "work").iterdir(), *(tmp_path / "temporary").iterdir()] == []
    figures.add("R23 killed runs", "12 kills: no prompt left; after a purge, nothing", "0", holds=True)
