"""Audit logs as enrichment: from where and with what users signed in. It is no traffic, and is never counted as such.

They are read as logs are, by a preset of their own, so that a bad record is set aside and named.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from detector.errors import AuditError, MissingColumnError
from detector.logs.enrichment import Enrichment
from detector.logs.identity import account_name
from detector.tables import EVENTS

KIND = "OpenAI audit log"
#: What an audit log tells of an account.
SEEN = ("ip", "asn", "user_agent", "tls_fingerprint")
_PRESET = str(files("detector.logs") / "audits" / "openai.toml")
_NAMES = {"user": "account_id", "key": "api_key_id"}


def read_audits(paths: Sequence[Path], account_by: Sequence[str] = ()) -> list[Enrichment]:
    """Read audit logs: JSON lines of events, or of pages of them.

    Parameters
    ----------
    account_by: what an account of the log is, where the user chose it; users and keys are known here.

    Returns
    -------
    For each file the distinct `SEEN` of each user and key; a key has what its user has, where it names one user.

    Raises
    ------
    AuditError
        A file holds no events with an actor, or accounts are neither users nor keys.
    StillwatchError
        It cannot be read; see `EmbeddedEngine.open` and `Log.batches`.
    """
    asked = tuple(account_by) or tuple(_NAMES)
    if not set(asked) & set(_NAMES):
        raise AuditError(f"--audit: tells of users and keys, and accounts are by {', '.join(asked)}; leave it out")
    return [_read(path, tuple(account_by)) for path in paths]


def _read(path: Path, account_by: tuple[str, ...]) -> Enrichment:
    from detector.engines.embedded import EmbeddedEngine
    from detector.engines.log import Restart
    from detector.settings import InputSettings

    settings = InputSettings(format=_PRESET, max_rejects=1.0, threads=1)
    columns = [*_NAMES.values(), *SEEN]
    try:
        with EmbeddedEngine(settings).open([str(path)]) as log:
            for _ in range(2):
                try:
                    batches = [_filled(batch, columns) for batch in log.batches(columns)]
                    break
                except Restart:
                    continue
            rejected, n_rows = log.rejected(), log.counts()["n_rows"]
    except MissingColumnError:
        raise AuditError(
            f"{path}: is no {KIND}: no event of it has an actor; give what /v1/organization/audit_logs answers, an "
            "event or a page on a line (jq -c .)"
        ) from None
    seen = _told(pa.Table.from_batches(batches).group_by(columns).aggregate([]), account_by)
    return Enrichment(path, seen, KIND, rejected, n_rows)


def _filled(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    """Give a batch with all columns; those that the file has no place for are null."""
    arrays = [
        batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows, EVENTS.field(name).type)
        for name in columns
    ]
    distinct = pa.table(arrays, names=list(columns)).group_by(list(columns)).aggregate([])
    return distinct.combine_chunks().to_batches()[0] if distinct.num_rows else pa.record_batch(arrays, list(columns))


def _told(rows: pa.Table, account_by: tuple[str, ...]) -> pa.Table:
    """Give a row per account and thing seen: users by what they did, keys by what their users did."""
    user, key = _NAMES["user"], _NAMES["key"]
    owned = rows.filter(pc.and_(pc.is_valid(rows[key]), pc.not_equal(rows[user], rows[key]))).group_by(key)
    owners = owned.aggregate([(user, "count_distinct"), (user, "min")])
    owners = owners.filter(pc.equal(owners[f"{user}_count_distinct"], 1)).select([key, f"{user}_min"])
    by_key = rows.drop_columns([key]).join(owners, keys=user, right_keys=f"{user}_min", join_type="inner")
    named = {"user": rows.select([user, *SEEN]), "key": by_key.select([key, *SEEN])}
    parts = [
        table.rename_columns(["account_id", *SEEN]).set_column(
            0, "account_id", _renamed(table.column(0), rung, account_by)
        )
        for rung, table in named.items()
        if not account_by or rung in account_by
    ]
    seen = pa.concat_tables(parts).filter(pc.field("account_id").is_valid())
    return seen.group_by(["account_id", *SEEN]).aggregate([])


def _renamed(names: pa.ChunkedArray, rung: str, account_by: tuple[str, ...]) -> pa.ChunkedArray:
    coded = names.combine_chunks().dictionary_encode()
    told = [account_name(rung, name, account_by) if account_by else name for name in coded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(told, pa.string()).take(coded.indices)])
