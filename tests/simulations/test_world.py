"""A log is a function of its scenario and seed, whatever the chunks and whoever else is in it."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from detector.errors import ImpossibleRequestError
from detector.tables import ACCOUNTS, EVENTS, TRUTH
from simulations.columns import LEAN
from simulations.settings import ScenarioSettings
from simulations.world import build
from simulations.writers import UNFILLED

Scenario = Callable[..., ScenarioSettings]


def events_of(settings: ScenarioSettings, **options: int) -> pa.Table:
    """The whole log as one table."""
    return pa.concat_tables(build(settings).events(**options)).combine_chunks()


@pytest.fixture(scope="module")
def events(small: ScenarioSettings) -> pa.Table:
    """The log of the small scenario."""
    return events_of(small)


def test_same_seed_same_log(small: ScenarioSettings, make_scenario: Scenario, events: pa.Table) -> None:
    """A second run equals the first; another seed does not."""
    assert events.equals(events_of(small))
    assert not events.equals(events_of(make_scenario(seed=6)))


@pytest.mark.parametrize("chunk_rows", [1, 97, 1000])
def test_chunks_change_nothing(chunk_rows: int, small: ScenarioSettings, events: pa.Table) -> None:
    """Chunks of any size hold the same rows in the same order."""
    head = 400 if chunk_rows == 1 else len(events)
    world = build(small)
    chunks = [chunk for chunk, _ in zip(world.events(chunk_rows=chunk_rows), range(head), strict=False)]
    assert pa.concat_tables(chunks).combine_chunks().equals(events[: sum(map(len, chunks))].combine_chunks())


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_change_nothing(workers: int, small: ScenarioSettings, events: pa.Table) -> None:
    """One thread or three write the same rows."""
    world = build(small, workers=workers)
    assert pa.concat_tables(world.events(workers=workers)).combine_chunks().equals(events)


def test_log_without_text_is_the_same_log(make_scenario: Scenario, events: pa.Table) -> None:
    """Without text, all columns but those of text are what they were."""
    bare = events_of(make_scenario(text=False))
    texts = ["prompt", "system_prompt"]
    assert bare["prompt"].null_count == len(bare)
    assert bare.drop_columns(texts).equals(events.drop_columns(texts))


@pytest.mark.parametrize("gone", ["people", "products", "labels", "bulk", "fleet"])
def test_a_cohort_leaves_no_trace(gone: str, make_scenario: Scenario, events: pa.Table) -> None:
    """Without one cohort, the rows of all others are what they were, in the same order."""
    rest = events_of(make_scenario(without=gone))
    kept = pc.is_in(events["account_id"], rest["account_id"].combine_chunks())
    assert rest.equals(events.filter(kept).combine_chunks())


def test_more_accounts_leave_the_first_alone(make_scenario: Scenario, events: pa.Table) -> None:
    """Doubling the scale adds accounts and changes no row of the earlier ones."""
    more = events_of(make_scenario(scale=2.0))
    kept = pc.is_in(more["account_id"], events["account_id"].combine_chunks())
    assert events.equals(more.filter(kept).combine_chunks())


def test_tables_keep_their_contract(small: ScenarioSettings, events: pa.Table) -> None:
    """Every table has exactly the columns and types of its contract."""
    world = build(small)
    assert next(world.rows())[1].schema == LEAN
    assert (events.schema, world.accounts().schema, world.truth().schema) == (EVENTS, ACCOUNTS, TRUTH)


def test_required_columns_are_complete(events: pa.Table) -> None:
    """Every request has its time, account, prompt and size; what is declared unfilled is empty, and little else."""
    empty = {name for name in EVENTS.names if events[name].null_count == len(events)}
    assert set(UNFILLED) <= empty <= {*UNFILLED, "n_choices", "wants_logprobs"}
    assert sum(events[name].null_count for name in ("occurred_at", "account_id", "prompt", "input_tokens", "ip")) == 0


def test_log_is_sorted_and_within_its_days(small: ScenarioSettings, events: pa.Table) -> None:
    """Times never fall and lie between the first and the last instant of the scenario."""
    instants = events["occurred_at"].cast(pa.int64()).to_numpy()
    begins = int(small.starts_at.timestamp() * 1e6)
    assert (np.diff(instants) >= 0).all()
    assert begins <= instants[0] and instants[-1] < begins + 7 * 86_400 * 10**6


def test_truth_counts_add_up(small: ScenarioSettings, events: pa.Table) -> None:
    """The truth has every account of the log with its number of requests, and no honest account extracts."""
    truth = build(small).truth().to_pandas()
    counted = events.to_pandas().groupby("account_id").size()
    assert counted.to_dict() == dict(zip(truth["account_id"], truth["n_events"], strict=True))
    assert truth["n_extraction_events"][~truth["is_extraction"]].sum() == 0
    assert (truth["n_extraction_events"] <= truth["n_events"]).all()
    assert truth["campaign_id"].notna().tolist() == truth["is_extraction"].tolist()


def test_log_without_requests_is_refused(make_scenario: Scenario) -> None:
    """A scenario so short that nobody comes is refused, not written as an empty log."""
    with pytest.raises(ImpossibleRequestError, match="scenario 'small': nobody sends a request in 1e-12 days"):
        build(make_scenario(days=1e-12))


def test_hours_do_not_depend_on_where_the_log_begins(make_scenario: Scenario) -> None:
    """People keep their hours in a log that begins at noon."""
    instants = events_of(make_scenario(starts_at="2026-03-02T12:00:00Z", days=7, scale=5))["occurred_at"]
    hours = np.bincount(pc.hour(instants).to_numpy(), minlength=24)
    assert hours[10:19].sum() > 1.3 * (hours[:5].sum() + hours[20:].sum())


def test_request_ids_are_unique(events: pa.Table) -> None:
    """No two requests have one id."""
    assert len(events) == len(events["request_id"].unique())


def test_accounts_sign_up_before_the_log_begins(small: ScenarioSettings) -> None:
    """No account sends requests before it exists."""
    created = build(small).accounts()["created_at"]
    assert pc.max(created).as_py() <= small.starts_at


def test_account_names_say_nothing(small: ScenarioSettings) -> None:
    """Account ids have one form and hold no name of a cohort or persona."""
    names = build(small).truth()["account_id"].to_pylist()
    assert all(len(name) == 19 and int(name.removeprefix("acct_"), 16) >= 0 for name in names)
