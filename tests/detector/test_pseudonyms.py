"""Pseudonyms: one name, one pseudonym under one key; nobody without the key gets a name back."""

import hashlib
import hmac
import ipaddress
import itertools
import os
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import KeyFileError
from detector.pipeline import score
from detector.pseudonyms import Pseudonyms, read_key
from detector.reports.loading import check_key, load_history, load_results
from detector.reports.publish import write_results
from detector.results import Results
from detector.settings import ScoreSettings, load
from tests.detector.features.small_logs import draw_accounts, draw_log, write_log

KEY = bytes(range(40, 72))
SETTINGS = load(ScoreSettings, {"input": {"threads": 1}}, where="test")
TABLES = ("scored", "clusters", "evidence", "links", "timeline", "excerpts", "lookalikes", "history")


def key_file(folder: Path, content: bytes = KEY, mode: int = 0o600) -> Path:
    """Write a key."""
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log in which some share cards and networks, and its accounts."""
    place = tmp_path_factory.mktemp("log")
    write_log(draw_log(), place / "log.csv")
    draw_accounts(draw_log()).to_csv(place / "accounts.csv", index=False)
    return place


@pytest.fixture(scope="module")
def plain(folder: Path) -> Results:
    """The log scored with names as they are."""
    return score([str(folder / "log.csv")], SETTINGS, accounts=folder / "accounts.csv")


@pytest.fixture(scope="module")
def hidden(plain: Results) -> Results:
    """The same under pseudonyms."""
    return Pseudonyms(KEY).applied(plain)


def texts_of(results: Results) -> set[str]:
    """Give every text of every table."""
    columns = [c for name in TABLES for c in getattr(results, name).columns if pa.types.is_string(c.type)]
    return {text for column in columns for text in pc.unique(column).to_pylist() if text}


def test_a_pseudonym_is_hmac_sha_256_of_the_name_under_the_key_of_its_purpose() -> None:
    """The construction that the documentation promises, written out by hand."""
    derived = hmac.new(KEY, b"stillwatch pseudonyms 1\x00account", hashlib.sha256).digest()
    expected = "account-" + hmac.new(derived, b"acme", hashlib.sha256).hexdigest()[:32]
    assert Pseudonyms(KEY).name("account", "acme") == expected


@given(st.text(), st.text())
def test_names_stay_apart_and_purposes_too(one: str, other: str) -> None:
    """Two names never share a pseudonym, and the account and the payment of one name differ beyond their prefix."""
    made = Pseudonyms(KEY)
    assert (made.name("account", one) == made.name("account", other)) == (one == other)
    assert made.name("account", one).split("-")[1] != made.name("payment", one).split("-")[1]
    assert Pseudonyms(KEY[::-1]).name("account", one) != made.name("account", one)


def test_showing_the_object_shows_no_key() -> None:
    """What a traceback or a debugger prints of it is an identifier of the key, not the key."""
    shown = repr(Pseudonyms(KEY))
    assert re.fullmatch(r"Pseudonyms\([0-9a-f]{16}\)", shown)
    assert KEY.hex()[:8] not in shown


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (KEY[:31], 0o600, "holds 31 bytes of key, and 32 are needed"),
        (b"", 0o600, "holds 0 bytes"),
        (b"0123456789abcdef" * 2 + b"\n", 0o600, "holds 16 bytes"),
        (b"\0" * 64, 0o600, "random"),
        (KEY * 3000, 0o600, "random"),
        (KEY, 0o640, "mode 0640"),
        (KEY, 0o604, "mode 0604"),
        (KEY, 0o620, "mode 0620"),
    ],
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes, mode: int, says: str) -> None:
    """Too short, too plain, too long, or open to others: refused, and the refusal quotes nothing of it."""
    with pytest.raises(KeyFileError, match=says) as refusal:
        read_key(key_file(tmp_path, content, mode))
    assert content[:8].decode("latin1") not in str(refusal.value) or not content


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder and a device give no key, and are not waited for."""
    for path in (tmp_path / "none", tmp_path, Path(os.devnull)):
        with pytest.raises(KeyFileError):
            read_key(path)


