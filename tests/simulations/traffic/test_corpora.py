"""A user's own texts are asked as they are; a file that cannot give any is refused."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.errors import ConfigError
from simulations.settings import scenario_of
from simulations.world import build

TEXTS = [f"Own question {number}: Ärger?" for number in range(40)]


def scenario(corpus: Path) -> Any:
    """People and a harvest with one corpus, and people with ours."""
    own = {"corpus": str(corpus)}
    cohorts = [
        {"name": "people", "persona": "hobby_chat", "accounts": 5, "prompts": own},
        {"name": "bulk", "attacker": "bulk_harvest", "accounts": 1, "parameters": {"requests": 60}, "prompts": own},
        {"name": "others", "persona": "hobby_chat", "accounts": 5},
    ]
    base = {"name": "own", "starts_at": "2026-03-02T00:00:00Z", "days": 7}
    return scenario_of({**base, "cohorts": cohorts}, where="test")


def test_corpus_replaces_texts_of_its_cohorts(tmp_path: Path) -> None:
    """Cohorts with a corpus ask nothing but its texts, a harvest all of them; others ask ours."""
    file = tmp_path / "mine.parquet"
    pq.write_table(pa.table({"prompt": [*TEXTS, None, ""]}), file)
    world = build(scenario(file))
    events = pa.concat_tables(world.events()).to_pandas()
    told = world.truth().to_pandas().set_index("account_id")
    campaign = events["account_id"].map(told["is_extraction"])
    assert set(events["prompt"][campaign]) == set(TEXTS)
    own = events.groupby("account_id")["prompt"].agg(lambda texts: set(texts) <= set(TEXTS))
    assert own.sum() == 6


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, r"mine\.parquet' cannot be read"),
        ({"prompts": ["a"]}, r"has no column 'prompt'; nearest: 'prompts'"),
        ({"prompt": ["", None]}, r"holds no text; give at least one"),
    ],
)
def test_useless_corpus_is_refused(tmp_path: Path, table: dict[str, Any] | None, message: str) -> None:
    """A corpus that is missing, empty or without texts is one error."""
    file = tmp_path / "mine.parquet"
    if table is not None:
        pq.write_table(pa.table(table, schema=pa.schema([(name, pa.string()) for name in table])), file)
    with pytest.raises(ConfigError, match=message):
        build(scenario(file))
