"""How often strangers are punished for a fleet made to look like theirs: revocations of framed honest accounts.

    python -m tests.benchmarks.framing LOG_DIR [DRAWS] [VICTIMS]

LOG_DIR as for `poisoning.py`. In each draw so many honest accounts, in equal parts by fleet, are forged: a member's
payment and sign-up, and half of their requests leave by addresses of the fleet alone. Printed are the victims
recommended for revocation, those of them without own behaviour that speaks for it, and honest accounts beside them.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import binomtest

from detector.pipeline import score
from detector.settings import ScoreSettings
from tests.benchmarks.poisoning import read


def frame(
    events: pa.Table, accounts: pd.DataFrame, truth: pd.DataFrame, n_victims: int, seed: int
) -> tuple[pa.Table, pd.DataFrame, set[str]]:
    """Forge fleets' identities onto honest accounts; returns events, accounts, and who the victims are."""
    draw = np.random.default_rng(seed)
    honest = draw.permutation(truth.loc[~truth.is_extraction, "account_id"].sort_values().to_numpy())
    members = truth[truth.is_extraction].groupby("campaign_id").account_id.apply(list)
    members = members[members.str.len() >= 5]
    who, ip = (events[c].cast("string").to_pandas() for c in ("account_id", "ip"))
    used_by_others = set(ip[~who.isin(truth.loc[truth.is_extraction, "account_id"])])
    known, victims = accounts.set_index("account_id"), set[str]()
    paid_by = events["payment_id"].cast("string").to_pandas() if "payment_id" in events.column_names else None
    for campaign, part in zip(members, np.array_split(honest[:n_victims], len(members)), strict=True):
        victims |= set(part)
        exits = ip[who.isin(campaign) & ~ip.isin(used_by_others)].dropna().to_numpy()
        moved = who.isin(part) & (draw.random(len(who)) < 0.5)
        if len(exits):
            ip[moved] = draw.choice(exits, int(moved.sum()))
        like = dict(zip(part, draw.choice(campaign, len(part)), strict=True))
        for column in ("payment_id", "created_at"):
            known.loc[list(like), column] = known.loc[list(like.values()), column].to_numpy()
        if paid_by is not None:
            paid_by = paid_by.mask(who.isin(part), who.map(like).map(known["payment_id"]))
    for name, values in (("ip", ip), ("payment_id", paid_by)):
        if values is not None:
            events = events.set_column(events.column_names.index(name), name, pa.array(values, pa.string()))
    return events, known.reset_index(), victims


def revoked(events: pa.Table, accounts: pd.DataFrame) -> pd.DataFrame:
    """Score; give the accounts recommended for revocation."""
    with tempfile.TemporaryDirectory() as folder:
        log, sheet = Path(folder) / "events.parquet", Path(folder) / "accounts.parquet"
        pq.write_table(events, log)
        accounts.to_parquet(sheet)
        scored = score([str(log)], ScoreSettings(), accounts=sheet).scored.to_pandas()
    return scored[scored.action == "revoke"]


def main(folder: Path, draws: int, n_victims: int) -> None:
    """Print one line per draw, and the rate of all with its exact interval."""
    events, accounts, truth = read(folder)
    events = events.select([c for c in events.column_names if events[c].null_count < len(events)])
    harvesting, hit, framed = set(truth[truth.is_extraction].account_id), 0, 0
    for seed in range(draws):
        forged, known, victims = frame(events, accounts, truth, n_victims, seed)
        found = set(revoked(forged, known).account_id)
        n_hit, n_beside = len(found & victims), len(found - victims - harvesting)
        hit, framed = hit + n_hit, framed + len(victims)
        print(f"draw {seed}: {n_hit} of {len(victims)} victims, {n_beside} honest beside them, {len(found)} in all")
    interval = binomtest(hit, framed).proportion_ci(method="exact")
    print(f"{hit} of {framed} victims recommended for revocation, {interval.low:.3%} to {interval.high:.3%}")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[2:]]
    main(Path(sys.argv[1]), *[*given, *(4, 84)[len(given) :]])
