"""What a team would write first: pandas for features, an isolation forest for scores. The yardstick of `make bench`.

    python tests/benchmarks/pandas_script.py LOG.csv|LOG.parquet

It computes, per account, comparable features to those of `detector.features`: rhythm, style, repetition, similarity.
"""

import re
import sys

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import HashingVectorizer

FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|my|me)\b", re.IGNORECASE)
PLEASE = re.compile(r"\bplease\b", re.IGNORECASE)
WORD = re.compile(r"[\w']+")


def read(path: str) -> pd.DataFrame:
    """Read the log whole."""
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_csv(path, parse_dates=["occurred_at"])


def rhythm(log: pd.DataFrame) -> pd.DataFrame:
    """Gaps and hours per account."""
    ordered = log.sort_values(["account_id", "occurred_at"])
    gap = ordered.groupby("account_id").occurred_at.diff().dt.total_seconds()
    pair = 2 * (gap - gap.shift()).abs() / (gap + gap.shift())
    by_account = ordered.account_id
    return pd.DataFrame(
        {
            "n": by_account.groupby(by_account).size(),
            "gap_median": gap.groupby(by_account).median(),
            "gap_std": np.log(gap.clip(lower=1e-3)).groupby(by_account).std(),
            "regular": (pair < 0.5).groupby(by_account).mean(),
            "longest": gap.groupby(by_account).max(),
            "hours": ordered.occurred_at.dt.hour.groupby(by_account).nunique(),
            "weekend": (ordered.occurred_at.dt.dayofweek >= 5).groupby(by_account).mean(),
        }
    )


def style(log: pd.DataFrame) -> pd.DataFrame:
    """Length, mess, classes, openings and repetition per account."""
    prompt, account = log.prompt.fillna(""), log.account_id
    words = prompt.str.slice(0, 1024).map(lambda text: WORD.findall(text.lower()))
    opening = words.map(lambda found: " ".join(found[:3]))
    per_row = pd.DataFrame(
        {
            "account_id": account,
            "length": prompt.str.len(),
            "lower": prompt.str.slice(0, 1).str.islower(),
            "first_person": prompt.map(lambda text: bool(FIRST_PERSON.search(text))),
            "please": prompt.map(lambda text: bool(PLEASE.search(text))),
            "lines": prompt.str.contains("\n", regex=False),
            "digits": prompt.str.count(r"\d"),
            "capitals": prompt.str.count(r"[A-Z]"),
            "n_words": words.map(len),
        }
    )
    table = per_row.groupby("account_id").mean()
    table["length_std"] = np.log1p(per_row.length).groupby(account).std()
    table["distinct"] = prompt.groupby(account).nunique()
    table["openings"] = opening.groupby(account).nunique()
    table["top_opening"] = opening.groupby(account).agg(lambda column: column.value_counts(normalize=True).iloc[0])
    table["vocabulary"] = words.groupby(account).agg(lambda column: len(set().union(*column)))
    return table


def similarity(log: pd.DataFrame) -> pd.Series:
    """Mean pairwise cosine similarity of an account's prompts."""
    vectors = HashingVectorizer(n_features=128, norm="l2", alternate_sign=True).transform(log.prompt.fillna(""))
    codes, names = pd.factorize(log.account_id)
    sums = np.zeros((len(names), vectors.shape[1]))
    for code in range(len(names)):
        sums[code] = vectors[np.flatnonzero(codes == code)].sum(axis=0)
    n = np.bincount(codes).astype(float)
    return pd.Series(((sums**2).sum(axis=1) - n) / np.maximum(n * (n - 1), 1), index=names)


def main(path: str) -> pd.Series:
    """Score a log."""
    log = read(path)
    features = rhythm(log).join(style(log))
    features["similarity"] = similarity(log)
    features["networks"] = log.ip.str.rsplit(".", n=1).str[0].groupby(log.account_id).nunique()
    features["addresses"] = log.ip.groupby(log.account_id).nunique()
    features["answer"] = log.output_tokens.groupby(log.account_id).median()
    features["ratio"] = (log.output_tokens / log.input_tokens.clip(lower=1)).groupby(log.account_id).median()
    filled = features.fillna(features.median())
    forest = IsolationForest(random_state=7).fit(filled)
    return pd.Series(-forest.score_samples(filled), index=filled.index)


if __name__ == "__main__":
    print(main(sys.argv[1]).nlargest(10).to_string())
