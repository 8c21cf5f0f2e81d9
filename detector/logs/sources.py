"""The files of a log: found by pattern, recognised by their first bytes, opened as plain bytes. Reads no records."""

import gzip
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob, has_magic
from pathlib import Path
from typing import IO, Literal, cast

import pyarrow as pa

from detector.errors import InputUnreadableError
from detector.lastnotes import note_file
from detector.logs.stamps import Stamp, take_stamp

#: What a file holds; `lines` are plain lines, told by a preset and not by the file itself.
FileKind = Literal["csv", "jsonl", "parquet", "lines"]
Compression = Literal["none", "gzip", "zstd"]

#: How files are called that a folder is searched for; a compressed one carries `.gz` or `.zst` besides.
SUFFIXES: dict[str, FileKind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_COMPRESSED_SUFFIXES = (".gz", ".zst")
_HEAD_BYTES = 4096
#: Chosen: a file that unfolds to more than this, and to so many times its own size, is a bomb. A real log keeps some
#: bytes of each request, so it does not come near; gzip reaches a factor of a thousand.
MOST_UNFOLDED, MOST_TIMES = 4 << 30, 10_000

_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_FOREIGN_MAGIC = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"ORC": "ORC",
    b"Obj\x01": "Avro",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "an SQLite database",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class LogFile:
    """One file of a log.

    Attributes
    ----------
    name: what the user called it.
    path: where it can be opened; for standard input, the spooled copy.
    n_bytes: size as stored, compressed or not.
    stamp: what it looked like before anything was read of it; none where whoever reads it cannot tell, as on another
        machine.
    """

    name: str
    path: str
    kind: FileKind
    compression: Compression
    n_bytes: int
    stamp: Stamp | None = None


def unreadable(name: str, why: str) -> InputUnreadableError:
    """Make the error for a file that cannot be used at all."""
    return InputUnreadableError(f"{name}: {why}; give CSV, JSON lines or Parquet, plain or as .gz or .zst")


def find_paths(pattern: str, skip: Collection[str] = ()) -> list[str]:
    """List the files a path, a glob or a folder stands for, sorted by name.

    Parameters
    ----------
    skip: patterns of paths that a folder or a glob does not stand for; ``*`` is anything, with slashes.

    Raises
    ------
    InputUnreadableError
        Nothing is there.
    """
    path = Path(pattern)
    if path.is_dir():
        found = sorted(str(child) for child in path.rglob("*") if _is_log(child, path) and not is_skipped(child, skip))
        return found or _nothing(pattern, "the folder holds no file ending in " + ", ".join(SUFFIXES))
    if has_magic(pattern) and not path.exists():
        names = glob(pattern, recursive=True)  # noqa: PTH207
        found = sorted(name for name in names if Path(name).is_file() and not is_skipped(Path(name), skip))
        return found or _nothing(pattern, "no file matches")
    return [pattern]


def is_skipped(path: Path, skip: Collection[str]) -> bool:
    """Tell whether a path fits one of some patterns."""
    return any(fnmatchcase(path.absolute().as_posix(), each) for each in skip)


def inspect_file(name: str, path: str) -> LogFile:
    """Tell what a file is from its first bytes.

    Raises
    ------
    InputUnreadableError
        It is missing, unreadable, or of a kind that no log has.
    """
    note_file(name)
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise unreadable(name, "it is not a regular file")
        stamp = take_stamp(path)
        with Path(path).open("rb") as stored:
            compression = _compression(stored.read(_HEAD_BYTES))
    except OSError as error:
        raise unreadable(name, f"it cannot be opened ({error.strerror or 'input error'})") from error
    head = read_head(name, path, compression)
    return LogFile(name, path, _kind(name, head), compression, stamp.n_bytes, stamp)


def read_head(name: str, path: str, compression: Compression, n_bytes: int = _HEAD_BYTES) -> bytes:
    """Read the first decompressed bytes of a file."""
    return b"".join(read_chunks(name, path, compression, chunk_bytes=n_bytes, limit=n_bytes))


def read_chunks(
    name: str,
    path: str,
    compression: Compression,
    *,
    chunk_bytes: int = 1 << 20,
    begin: int = 0,
    limit: int | None = None,
) -> Iterator[bytes]:
    """Yield the decompressed bytes of a file, piece by piece.

    Parameters
    ----------
    begin: bytes that are passed over; in a compressed file none can be.
    limit: bytes at most; none is all.

    Raises
    ------
    InputUnreadableError
        The file vanishes, its compressed stream is damaged or cut short, or unfolds to far more than a log would.
    """
    left = limit
    n_unfolded = 0
    try:
        with _open(path, compression) as stream:
            if begin:
                stream.seek(begin)
            while left is None or left > 0:
                chunk = stream.read(chunk_bytes if left is None else min(chunk_bytes, left))
                if not chunk:
                    return
                left = None if left is None else left - len(chunk)
                n_unfolded += len(chunk)
                if n_unfolded > MOST_UNFOLDED and n_unfolded > MOST_TIMES * Path(path).stat().st_size:
                    raise unreadable(name, f"it unfolds to more than {n_unfolded / 1e9:,.0f} GB")
                yield chunk
    except EOFError as error:
        raise unreadable(name, f"its {compression} stream is cut short") from error
    except (OSError, ValueError, pa.ArrowException) as error:
        why = f"its {compression} stream is damaged" if compression != "none" else "it cannot be read to the end"
        raise unreadable(name, why) from error


def skip_bytes(chunks: Iterable[bytes], n_bytes: int) -> Iterator[bytes]:
    """Yield what comes after the first bytes, such as those of a header."""
    for chunk in chunks:
        if n_bytes < len(chunk):
            yield chunk[n_bytes:]
        n_bytes = max(0, n_bytes - len(chunk))


def _open(path: str, compression: Compression) -> IO[bytes]:
    if compression == "gzip":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if compression == "zstd":
        return cast(IO[bytes], pa.CompressedInputStream(pa.OSFile(path), "zstd"))
    return Path(path).open("rb")


def _is_log(child: Path, folder: Path) -> bool:
    if not child.is_file() or any(part.startswith((".", "_")) for part in child.relative_to(folder).parts):
        return False
    name = child.name.lower()
    for suffix in _COMPRESSED_SUFFIXES:
        name = name.removesuffix(suffix)
    return Path(name).suffix in SUFFIXES


def _nothing(pattern: str, why: str) -> list[str]:
    raise InputUnreadableError(f"{pattern}: {why}; give a file, a folder, a quoted glob, or - for standard input")


def _compression(head: bytes) -> Compression:
    return next((found for magic, found in _MAGIC.items() if head.startswith(magic)), "none")


def _kind(name: str, head: bytes) -> FileKind:
    if head.startswith(b"PAR1"):
        return "parquet"
    foreign = next((what for magic, what in _FOREIGN_MAGIC.items() if head.startswith(magic)), None)
    if foreign is not None:
        raise unreadable(name, f"it is {foreign}")
    text = head.removeprefix(_BOM).lstrip()
    if text.startswith(b"["):
        raise unreadable(name, "it is a JSON array, not one object a line (jq -c '.[]' makes it so)")
    _check_text(name, head)
    named = _kind_by_name(name)
    if named == "parquet":
        raise unreadable(name, "it is called Parquet but does not begin as Parquet does")
    return "jsonl" if text.startswith(b"{") else named or "csv"


def _kind_by_name(name: str) -> FileKind | None:
    lowered = name.lower()
    for suffix in _COMPRESSED_SUFFIXES:
        lowered = lowered.removesuffix(suffix)
    return SUFFIXES.get(Path(lowered).suffix)


def _check_text(name: str, head: bytes) -> None:
    first_line = head.split(b"\n", 1)[0]
    if b"\x00" in first_line:
        halves = sorted((head[::2].count(0), head[1::2].count(0)))
        is_wide = halves[0] == 0 and 4 * halves[1] > len(head)
        raise unreadable(name, "it is UTF-16 text without a mark" if is_wide else "it is binary, not text")


def distinct(files: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Keep each file once, where patterns overlap; the first name stays."""
    seen: dict[str, tuple[str, str]] = {}
    for name, path in files:
        seen.setdefault(str(Path(path).resolve()) if Path(path).exists() else path, (name, path))
    return list(seen.values())
