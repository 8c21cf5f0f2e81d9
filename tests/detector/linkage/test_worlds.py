"""Generated worlds of honest crowds beside a fleet: who becomes a cluster, and that no crowd is revoked."""

import numpy as np
import pandas as pd
import pytest

from detector.pipeline import score
from detector.results import Results
from detector.settings import ScoreSettings
from tests.detector.features.small_logs import MONDAY, write_log

_TALK = [f"{first}{rest}" for first in ("ba", "de", "ki", "lo") for rest in ("n", "ttle", "my", "please", "why")]
_TASKS = [f"{first}{rest}" for first in ("Derive", "quantum", "proof", "graph") for rest in ("", "s", "field", "bound")]
_LESSON = [f"{first}{rest}" for first in ("leaf", "water", "light") for rest in ("", "s", "green", "cell")]
#: Crowd -> accounts, requests of one, days over which its accounts signed up, words.
CROWDS = {
    "person": (260, 12, 700, _TALK),
    "carrier": (60, 12, 700, _TALK),
    "app": (40, 14, 300, _TALK),
    "office": (16, 14, 2, _TALK),
    "class": (24, 20, 1, _LESSON),
    "fleet": (24, 60, 4, _TASKS),
}


def _identity(crowd: str, number: int) -> dict[str, str]:
    """Give what each crowd shares: a carrier and a school an address, an office also a card, an app its prompt."""
    shared = {"carrier": "100.64.0.7", "office": "192.0.2.9", "class": "192.0.3.9"}
    return {
        "payment_id": "office card" if crowd == "office" else f"card {crowd} {number}",
        "ip": shared.get(crowd, f"10.{list(CROWDS).index(crowd)}.{number % 250}.{1 + number // 250}"),
        "user_agent": "sdk/1" if crowd in ("app", "fleet") else "web",
        "system_prompt": "You are the assistant of the shop." if crowd == "app" else "",
    }


def _requests(rng: np.random.Generator, crowd: str, number: int, n: int) -> list[dict[str, object]]:
    words, identity = CROWDS[crowd][3], _identity(crowd, number)
    days = rng.choice([1, 8], n) if crowd == "class" else rng.integers(0, 14, n)
    hours = rng.uniform(9, 10, n) if crowd == "class" else rng.uniform(8, 22, n)
    return [
        {
            "occurred_at": MONDAY + pd.Timedelta(round((day * 24 + hour) * 3_600_000), unit="ms"),
            "account_id": f"{crowd}-{number:03d}",
            **identity,
            "model": str(rng.choice(["big", "small"])),
            "prompt": " ".join(rng.choice(words, size=int(rng.integers(5, 15)))),
            "input_tokens": int(rng.integers(20, 400)),
            "output_tokens": int(rng.integers(500, 1500) if crowd == "fleet" else rng.integers(20, 600)),
            "status_code": 200,
        }
        for day, hour in zip(days, hours, strict=True)
    ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Score a world of all crowds."""
    rng, folder = np.random.default_rng(8), tmp_path_factory.mktemp("world")
    rows, opened = [], {}
    for crowd, (n_accounts, n_requests, spread_days, _) in CROWDS.items():
        for number in range(n_accounts):
            rows += _requests(rng, crowd, number, n_requests)
            opened[f"{crowd}-{number:03d}"] = MONDAY - pd.Timedelta(days=10 + rng.uniform(0, spread_days))
    log = pd.DataFrame(rows).sort_values(["occurred_at", "account_id"], ignore_index=True)
    write_log(log.astype({"occurred_at": "datetime64[us, UTC]"}), folder / "log.parquet")
    accounts = pd.Series(opened, name="created_at").rename_axis("account_id").reset_index()
    accounts.to_csv(folder / "accounts.csv", index=False)
    return score([str(folder / "log.parquet")], ScoreSettings(), accounts=folder / "accounts.csv")


def test_a_fleet_that_shares_nothing_is_one_cluster(world: Results) -> None:
    """Accounts of one maker come together by when they signed up and how they ask, and nobody else is among them."""
    scored = world.scored.to_pandas().set_index("account_id").cluster_id
    largest = scored[scored.index.str.startswith("fleet")].mode()[0]
    members = scored[scored == largest].index
    assert len(members) >= 20
    assert members.str.startswith("fleet").all()


@pytest.mark.parametrize("crowd", ["person", "carrier", "app"])
def test_crowds_are_no_clusters(world: Results, crowd: str) -> None:
    """Strangers, customers of one carrier and users of one app are not tied, or hardly."""
    scored = world.scored.to_pandas().set_index("account_id").cluster_id
    assert scored[scored.index.str.startswith(crowd)].notna().mean() < 0.03


def test_no_honest_crowd_is_revoked(world: Results) -> None:
    """An office, a class that signed up in one hour, and every other crowd keep their accounts."""
    scored = world.scored.to_pandas().set_index("account_id").action
    assert set(scored[scored == "revoke"].index.str.split("-").str[0]) <= {"fleet"}
