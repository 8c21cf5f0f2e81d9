"""Digests by which work is found again: of source trees, of tables, of what a detector is made of."""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

import detector
import simulations
from detector.detectors.registry import DETECTORS, GROUP
from simulations.benchmark.suite import DetectorSpec

#: Rooms of `simulations` that make no log.
_MEASURING = ("benchmark", "loop", "effects", "fidelity", "cli.py")
_CODE = (".py", ".json", ".toml")
_BATCH_ROWS = 65_536


def digest(*parts: Any) -> str:
    """SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _tree(root: Path, *, without: Iterable[str] = ()) -> list[tuple[str, str]]:
    left_out = set(without)
    files = sorted(path for path in root.rglob("*") if path.suffix in _CODE and path.is_file())
    named = [(path.relative_to(root), path) for path in files]
    return [(str(n), hashlib.sha256(p.read_bytes()).hexdigest()) for n, p in named if n.parts[0] not in left_out]


@cache
def detecting_code() -> str:
    """Tell one state of the code that scores from another."""
    room = Path(simulations.__file__).parent / "benchmark"
    own = [hashlib.sha256((room / f"{name}.py").read_bytes()).hexdigest() for name in ("work", "candidates", "delay")]
    libraries = [version(name) for name in ("numpy", "scikit-learn", "pyod", "scipy")]
    return digest(_tree(Path(detector.__file__).parent), own, libraries)


@cache
def generating_code() -> str:
    """Tell one state of the code that makes logs from another."""
    tables = Path(detector.__file__).parent / "tables.py"
    code = _tree(Path(simulations.__file__).parent, without=_MEASURING)
    return digest(code, tables.read_text("utf-8"), version("numpy"), version("pyarrow"))


def content(path: Path) -> str:
    """SHA-256 of the rows of a Parquet file: equal rows give equal digests, however the file was written."""
    file, sink = pq.ParquetFile(path), hashlib.sha256()
    sink.update(str(file.schema_arrow.names).encode())
    for batch in file.iter_batches(_BATCH_ROWS):
        sink.update(pd.util.hash_pandas_object(batch.to_pandas(), index=False).to_numpy().tobytes())
    return sink.hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """SHA-256 of files, in the order given."""
    return digest([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths])


def detector_digest(spec: DetectorSpec) -> str:
    """Tell one detector from another: its settings, and all files of the package that it comes in.

    Libraries that it uses are not looked at; after a change of those, start from an empty cache.
    """
    files = [Path(part) for part in spec.command if Path(part).is_file()]
    if spec.model is not None and spec.model.is_file():
        files.append(spec.model)
    return digest(spec.model_dump(mode="json"), files_digest([*files, *_sources(spec)]))


def _sources(spec: DetectorSpec) -> list[Path]:
    """Give the files of the package of a user's class or of an entry point, without importing it."""
    module = (spec.object or "").partition(":")[0]
    if spec.name is not None and spec.name not in DETECTORS and not spec.name.startswith("pyod:"):
        module = next((entry.module for entry in entry_points(group=GROUP) if entry.name == spec.name), "")
    found = find_spec(module.partition(".")[0]) if module else None
    if found is None:
        return []
    if found.submodule_search_locations is None:
        return [Path(found.origin)] if found.origin else []
    folders = [Path(folder) for folder in found.submodule_search_locations]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix != ".pyc"]
