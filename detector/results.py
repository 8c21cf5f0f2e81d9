"""What one scoring run found: the tables of `detector.tables`, held together. No logic lives here."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from detector.tables import HISTORY, LOOKALIKES, ORIGINS


@dataclass(frozen=True)
class Results:
    """The tables of a scoring run.

    Attributes
    ----------
    scored: one row per account, columns of `tables.SCORED`, most suspicious first.
    clusters: one row per cluster, columns of `tables.CLUSTERS`, most suspicious first.
    evidence: columns of `tables.EVIDENCE`; rows of one account lie together.
        The row with feature ``prior`` and family ``""`` is where the sum starts.
    links: what accounts share, columns of `tables.LINKS`.
    timeline: requests over time, columns of `tables.TIMELINE`, for the accounts that the report shows.
    rejected: rows that could not be read, columns of `tables.REJECTED`.
    excerpts: redacted prompts, columns of `tables.EXCERPTS`; empty unless they were asked for.
    lookalikes: how like honest customers, columns of `tables.LOOKALIKES`; empty where the model knows no kinds.
    origins: where accounts call from, columns of `tables.ORIGINS`; empty unless something was given that tells.
    run: how it was made: resolved settings, versions, inputs, counts, timings; plain JSON values.
    history: what accounts have gathered over this and earlier looks, columns of `tables.HISTORY`.
    """

    scored: pa.Table
    clusters: pa.Table
    evidence: pa.Table
    links: pa.Table
    timeline: pa.Table
    rejected: pa.Table
    excerpts: pa.Table
    run: dict[str, Any]
    history: pa.Table = field(default_factory=HISTORY.empty_table)
    lookalikes: pa.Table = field(default_factory=LOOKALIKES.empty_table)
    origins: pa.Table = field(default_factory=ORIGINS.empty_table)
