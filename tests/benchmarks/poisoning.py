"""What an attacker gains who prepares for weeks: recall on a labelled log before and after its accounts are poisoned.

    python tests/benchmarks/poisoning.py LOG_DIR [DECOYS]

LOG_DIR holds events.parquet, accounts.parquet or .csv and truth.parquet, as `stillwatch generate` writes them. Accounts
of honest people are taken over as decoys, in equal parts by each campaign, and keep asking what they ask:

    hijacked   a third of their requests leave by the campaign's addresses
    bought     all of them do, and the campaign's instruments pay
    creeping   nobody is taken over; harvesting accounts begin as chat and turn to work bit by bit (generated logs only)

Decoys are the attacker's and count neither as honest nor as found.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from detector.pipeline import score
from detector.settings import ScoreSettings

PEOPLE = ("chat", "hobby_chat", "work_chat")
#: What says what a request is, and moves with it when a campaign begins as chat.
CONTENT = ("system_prompt", "prompt", "completion", "input_tokens", "output_tokens", "reasoning_tokens")
SHARE = {"hijacked": 1 / 3, "bought": 1.0}


def read(folder: Path) -> tuple[pa.Table, pd.DataFrame, pd.DataFrame]:
    """Read events, accounts and truth."""
    events = pq.read_table(folder / "events.parquet")
    table = folder / "accounts.parquet"
    accounts = pd.read_parquet(table) if table.exists() else pd.read_csv(folder / "accounts.csv")
    truth = pd.read_parquet(folder / "truth.parquet")
    return events, accounts, truth


def _loners(accounts: pd.DataFrame, truth: pd.DataFrame) -> "np.ndarray":
    """Give the people who pay alone and belong to nobody, in order: of a team, the others would be taken over, too."""
    alone = ~accounts.payment_id.duplicated(keep=False)
    if "org_id" in accounts:
        alone &= accounts.org_id.isna()
    people = truth.loc[truth.persona.isin(PEOPLE), "account_id"]
    return people[people.isin(accounts.loc[alone, "account_id"])].sort_values().to_numpy()


def take_over(
    events: pa.Table, accounts: pd.DataFrame, truth: pd.DataFrame, n_decoys: int, way: str
) -> tuple[pa.Table, pd.DataFrame, set[str]]:
    """Give campaigns the accounts of people; returns events, accounts, and who the decoys are."""
    draw = np.random.default_rng(5)
    people = draw.permutation(_loners(accounts, truth))
    members = truth[truth.is_extraction].groupby("campaign_id").account_id.apply(list)
    members = members[members.str.len() >= 5]
    who = events["account_id"].cast("string").to_pandas()
    ip, payment = (events[c].cast("string").to_pandas() for c in ("ip", "payment_id"))
    accounts, decoys = accounts.copy(), set[str]()
    used_by_others = set(ip[~who.isin(truth.loc[truth.is_extraction, "account_id"])])
    for campaign, part in zip(members, np.array_split(people[: n_decoys * len(members)], len(members)), strict=True):
        decoys |= set(part)
        theirs, moved = who.isin(campaign), who.isin(part) & (draw.random(len(who)) < SHARE[way])
        exits = ip[theirs & ~ip.isin(used_by_others)].dropna().to_numpy()
        ip[moved] = draw.choice(exits, int(moved.sum()))
        if way == "bought":
            cards = accounts.loc[accounts.account_id.isin(campaign), "payment_id"].to_numpy()
            pays = dict(zip(part, draw.choice(cards, len(part)), strict=True))
            payment = payment.mask(who.isin(part), who.map(pays))
            accounts["payment_id"] = accounts.account_id.map(pays).fillna(accounts.payment_id)
    for name, values in (("ip", ip), ("payment_id", payment)):
        events = events.set_column(events.column_names.index(name), name, pa.array(values, pa.string()))
    return events, accounts, decoys


def creep(events: pa.Table, folder: Path) -> pa.Table:
    """Put the cover of each harvesting account before its harvest, so that the share of work rises evenly from none."""
    harvest = pd.read_parquet(folder / "truth_requests.parquet").set_index("request_id").is_extraction
    at = events["occurred_at"].cast(pa.int64()).to_numpy()
    works = harvest.reindex(events["request_id"].cast("string").to_pandas()).to_numpy()
    row = np.flatnonzero(~pd.isna(works))
    table = pd.DataFrame({"row": row, "account": events["account_id"].cast("string").to_pandas()[row].to_numpy()})
    table["works"], table["at"] = works[row].astype(bool), at[row]
    table = table.sort_values(["account", "at"])
    # Work drawn with a density that rises evenly, cover with one that falls: their order is that of such draws.
    u = np.random.default_rng(6).random(len(table))
    place = np.where(table.works, np.sqrt(u), 1 - np.sqrt(u))
    source = np.arange(len(at))
    source[table.row] = table.assign(place=place).sort_values(["account", "place"]).row
    for name in CONTENT:
        if name in events.column_names:
            column = events[name].combine_chunks()
            events = events.set_column(events.column_names.index(name), name, column.take(pa.array(source)))
    return events


def recall(events: pa.Table, accounts: pd.DataFrame, truth: pd.DataFrame, decoys: set[str]) -> str:
    """Score; tell the flagged share of harvesting accounts, campaigns that lose some, and honest accounts flagged."""
    with tempfile.TemporaryDirectory() as folder:
        log, sheet = Path(folder) / "events.parquet", Path(folder) / "accounts.parquet"
        pq.write_table(events, log)
        accounts.to_parquet(sheet)
        results = score([str(log)], ScoreSettings(), accounts=sheet)
    scored = results.scored.select(["account_id", "is_flagged"]).to_pandas()
    told = truth[~truth.account_id.isin(decoys)].merge(scored, on="account_id")
    harvests, n_honest = (
        told[told.is_extraction & (told.n_extraction_events > 0)],
        told[~told.is_extraction].is_flagged.sum(),
    )
    found = harvests.groupby("campaign_id").is_flagged.agg(["mean", "size"])
    fleets = found[found["size"] >= 5]
    shares = {name: round(float(share), 3) for name, share in fleets["mean"].items()}
    return f"all {harvests.is_flagged.mean():.3f}, honest flagged {n_honest}, fleets {shares}"


def main(folder: Path, n_decoys: int) -> None:
    """Print one line per way."""
    events, accounts, truth = read(folder)
    columns = [c for c in events.column_names if events[c].null_count < len(events)]
    events = events.select(columns)
    print("none", recall(events, accounts, truth, set()), flush=True)
    for way in SHARE:
        poisoned, known, decoys = take_over(events, accounts, truth, n_decoys, way)
        print(way, recall(poisoned, known, truth, decoys), flush=True)
    if (folder / "truth_requests.parquet").exists():
        print("creeping", recall(creep(events, folder), accounts, truth, set()), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60)
