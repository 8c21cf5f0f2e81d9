"""Small logs that tests fold: drawn from a seed, with every column that a slice reads."""

import numpy as np
import pandas as pd
import pyarrow as pa

from detector.tables import EVENTS

COLUMNS = (
    "occurred_at",
    "account_id",
    "payment_id",
    "ip",
    "user_agent",
    "model",
    "system_prompt",
    "prompt",
    "input_tokens",
    "output_tokens",
    "max_output_tokens",
    "temperature",
    "status_code",
    "cost_usd",
)
_WORDS = [
    "What",
    "is",
    "the",
    "Ångström",
    "please",
    "I",
    "river",
    "under",
    "42",
    "ten",
    "日本語",
    "don't",
    "Name",
    "my",
]
_START = np.datetime64("2026-03-02T00:00:00", "us")


def sentence(rng: np.random.Generator, n_words: int) -> str:
    """Join random words."""
    return " ".join(rng.choice(_WORDS, size=n_words)) + rng.choice(["", ".", "?", "\nNext line."])


def draw_events(seed: int, *, n: int = 400, accounts: int = 7) -> pa.RecordBatch:
    """Draw a log in order of time; instants are distinct within an account."""
    rng = np.random.default_rng(seed)
    pool = [sentence(rng, int(k)) for k in rng.integers(0, 40, size=max(4, n // 2))]
    instants = np.sort(rng.choice(14 * 86_400_000, size=n, replace=False)) * 1000 + rng.integers(0, 999)
    frame = pd.DataFrame(
        {
            "occurred_at": (_START + instants.astype("timedelta64[us]")),
            "account_id": [f"a{i}" for i in rng.integers(0, accounts, size=n)],
            "payment_id": [f"p{i}" for i in rng.integers(0, 3, size=n)],
            "ip": [f"192.0.{i}.{j}" for i, j in rng.integers(0, 9, size=(n, 2))],
            "user_agent": rng.choice(["curl/8", "python"], size=n),
            "model": rng.choice(["big", "small", "mini"], size=n),
            "system_prompt": rng.choice(["Be brief.", None], size=n),
            "prompt": rng.choice(pool, size=n),
            "input_tokens": rng.integers(0, 4000, size=n),
            "output_tokens": rng.integers(0, 900, size=n),
            "max_output_tokens": rng.choice([64, 512], size=n),
            "temperature": rng.uniform(0, 1, size=n).round(2),
            "status_code": rng.choice([200, 429, 500], size=n),
            "cost_usd": rng.uniform(0, 1, size=n),
        }
    )
    frame["occurred_at"] = frame.occurred_at.dt.tz_localize("UTC")
    frame.loc[rng.random(n) < 0.1, "prompt"] = None
    frame.loc[rng.random(n) < 0.1, "input_tokens"] = None
    return to_batch(frame)


def to_batch(frame: pd.DataFrame) -> pa.RecordBatch:
    """Cast a frame to the contract of events."""
    schema = pa.schema([EVENTS.field(c) for c in frame.columns])
    return pa.RecordBatch.from_pandas(frame, schema=schema, preserve_index=False)
