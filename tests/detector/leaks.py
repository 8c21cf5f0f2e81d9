"""Logs with secrets in every place that a record has, and a look into everything that a run writes."""

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

#: Columns of text that no output shows, whatever is in them.
HIDDEN = (
    "request_id", "api_key_id", "end_user_id", "session_id", "ip", "country", "user_agent", "tls_fingerprint", "model",
    "operation", "system_prompt", "prompt", "completion", "finish_reason", "refusal_category",
)  # fmt: skip
#: Columns that hold no text; a secret in one makes its record a fault.
TYPED = ("occurred_at", "input_tokens", "temperature", "wants_logprobs", "latency_ms", "asn", "status_code")
#: Columns whose names the results show, under pseudonyms where that is asked.
SHOWN = ("account_id", "org_id", "payment_id")
#: Shortest part of a secret that is looked for by itself.
_LEAST = 8
Row = dict[str, Any]
Write = Callable[[Sequence[Row], Path], Path]


def needles(secrets: Iterable[str]) -> set[bytes]:
    """Give what must be nowhere: each secret, as text and as JSON spells it, and its longer words."""
    found = set()
    for secret in secrets:
        spelled = [secret, json.dumps(secret)[1:-1], *(word for word in secret.split() if len(word) >= _LEAST)]
        found |= {text.encode() for text in spelled}
    return found


def clean_rows(n: int = 120) -> list[Row]:
    """Give good records of 12 accounts, some of which share a payment and a network."""
    return [
        {
            "occurred_at": f"2026-03-{2 + i // 24:02d}T{i % 24:02d}:00:00Z",
            "account_id": f"acc{i % 12:02d}",
            "payment_id": f"card-{i % 12 // 2}",
            "ip": f"192.0.2.{i % 12 // 3}",
            "prompt": f"Name river {i}.",
            "input_tokens": 10 + i,
            "output_tokens": 100 + i,
        }
        for i in range(n)
    ]


def in_texts(secrets: Sequence[str]) -> list[Row]:
    """Put secrets into every column that no output shows."""
    rows = clean_rows()
    return rows + [{**rows[i], **dict.fromkeys(HIDDEN, secret)} for i, secret in enumerate(secrets)]


def in_typed(secrets: Sequence[str]) -> list[Row]:
    """Put secrets where a number, an instant or a flag belongs."""
    rows = clean_rows()
    return rows + [{**rows[i], column: s} for i, s in enumerate(secrets) for column in TYPED]


def in_names(secrets: Sequence[str]) -> list[Row]:
    """Make secrets the names of accounts, payments and organisations, each shared by two accounts."""
    rows = clean_rows()
    owned = [
        {**rows[i], "account_id": f"{secret}{twin}", "payment_id": secret, "org_id": secret}
        for i, secret in enumerate(secrets)
        for twin in ("", " 2")
        for _ in range(3)
    ]
    return rows + owned


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _cell(value: object) -> str:
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


def csv_text(rows: Sequence[Row]) -> str:
    """Spell records as CSV."""
    names = _columns(rows)
    lines = [",".join(map(_cell, names)), *(",".join(_cell(row.get(name)) for name in names) for row in rows)]
    return "\n".join(lines) + "\n"


def jsonl_text(rows: Sequence[Row]) -> str:
    """Spell records as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_parquet(rows: Sequence[Row], path: Path) -> Path:
    """Write records as Parquet, every column as text, so that a secret fits anywhere."""
    names = _columns(rows)
    columns = {n: [None if row.get(n) is None else str(row[n]) for row in rows] for n in names}
    pq.write_table(pa.table({n: pa.array(values, pa.string()) for n, values in columns.items()}), path)
    return path


def _as_csv(rows: Sequence[Row], path: Path) -> Path:
    path.write_text(csv_text(rows), encoding="utf-8")
    return path


def _as_ragged_csv(rows: Sequence[Row], path: Path) -> Path:
    """CSV with a record that is cut short, so that every record goes the exact way."""
    text = csv_text(rows)
    path.write_text(text + text.splitlines()[1][:40] + "\n", encoding="utf-8")
    return path


def _as_jsonl(rows: Sequence[Row], path: Path) -> Path:
    path.write_text(jsonl_text(rows), encoding="utf-8")
    return path


def _as_broken_jsonl(rows: Sequence[Row], path: Path) -> Path:
    """JSON lines, each of the last ones also cut in its middle."""
    text = jsonl_text(rows)
    cut = "".join(line[: len(line) // 2] + "\n" for line in text.splitlines()[-20:])
    path.write_text(text + cut, encoding="utf-8")
    return path


def _as_gzip(rows: Sequence[Row], path: Path) -> Path:
    path.write_bytes(gzip.compress(csv_text(rows).encode()))
    return path


#: How a log can lie on a disk: suffix and writer, by name.
READERS: dict[str, tuple[str, Write]] = {
    "csv": ("csv", _as_csv),
    "csv-exact": ("csv", _as_ragged_csv),
    "csv-gzip": ("csv.gz", _as_gzip),
    "jsonl": ("jsonl", _as_jsonl),
    "jsonl-exact": ("jsonl", _as_broken_jsonl),
    "parquet": ("parquet", write_parquet),
}


def without_a_log(secrets: Sequence[str]) -> dict[str, str]:
    """Give files that are refused, by name, with secrets where errors look: in headers, keys and first lines."""
    first = ",".join(map(_cell, secrets))
    row = ",".join(["x"] * len(secrets))
    return {
        "headerless.csv": f"{first}\n{row}\n",
        "one-column.csv": "".join(f"{_cell(secret)}\n" for secret in secrets),
        "twice.csv": f"{first},{first}\n{row},{row}\n",
        "semicolon.csv": f"{first.replace(',', ';')}\n{row}\n",
        "keys.jsonl": "".join(json.dumps({secret: 1}) + "\n" for secret in secrets),
        "texts.jsonl": "".join(json.dumps(secret) + "\n" for secret in secrets),
        "cut.jsonl": "".join(json.dumps({"prompt": secret})[:-1] + "\n" for secret in secrets),
        "array.jsonl": json.dumps([{"prompt": secret} for secret in secrets]),
        "nothing.txt": "\n".join(secrets),
        "instants.csv": "occurred_at,account_id\n" + "".join(f"{_cell(secret)},a\n" for secret in secrets),
        "half.csv": 'occurred_at,account_id,prompt\n2026-03-02T00:00:00Z,a,"' + "\n".join(secrets),
    }


def everything_in(folder: Path) -> bytes:
    """Give all that lies under a folder: names, bytes, and the values inside Parquet and gzip."""
    found = []
    for path in sorted(folder.rglob("*")):
        found.append(str(path.relative_to(folder)).encode())
        if not path.is_file():
            continue
        found.append(path.read_bytes())
        if path.suffix == ".parquet":
            found.append(json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode())
        if path.suffix == ".gz":
            found.append(gzip.decompress(path.read_bytes()))
    return b"\n".join(found)


def leaked(where: bytes, secrets: Iterable[str]) -> list[str]:
    """Name the secrets, and parts of them, that are somewhere."""
    return sorted(needle.decode() for needle in needles(secrets) if needle in where)