@pytest.mark.parametrize("content", [KEY, KEY.hex().encode() + b"\n", os.urandom(32), os.urandom(64)])
def test_random_bytes_and_their_digits_are_keys(tmp_path: Path, content: bytes) -> None:
    """At least 32 bytes, or 64 hexadecimal digits, are read as they are."""
    assert read_key(key_file(tmp_path, content)) == content


def test_no_name_is_left(plain: Results, hidden: Results) -> None:
    """Accounts, payments and networks of the log are in no table; each was in one before."""
    names = {*plain.scored["account_id"].to_pylist(), *plain.links["thing"].to_pylist()}
    assert {"acc030", "card-900", "203.0.113.0/24"} <= names
    assert not names & texts_of(hidden)
    told = " ".join(sorted(texts_of(hidden)))
    assert not re.search(r"acc\d{3}|card-\d|\d+\.\d+\.\d+\.\d+", told)


def test_the_tables_still_fit_together(plain: Results, hidden: Results) -> None:
    """Contracts hold, each account keeps its numbers in every table, and shared things are shared by the same ones."""
    made = Pseudonyms(KEY)
    for name in TABLES:
        assert getattr(plain, name).schema.equals(getattr(hidden, name).schema)
        assert getattr(plain, name).num_rows == getattr(hidden, name).num_rows
    for name in ("scored", "evidence", "timeline", "history", "lookalikes"):
        before, after = getattr(plain, name).to_pylist(), getattr(hidden, name).to_pylist()
        renamed = [{**row, "account_id": made.name("account", row["account_id"])} for row in before]
        dropped = ("rank", "cluster_id")
        rows = [sorted(repr({k: v for k, v in r.items() if k not in dropped}) for r in t) for t in (renamed, after)]
        assert rows[0] == rows[1]
    assert [r["rank"] for r in hidden.scored.to_pylist()] == list(range(1, hidden.scored.num_rows + 1))
    assert groups(plain.scored, made) == groups(hidden.scored, None)
    assert {r["cluster_id"]: r["n_accounts"] for r in hidden.clusters.to_pylist()} == {
        name: len(members) for name, members in by_cluster(hidden.scored).items()
    }


def by_cluster(scored: pa.Table) -> dict[str, set[str]]:
    """Give the members of each cluster."""
    found: dict[str, set[str]] = {}
    for row in scored.to_pylist():
        if row["cluster_id"]:
            found.setdefault(row["cluster_id"], set()).add(row["account_id"])
    return found


def groups(scored: pa.Table, made: Pseudonyms | None) -> set[frozenset[str]]:
    """Give the clusters as sets of accounts, renamed where asked."""
    members = by_cluster(scored).values()
    return {frozenset(made.name("account", a) if made else a for a in each) for each in members}


def test_order_tells_nothing(hidden: Results) -> None:
    """Tables that were in order of names are in order of pseudonyms: lined up with sorted names they give none away."""
    for name in ("evidence", "links", "timeline", "history", "lookalikes"):
        accounts = getattr(hidden, name)["account_id"].to_pylist()
        assert accounts == sorted(accounts)
    ties = itertools.groupby(hidden.scored.to_pylist(), key=lambda row: row["score"])
    for _, rows in ties:
        accounts = [row["account_id"] for row in rows]
        assert accounts == sorted(accounts)


def test_names_do_not_matter_to_order(plain: Results) -> None:
    """Rows that came in another order, as other names would have put them, give the same tables."""
    turned = {name: getattr(plain, name) for name in ("links", "history")}
    turned = {name: table.take(list(range(table.num_rows))[::-1]) for name, table in turned.items()}
    made = Pseudonyms(KEY)
    for name in turned:
        assert getattr(made.applied(replace(plain, **turned)), name) == getattr(made.applied(plain), name)


