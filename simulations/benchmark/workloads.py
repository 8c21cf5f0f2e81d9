"""The logs of a benchmark: generated once and kept by digest, or the user's own; and what of them a level leaves."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from detector.engines.embedded import Log
from detector.errors import InputUnreadableError
from simulations.benchmark.digests import content, digest, files_digest, generating_code
from simulations.benchmark.inputs import read_truth
from simulations.benchmark.suite import seed_of
from simulations.benchmark.transfer import found_in
from simulations.generate import generate
from simulations.settings import ScenarioSettings

#: Columns that a log of requests alone has not: who calls from where, and what is said.
NETWORK = frozenset(
    {"api_key_id", "org_id", "payment_id", "end_user_id", "session_id", "ip", "asn", "country", "user_agent",
     "tls_fingerprint"}
)  # fmt: skip
PROMPTS, ANSWERS = frozenset({"system_prompt", "prompt"}), frozenset({"completion"})
#: Evidence level from which on a log has columns.
FROM_LEVEL = ((2, NETWORK), (3, PROMPTS), (4, ANSWERS))


@dataclass(frozen=True)
class Workload:
    """A labelled log.

    Attributes
    ----------
    digest: of its rows and of its truth.
    """

    events: str
    truth: Path
    accounts: Path | None
    digest: str
    n_rows: int

    def labels(self) -> pd.DataFrame:
        """Give the truth, a row per account: `persona`, `is_extraction`, `campaign_id`, and counts where it has any."""
        rows = read_truth(self.truth)
        if "campaign_id" not in rows:
            rows["campaign_id"] = rows["persona"].where(rows["is_extraction"])
        rows["campaign_id"] = rows["campaign_id"].astype(object).where(rows["is_extraction"], "").fillna("unnamed")
        return rows.sort_values("account_id").set_index("account_id")


@dataclass(frozen=True)
class Narrowed:
    """A log without the columns that its evidence level lacks; all else is the log's."""

    log: Log
    hidden: frozenset[str]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are left."""
        return tuple(name for name in self.log.columns if name not in self.hidden)

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Read rows; see `Log.batches`."""
        return self.log.batches([name for name in columns if name not in self.hidden])

    def __getattr__(self, name: str) -> Any:
        """Pass everything else on."""
        return getattr(self.log, name)


def hidden_at(level: int) -> frozenset[str]:
    """Give the columns that a log of an evidence level lacks."""
    return frozenset().union(*(columns for least, columns in FROM_LEVEL if level < least))


def make_workload(scenario: str, made_of: ScenarioSettings | Path, seed: int, cache: Path) -> Workload:
    """Generate a log, unless the cache has it, or take the user's.

    Raises
    ------
    InputUnreadableError
        The user's folder holds no labelled log.
    """
    if isinstance(made_of, Path):
        return _replay(made_of)
    settings, folder = _placed(scenario, made_of, seed, cache)
    if not (folder / "workload.json").is_file():
        _generate(settings, folder)
    known = json.loads((folder / "workload.json").read_text("utf-8"))
    events, truth, accounts = (folder / f"{name}.parquet" for name in ("events", "truth", "accounts"))
    return Workload(str(events), truth, accounts, known["digest"], known["n_rows"])


def _placed(scenario: str, made_of: ScenarioSettings, seed: int, cache: Path) -> tuple[ScenarioSettings, Path]:
    settings = made_of.model_copy(update={"seed": seed_of(scenario, seed)})
    return settings, cache / "logs" / digest(settings.model_dump(mode="json"), generating_code())[:32]


def is_made(scenario: str, made_of: ScenarioSettings | Path, seed: int, cache: Path) -> bool:
    """Tell whether a log is there already."""
    return isinstance(made_of, Path) or (_placed(scenario, made_of, seed, cache)[1] / "workload.json").is_file()


def _generate(settings: ScenarioSettings, folder: Path) -> None:
    staging = folder.with_name(f".{folder.name}")
    shutil.rmtree(staging, ignore_errors=True)
    report = generate(settings, staging, workers=1)
    found = digest([content(staging / f"{name}.parquet") for name in ("events", "truth", "accounts")])
    (staging / "truth_requests.parquet").unlink()
    record = {"digest": found, "n_rows": report["counts"]["events"]}
    (staging / "workload.json").write_text(json.dumps(record), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)


def _replay(folder: Path) -> Workload:
    events, truth, accounts = (found_in(folder, stem) for stem in ("events", "truth", "accounts"))
    if events is None or truth is None:
        raise InputUnreadableError(f"{folder}: holds no events or no truth; give a labelled log")
    files = [path for path in (events, truth, accounts) if path is not None]
    return Workload(str(events), truth, accounts, files_digest(files), 0)
