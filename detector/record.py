"""The record of a run, `run.json`: what was read, how it was judged, what was off.

Every value is plain JSON, and none is of a request: no prompt, no address.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector import __version__
from detector.detectors.base import Detector, Values, Verdict
from detector.detectors.model import AdditiveModel
from detector.detectors.population import outside
from detector.engines.contract import OpenLog
from detector.features.catalogue import FEATURES
from detector.policy import Decisions
from detector.profiles.store import Profiles
from detector.settings import PolicySettings, ScoreSettings
from detector.subjects import Subjects

#: Features that need to know when accounts were opened, and where that is said.
_BY_SIGN_UP, _SIGN_UP = ("age", "sign_up_spread"), "created_at (--accounts)"
_DAY_US = 86_400_000_000
_LIBRARIES = ("duckdb", "numba", "numpy", "pandas", "pyarrow", "pyod", "scikit-learn")


@dataclass(frozen=True)
class Judgement:
    """What was found of whom, and by which detector.

    Attributes
    ----------
    subjects: accounts and their clusters.
    verdict: of the detector on the pooled features.
    decisions: what is recommended.
    n_allowed: accounts under contract among the subjects.
    """

    subjects: Subjects
    detector: Detector
    verdict: Verdict
    decisions: Decisions
    n_allowed: int

    @property
    def model(self) -> AdditiveModel | None:
        """The model behind the detector; most have none."""
        model = getattr(self.detector, "model", None)
        return model if isinstance(model, AdditiveModel) else None

    @property
    def population(self) -> Mapping[str, Values]:
        """Quantiles of honest accounts, where the detector's model keeps them."""
        return self.model.population if self.model else {}


def what_is_off(subjects: Subjects) -> list[dict[str, str]]:
    """Say which features the log cannot give, by family, and which of the detector's own statistics, and why."""
    filled = set(subjects.profiles.filled_columns)
    lacking: dict[str, list[set[str]]] = {}
    for piece in FEATURES.values():
        if piece.name not in subjects.pooled or subjects.pooled[piece.name].isna().all():
            needed = set(piece.needs) - filled or ({_SIGN_UP} if piece.name in _BY_SIGN_UP else set())
            lacking.setdefault(piece.family, []).append(needed)
    off = [
        {"what": f"{len(needs)} {family} feature" + ("s" if len(needs) > 1 else ""), "why": _lacks(needs)}
        for family, needs in lacking.items()
    ]
    absent = (e for e in subjects.extras if e.name not in subjects.pooled or subjects.pooled[e.name].isna().all())
    return off + [
        {"what": f"{e.name}, which the detector asks for", "why": _lacks([set(e.needs) - filled])} for e in absent
    ]


def _lacks(needs: Sequence[set[str]]) -> str:
    return "the log has no " + (", ".join(sorted(set().union(*needs))) or "account with enough requests")


def _digest(settings: ScoreSettings) -> str:
    return hashlib.sha256(json.dumps(settings.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def _period(profiles: Profiles) -> dict[str, str]:
    volume = profiles.trimmed()["volume"]
    first, last = np.datetime64(int(volume.first_at.min()), "us"), np.datetime64(int(volume.last_at.max()), "us")
    return {"from": f"{first}Z", "to": f"{last}Z"}


def count_days(profiles: Profiles) -> int:
    """Count the days that the log covers, to the nearest, at least 1."""
    volume = profiles.trimmed()["volume"]
    return max(1, round(int(volume.last_at.max() - volume.first_at.min()) / _DAY_US))


def _model_record(judgement: Judgement) -> dict[str, Any]:
    """Say which model judged, and whether it weighs features together, so that reports can say how to read evidence."""
    model, level = judgement.model, judgement.subjects.profiles.evidence_level
    has_pairs = bool(model and model.for_level(level).pairs.weights)
    return {"name": judgement.detector.name, "sha256": model.sha256 if model else "", "has_pairs": has_pairs}


def _drift(judgement: Judgement) -> list[dict[str, Any]]:
    """Say on which of the features in use the log lies outside the population behind the model."""
    used = list(judgement.verdict.contributions)
    shifts = outside(judgement.population, judgement.subjects.pooled, used)
    return [asdict(shift) | {"meaning": FEATURES[shift.feature].meaning} for shift in shifts]


def _history_record(history: pa.Table, settings: PolicySettings) -> dict[str, Any]:
    return {
        "look": history["n_looks"][0].as_py() if len(history) else 0,
        "looks": settings.looks,
        "budget": settings.history_budget,
        "n_alarms": int(pc.sum(history["is_alarm"]).as_py() or 0),
    }


def run_record(log: OpenLog, judgement: Judgement, settings: ScoreSettings, history: pa.Table) -> dict[str, Any]:
    """Put the record together.

    Parameters
    ----------
    log: read to its end.
    history: of this and earlier looks, columns of `tables.HISTORY`.
    """
    subjects, decisions, digests = judgement.subjects, judgement.decisions, log.digests()
    return {
        "stillwatch": __version__,
        "settings": settings.model_dump(mode="json"),
        "settings_digest": _digest(settings),
        "versions": {name: version(name) for name in _LIBRARIES},
        "inputs": [{"file": f.name, "sha256": digests.get(f.name, ""), "n_bytes": f.n_bytes} for f in log.files],
        "format": {"name": log.format_name, "reason": log.format_reason},
        "account_by": log.identity(),
        "evidence_level": subjects.profiles.evidence_level,
        "off": what_is_off(subjects),
        "counts": {
            **log.counts(),
            "n_accounts": len(subjects.profiles),
            "n_clusters": int((np.bincount(subjects.cluster) > 1).sum()),
            "n_flagged": int(decisions.is_flagged.sum()),
            "n_allowed": judgement.n_allowed,
        },
        "model": _model_record(judgement),
        "threshold": decisions.threshold,
        "budget": decisions.control["budget"],
        "error_control": decisions.control,
        "period": _period(subjects.profiles),
        "drift": _drift(judgement),
        "history": _history_record(history, settings.policy),
    }
