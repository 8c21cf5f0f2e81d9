"""Logs small enough to check by hand, and the features that they give."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from detector.features.catalogue import compute_features
from detector.features.extras import Extra, compute_extras, slices_of
from detector.profiles.store import Profiles
from tests.detector.worlds import to_batch

MONDAY = pd.Timestamp("2026-03-02T00:00:00Z")
_PEOPLE_WORDS = [
    "my",
    "the",
    "dog",
    "river",
    "why",
    "does",
    "tea",
    "cold",
    "train",
    "please",
    "help",
    "letter",
    "to",
    "boss",
    "recipe",
    "soup",
    "python",
    "loop",
    "error",
]
_POOL_WORDS = [
    "Explain",
    "Derive",
    "quantum",
    "lattice",
    "entropy",
    "gradient",
    "kernel",
    "proof",
    "bound",
    "matrix",
    "vector",
    "field",
    "tensor",
    "graph",
]


def log_of(seconds: list[float], **columns: Any) -> pd.DataFrame:
    """Make a log of one account, or of those in `account_id`, from instants in seconds since Monday midnight."""
    frame = pd.DataFrame(
        {
            "occurred_at": (MONDAY + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us, UTC]"),
            "account_id": columns.pop("account_id", "a"),
        }
    )
    return frame.assign(**columns)


def folded(frame: pd.DataFrame) -> Profiles:
    """Fold a log."""
    profiles = Profiles(tuple(frame.columns))
    profiles.fold(to_batch(frame))
    return profiles


def features_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Give the features of a log's accounts."""
    profiles = folded(frame)
    return compute_features(profiles, profiles.filled_columns)


def features_with(frame: pd.DataFrame, extras: Sequence[Extra]) -> pd.DataFrame:
    """Give the features of a log's accounts and the statistics that a detector brings along."""
    profiles = Profiles(tuple(frame.columns), wanted=slices_of(extras))
    profiles.fold(to_batch(frame))
    columns = profiles.filled_columns
    return compute_features(profiles, columns).join(compute_extras(extras, profiles, profiles, columns))


def feature(frame: pd.DataFrame, name: str) -> float:
    """Give one feature of a log's first account."""
    return float(features_of(frame)[name].iloc[0])


def pooled_features(frame: pd.DataFrame, accounts: pa.Table | None = None) -> pd.DataFrame:
    """Give the features of all accounts of a log taken as one cluster."""
    profiles = folded(frame)
    if accounts is not None:
        profiles.enrich(accounts)
    pool = profiles.pool(np.zeros(len(profiles), np.int64), ["all"])
    return compute_features(pool, pool.filled_columns)


def accounts_of(created: dict[str, pd.Timestamp], **columns: list[str]) -> pa.Table:
    """Make a table of accounts with their sign-up instants."""
    instants = pa.array(list(created.values()), pa.timestamp("us", tz="UTC"))
    return pa.table({"account_id": list(created), "created_at": instants, **columns})


def draw_log(seed: int = 1, *, people: int = 30, fleet: int = 8, requests: int = 30) -> pd.DataFrame:
    """Draw a log of people, who chat by day, and of a fleet that harvests long answers over few cards and exits."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(people + fleet):
        is_fleet = number >= people
        for request in range(requests):
            day, words = rng.integers(0, 14), _POOL_WORDS if is_fleet else _PEOPLE_WORDS
            asked = " ".join(rng.choice(words, size=int(rng.integers(6, 14))))
            hour = rng.uniform(0, 24) if is_fleet else rng.uniform(8, 22)
            exit_ = f"203.0.113.{rng.integers(1, 4)}" if is_fleet else f"10.{number}.0.{rng.integers(1, 3)}"
            if is_fleet and request % 3:
                exit_ = f"198.51.{rng.integers(0, 3)}.9"
            rows.append(
                {
                    "occurred_at": MONDAY + pd.Timedelta(round((day * 24 + hour) * 3_600_000), unit="ms"),
                    "account_id": f"acc{number:03d}",
                    "payment_id": f"card-{900 + number % 2}" if is_fleet else f"card-{number}",
                    "ip": exit_,
                    "user_agent": "python" if is_fleet else rng.choice(["web", "phone"]),
                    "model": "big" if is_fleet else rng.choice(["big", "small"]),
                    "prompt": f"{asked.capitalize()}." if is_fleet else asked,
                    "input_tokens": int(rng.integers(20, 60) if is_fleet else rng.integers(200, 3000)),
                    "output_tokens": int(rng.integers(700, 1500) if is_fleet else rng.integers(5, 300)),
                    "status_code": int(rng.choice([200, 200, 200, 429])),
                }
            )
    frame = pd.DataFrame(rows).sort_values(["occurred_at", "account_id"], ignore_index=True)
    return frame.astype({"occurred_at": "datetime64[us, UTC]"})


def draw_accounts(frame: pd.DataFrame, *, people: int = 30) -> pd.DataFrame:
    """Give the sign-ups behind `draw_log`: people over months, the fleet within hours of one another."""
    ids = sorted(frame.account_id.unique())
    ages = [pd.Timedelta(days=20 + 9 * i) if i < people else pd.Timedelta(hours=24 + i) for i in range(len(ids))]
    created = pd.Series([MONDAY - age for age in ages]).astype("datetime64[us, UTC]")
    return pd.DataFrame({"account_id": ids, "created_at": created})


def draw_truth(frame: pd.DataFrame, *, people: int = 30) -> pd.DataFrame:
    """Give who was what in `draw_log`."""
    ids = sorted(frame.account_id.unique())
    is_fleet = [i >= people for i in range(len(ids))]
    return pd.DataFrame(
        {"account_id": ids, "persona": np.where(is_fleet, "fleet", "person"), "is_extraction": is_fleet}
    )


def write_log(frame: pd.DataFrame, path: Path) -> Path:
    """Write a log as its suffix says, instants spelled out in text."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
        return path
    spelled = frame.assign(occurred_at=frame.occurred_at.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    if path.suffix == ".csv":
        spelled.to_csv(path, index=False)
    else:
        spelled.to_json(path, orient="records", lines=True)
    return path
