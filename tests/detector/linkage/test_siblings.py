"""Who signs up together and asks alike: a fleet is found, and no busy week, popular style, office or chance is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.features.catalogue import compute_features
from detector.linkage.siblings import find_siblings, sign_up_days, sign_up_parts, styles
from tests.detector.features.small_logs import accounts_of, draw_accounts, draw_log, folded

N_TOWN, N_FLEET, DIMENSIONS = 900, 24, 12
World = tuple["np.ndarray", "np.ndarray"]  # type: ignore[type-arg]


def town(rng: np.random.Generator) -> World:
    """Draw people of every style, who signed up over two years."""
    return rng.normal(size=(N_TOWN, DIMENSIONS)).astype(np.float32), rng.uniform(0, 730, N_TOWN)


def joined(world: World, style: "np.ndarray", days: "np.ndarray") -> World:  # type: ignore[type-arg]
    """Add accounts after those of a world."""
    return np.concatenate([world[0], style.astype(np.float32)]), np.concatenate([world[1], days])


def tied(world: World, groups: "np.ndarray | None" = None, n_requests: int = 50) -> set[int]:  # type: ignore[type-arg]
    """Give the groups that are tied to any other."""
    n = len(world[1])
    first, second = find_siblings(*world, np.full(n, n_requests), np.arange(n) if groups is None else groups)
    assert len({frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}) == len(first)
    return set(first.tolist()) | set(second.tolist())


def fleet(rng: np.random.Generator, n: int = N_FLEET) -> World:
    """Draw accounts of one style, opened within days."""
    return rng.normal(size=DIMENSIONS) + 0.3 * rng.normal(size=(n, DIMENSIONS)), 400 + rng.exponential(1.5, n)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_a_fleet_comes_together(seed: int) -> None:
    """Nearly all of two dozen accounts of one style and few days are tied, and of strangers those who look just so."""
    rng = np.random.default_rng(seed)
    found = tied(joined(town(rng), *fleet(rng)))
    assert len(found & set(range(N_TOWN, N_TOWN + N_FLEET))) >= 0.8 * N_FLEET
    assert len(found & set(range(N_TOWN))) <= 3


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 300))
def test_a_busy_day_ties_nobody(seed: int, n_more: int) -> None:
    """A launch brings hundreds of people of every style in one day: they stay strangers."""
    rng = np.random.default_rng(seed)
    world = joined(town(rng), rng.normal(size=(n_more, DIMENSIONS)), 300 + rng.uniform(0, 1, n_more))
    assert len(tied(world)) <= 2


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1]))
def test_a_popular_style_ties_nobody(seed: int, spread: float) -> None:
    """Two hundred users of one app who came over two years stay strangers, alike as they are."""
    rng = np.random.default_rng(seed)
    style = rng.normal(size=DIMENSIONS) + spread * rng.normal(size=(200, DIMENSIONS))
    assert len(tied(joined(town(rng), style, rng.uniform(0, 730, 200)))) <= 2


def test_an_office_counts_as_one() -> None:
    """Thirty colleagues on one card, who came together and ask alike, confirm nobody: neither themselves nor others."""
    rng = np.random.default_rng(3)
    groups = np.concatenate([np.arange(N_TOWN), np.full(30, N_TOWN)])
    assert tied(joined(town(rng), *fleet(rng, 30)), groups) == set()


@pytest.mark.parametrize("lacking", ["requests", "strangers", "days"])
def test_too_little_to_say_ties_nobody(lacking: str) -> None:
    """Accounts of few requests, logs of one week's accounts, and accounts of unknown age are left alone."""
    rng = np.random.default_rng(5)
    style, days = joined(town(rng), *fleet(rng))
    if lacking == "strangers":
        days = days % 7
    if lacking == "days":
        days = np.full(len(days), np.nan)
    assert tied((style, days), n_requests=7 if lacking == "requests" else 50) == set()


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000))
def test_order_does_not_matter(seed: int) -> None:
    """Shuffled accounts are tied as before."""
    rng = np.random.default_rng(7)
    style, days = joined(town(rng), *fleet(rng))
    order = np.random.default_rng(seed).permutation(len(days))
    assert {int(order[i]) for i in tied((style[order], days[order]))} == tied((style, days))


def test_styles_are_read_off_profiles() -> None:
    """Members of a drawn fleet are nearer to one another than people are; both blocks weigh alike."""
    log = draw_log()
    profiles = folded(log)
    profiles.enrich(accounts_of(dict(draw_accounts(log).itertuples(index=False))))
    style = styles(profiles, compute_features(profiles, profiles.filled_columns))
    is_fleet = np.array([int(a[3:]) >= 30 for a in profiles.account_ids])
    assert style[is_fleet].var(axis=0).sum() < 0.5 * style[~is_fleet].var(axis=0).sum()
    assert (style**2).sum(axis=1).mean() == pytest.approx(2.0, rel=1e-3)
    assert np.ptp(sign_up_days(profiles)[is_fleet]) < 1


def test_a_group_is_divided_by_when_its_accounts_signed_up() -> None:
    """Accounts within a week stay together; one bought years before or after, or of no known day, is no part of it."""
    days = np.array([100.0, 102.0, 107.0, 700.0, np.nan, 101.0])
    parts = sign_up_parts(days, np.array([50, 50, 50, 50, 50, 1]), np.zeros(6, np.int64))
    assert parts.tolist() == [0, 0, 0, 1, -1, -1]


def test_an_old_account_on_each_card_hides_no_fleet() -> None:
    """A fleet whose members each pay for an account of another time and style comes together as it does without."""
    rng = np.random.default_rng(7)
    old = rng.normal(size=(N_FLEET, DIMENSIONS)), rng.uniform(0, 390, N_FLEET)
    world = joined(joined(town(rng), *fleet(rng)), *old)
    n, groups = len(world[1]), np.arange(len(world[1]))
    groups[N_TOWN + N_FLEET :] = np.arange(N_TOWN, N_TOWN + N_FLEET)
    parts = sign_up_parts(world[1], np.full(n, 50), groups)
    found = tied(world, parts)
    assert len(found & set(parts[N_TOWN : N_TOWN + N_FLEET].tolist())) >= 0.8 * N_FLEET
    assert len(tied(world, groups) & set(range(N_TOWN, N_TOWN + N_FLEET))) == 0
