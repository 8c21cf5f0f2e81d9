"""Where accounts come from: sign-ins stand in for addresses that a log lacks, operators are counted, no score moves."""

import json
from pathlib import Path

import pytest

from detector.pipeline import score
from detector.pseudonyms import Pseudonyms
from detector.reports.case import case_file
from detector.reports.loading import load_results
from detector.reports.publish import write_results
from detector.reports.terminal import explain
from detector.settings import ScoreSettings, load
from tests.detector.features.small_logs import draw_log, write_log
from tests.detector.logs.databases import write_mmdb
from tests.detector.logs.test_audit import signed_in, written

SETTINGS = load(ScoreSettings, {"input": {"threads": 1}}, where="test")
N, FLEET = 60, 5
HOUR = 3600


def usage(path: Path) -> Path:
    """Write counts per hour of 60 users: no address, no text."""
    buckets = [
        {
            "start_time": 1_772_000_000 + HOUR * hour,
            "results": [
                {"user_id": f"u{i:02d}", "model": "m", "input_tokens": 50 + i, "output_tokens": 9 * i,
                 "num_model_requests": 1 + (i * hour) % 7}
                for i in range(N)
            ],
        }
        for hour in range(30)
    ]  # fmt: skip
    return written(path, {"object": "page", "data": buckets, "has_more": False, "next_page": None})


def sign_ins(path: Path) -> Path:
    """Write an audit log: all sign in from one office, each from three homes, and a fleet from eight networks more."""
    rows = [signed_in(f"u{i:02d}", "198.51.100.7", user_agent="Mozilla") for i in range(N)]
    rows += [signed_in(f"u{i:02d}", f"10.{i}.{home}.1") for i in range(N) for home in range(3)]
    rows += [
        signed_in(f"u{i:02d}", f"192.0.{at}.{i}", ip_address_details={"asn": str(64500 + at % 2), "country": "ZZ"})
        for i in range(FLEET)
        for at in range(8)
    ]
    return written(path, *rows, "half a rec")


def test_counts_without_addresses_are_linked_by_sign_ins(tmp_path: Path) -> None:
    """Users who sign in from many networks that few others have are tied; who shares the office alone is not."""
    log, audit = usage(tmp_path / "usage.jsonl"), sign_ins(tmp_path / "audit.jsonl")
    before, results = score([str(log)], SETTINGS), score([str(log)], SETTINGS, audits=[audit])
    assert before.clusters.num_rows == 0
    cluster = dict(zip(results.scored["account_id"].to_pylist(), results.scored["cluster_id"].to_pylist(), strict=True))
    assert {name for name, one in cluster.items() if one} == {f"u{i:02d}" for i in range(FLEET)}
    assert results.run["evidence_level"] == before.run["evidence_level"] == 0
    assert results.run["counts"]["n_rejected"] == 0, "sign-ins are no rows of the log"
    told = results.run["accounts"][0]
    assert (told["kind"], told["n_known"], told["n_rejected"]) == ("OpenAI audit log", N, 1)
    assert results.rejected.num_rows == 1
    rows = {(r["account_id"], r["scope"]): r for r in results.origins.to_pylist()}
    one = rows["u00", "cluster"]
    assert (one["seen_in"], one["n_networks"], one["n_asns"], one["asns"]) == ("audit", 24, 2, "AS64500, AS64501")
    assert (rows["u00", "account"]["n_networks"], rows["u00", "account"]["n_user_agents"]) == (12, 1)
    assert ("u30", "cluster") not in rows
    assert "ZZ" not in str(results.origins.to_pylist())


def test_a_log_with_addresses_is_judged_by_its_own(tmp_path: Path) -> None:
    """Operators and sign-ins are shown, and not one score, link or decision differs; without them nothing is shown."""
    pytest.importorskip("maxminddb")
    frame = draw_log()
    log = write_log(frame, tmp_path / "log.csv")
    names = sorted(frame["account_id"].unique())
    audit = written(tmp_path / "audit.jsonl", *(signed_in(n, f"10.0.{i}.1") for n in names for i in range(8)))
    addresses = sorted({f"{ip.rsplit('.', 1)[0]}.0/24" for ip in frame["ip"].dropna()})
    operators = write_mmdb(
        tmp_path / "asn.mmdb", {a: {"autonomous_system_number": 64500 + i % 3} for i, a in enumerate(addresses)}
    )
    plain = score([str(log)], SETTINGS)
    shown = score([str(log)], SETTINGS, audits=[audit], asn=operators)
    for table in ("scored", "clusters", "evidence", "links"):
        assert getattr(shown, table).equals(getattr(plain, table)), table
    assert plain.origins.num_rows == 0
    top = shown.scored["account_id"][0].as_py()
    own = frame[frame["account_id"] == top]["ip"].dropna().str.rsplit(".", n=1).str[0].nunique()
    row = next(
        r for r in shown.origins.to_pylist() if (r["account_id"], r["scope"], r["seen_in"]) == (top, "account", "log")
    )
    assert row["n_networks"] == own
    assert row["n_asns"] == len({addresses.index(f"{ip.rsplit('.', 1)[0]}.0/24") % 3 for ip in
                                 frame[frame["account_id"] == top]["ip"].dropna()})  # fmt: skip
    assert shown.run["asn"]["file"] == str(operators)
    write_results(shown, tmp_path / "out", report_accounts=5)
    again = load_results(tmp_path / "out")
    assert again.origins.equals(shown.origins)
    for text in (case_file(again, top), explain(again, top, width=100)):
        assert "which moved no score" in text
        assert "known operator" in text
    write_results(plain, tmp_path / "plain", report_accounts=5)
    assert not (tmp_path / "plain" / "origins.parquet").exists()
    assert "which moved no score" not in case_file(load_results(tmp_path / "plain"), top)
    assert "AS64" not in json.dumps(plain.run)


def test_names_are_hidden_and_numbers_are_not(tmp_path: Path) -> None:
    """Under a key, accounts have pseudonyms here as everywhere, and the counts stay."""
    log, audit = usage(tmp_path / "usage.jsonl"), sign_ins(tmp_path / "audit.jsonl")
    plain = score([str(log)], SETTINGS, audits=[audit])
    key = Pseudonyms(bytes(range(32)))
    hidden = score([str(log)], SETTINGS, audits=[audit], pseudonyms=key)
    told = {(key.name("account", r.pop("account_id")), r["scope"]): r for r in plain.origins.to_pylist()}
    assert {(r.pop("account_id"), r["scope"]): r for r in hidden.origins.to_pylist()} == told
