"""R6: JSON that must be read is read, JSON that must not is refused, what is left open is judged the same each time."""

from collections import Counter
from pathlib import Path

import pytest

from tests.torture.corpus import Figures, hostile_file, manifest, needs_torture
from tests.torture.test_records import read

ROW = b'{"occurred_at":"2026-03-02T00:00:00Z","account_id":"%s"%s}\n'
#: The suite as lines; then monsters among ten good records: a line nested 100,000 deep, numbers of 5,001 digits, half
#: of a surrogate pair, 64 MiB.
MONSTERS = {
    "json/derived__jsonsuite_wrapped.jsonl": (40, 82),
    "json/own__deep_nesting_100k.jsonl.gz": (10, 1),
    "json/own__huge_int_and_float.jsonl": (10, 3),
    "json/own__one_line_64MB.jsonl.gz": (10, 1),
    "json/own__surrogates_controls.jsonl": (10, 1),
    "json/own__bom_crlf_blanklines.jsonl": (10, 0),
}


def suite(prefix: str) -> dict[str, bytes]:
    """Give the documents of the suite that are called so; where they must be read, a line each."""
    found = {}
    for entry in manifest():
        name = Path(str(entry["file"])).name
        if name.startswith(f"jsonsuite__{prefix}_"):
            found[name] = hostile_file(entry).read_bytes()
    return found


def wrapped(documents: dict[str, bytes]) -> bytes:
    """Put each document into a record of its own, as one of its values, between records that are good."""
    lines = [ROW % (b"good", b"")]
    for place, document in enumerate(documents.values()):
        lines += [ROW % (b"doc%d" % place, b',"prompt":' + document), ROW % (b"good", b"")]
    return b"".join(lines)


def accounts(path: Path, body: bytes) -> Counter[str]:
    """Read a log; gives how many records each account has."""
    path.write_bytes(body)
    return Counter(row["account_id"] for row in read(path)[0])


@needs_torture
@pytest.mark.parametrize("prefix", ["y", "n"])
def test_documents_are_read_or_refused_as_they_must_be(prefix: str, tmp_path: Path, figures: Figures) -> None:
    """Each alone and all together, as a value of a record; every good neighbour is read."""
    documents = suite(prefix)
    if prefix == "y":
        documents = {name: document.replace(b"\n", b" ") for name, document in documents.items()}
    wrong = []
    for name, document in documents.items():
        found = accounts(tmp_path / "log.jsonl", wrapped({name: document}))
        if (found["doc0"], found["good"]) != (int(prefix == "y"), 2):
            wrong.append(name)
    found = accounts(tmp_path / "log.jsonl", wrapped(documents))
    n_read, n_good = sum(found[f"doc{i}"] for i in range(len(documents))), found["good"]
    is_right = n_read == len(documents) * (prefix == "y") and n_good == len(documents) + 1 and not wrong
    told = f"{len(documents)} documents, {len(wrong)} wrong {wrong[:4] or ''}; together {n_read} read, {n_good} good"
    figures.add(f"R6 {prefix}_", told, "0 wrong", holds=is_right)


@needs_torture
def test_what_is_left_open_is_judged_the_same_each_time(tmp_path: Path, figures: Figures) -> None:
    """Alone or among others, again and again, with one thread or two."""
    documents, different = suite("i"), []
    together = [accounts(tmp_path / "log.jsonl", wrapped(documents)) for _ in range(2)]
    for place, (name, document) in enumerate(documents.items()):
        alone = accounts(tmp_path / "log.jsonl", wrapped({name: document}))["doc0"]
        different += [name] * (alone != together[0][f"doc{place}"])
    told = f"{len(documents)} documents, {len(different)} judged in two ways {different[:4] or ''}"
    figures.add("R6 i_", told, "0", holds=not different and together[0] == together[1])


@needs_torture
def test_monsters_cost_no_good_neighbour(figures: Figures) -> None:
    """What no reader should swallow is rejected by itself."""
    entries = {str(entry["file"]): entry for entry in manifest()}
    wrong = []
    for name, expected in MONSTERS.items():
        counts = read(hostile_file(entries[name]), timezone="UTC", map={"occurred_at": "timestamp"})[1]
        if (counts["n_read"], counts["n_rejected"]) != expected:
            wrong.append((name, counts["n_read"], counts["n_rejected"]))
    figures.add("R6 monsters", f"{len(MONSTERS)} files, {len(wrong)} off {wrong or ''}", "0", holds=not wrong)