def test_a_dictionary_without_the_key_recovers_nobody(plain: Results, hidden: Results) -> None:
    """All candidate accounts and every network of two /16, hashed in the usual ways, match no text of the results."""
    candidates = [f"acc{number:03d}" for number in range(1000)]
    for block in ("203.0.0.0/16", "198.51.0.0/16"):
        for network in ipaddress.ip_network(block).subnets(new_prefix=24):
            candidates += [str(network), str(network.network_address)]
    told = texts_of(hidden)
    digests = {text.split("-")[-1] for text in told}
    ways = [hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.blake2b, hashlib.sha512]
    for candidate in candidates:
        for way in ways:
            assert way(candidate.encode()).hexdigest()[:32] not in digests
        for guess in (b"", b"\0" * 32, b"account", b"stillwatch"):
            assert hmac.digest(guess, candidate.encode(), "sha256").hex()[:32] not in digests
            assert Pseudonyms(guess).name("account", candidate) not in told
            assert Pseudonyms(guess).name("address", candidate) not in told
    made = Pseudonyms(KEY)
    assert sum(made.name("account", candidate) in told for candidate in candidates) == plain.scored.num_rows


def test_a_history_goes_on_under_the_same_key_only(folder: Path, plain: Results, tmp_path: Path) -> None:
    """The second look knows the accounts of the first, and no name is in it; another key, or none, is refused."""
    made = Pseudonyms(KEY)
    before = replace(plain, history=with_absent(plain.history))
    write_results(made.applied(before), tmp_path / "first", report_accounts=5)
    history = load_history(tmp_path / "first", made.key_id)
    second = score([str(folder / "log.csv")], SETTINGS, history=history, pseudonyms=made)
    looks = dict(zip(second.history["account_id"].to_pylist(), second.history["n_looks"].to_pylist(), strict=True))
    assert {n for account, n in looks.items() if account != made.name("account", "gone")} == {2}
    assert len(looks) == plain.scored.num_rows + 1
    assert not re.search(r"acc\d{3}|gone", " ".join(looks))
    for other in (None, Pseudonyms(KEY[::-1]).key_id):
        with pytest.raises(KeyFileError, match="--pseudonymize"):
            load_history(tmp_path / "first", other)


def with_absent(history: pa.Table) -> pa.Table:
    """Add an account to a history that no log of ours has; `applied` has to be told of it as of any other."""
    row = {**history.to_pylist()[0], "account_id": Pseudonyms(KEY).name("account", "gone")}
    return pa.concat_tables([history, pa.Table.from_pylist([row], schema=history.schema)])


def test_the_run_says_which_key(hidden: Results, tmp_path: Path) -> None:
    """The record names the key by an identifier and what was hidden; a reader can tell two keys apart."""
    write_results(hidden, tmp_path / "out", report_accounts=5)
    run = load_results(tmp_path / "out").run
    assert run["pseudonyms"]["key_id"] == Pseudonyms(KEY).key_id
    assert {"account", "payment", "address"} <= set(run["pseudonyms"]["for"])
    check_key(tmp_path / "out", Pseudonyms(KEY).key_id)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert KEY not in everything
    assert KEY.hex().encode() not in everything


def test_no_file_of_a_run_holds_a_name(hidden: Results, tmp_path: Path) -> None:
    """Every writer is behind the one place: page, findings, sheets and tables hold pseudonyms alone."""
    write_results(hidden, tmp_path / "out", report_accounts=50)
    for path in (tmp_path / "out").iterdir():
        if path.suffix != ".parquet":
            told = path.read_text(encoding="utf-8")
            assert not re.search(r"acc0\d\d|card-\d|203\.0\.113|10\.\d+\.0\.0", told), path.name
