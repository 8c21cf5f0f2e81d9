"""Who is tied to whom: strangers are not, an instrument ties, chance meetings do not, a fleet comes together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.linkage.communities import find_clusters
from detector.linkage.links import find_links
from detector.settings import LinkageSettings
from tests.detector.features.small_logs import draw_log, folded, log_of


def clusters_of(frame: pd.DataFrame, **settings: object) -> set[frozenset[str]]:
    """Give the groups of two and more accounts."""
    profiles = folded(frame)
    numbers = find_clusters(find_links(profiles.trimmed()), len(profiles), LinkageSettings(**settings))
    assert numbers.shape == (len(profiles),)
    groups = pd.Series(profiles.account_ids).groupby(numbers).agg(frozenset)
    return {group for group in groups if len(group) > 1}


def names(prefix: str, n: int) -> list[str]:
    """Number accounts."""
    return [f"{prefix}{i}" for i in range(n)]


def test_a_shared_payment_ties() -> None:
    """Two accounts on one card are one, a third on its own card is not."""
    log = log_of([1, 2, 3], account_id=["a", "b", "c"], payment_id=["p", "p", "q"])
    assert clusters_of(log) == {frozenset("ab")}


def test_payments_chain() -> None:
    """a and b share one card, b and c another: all three are one."""
    log = log_of([1, 2, 3, 4], account_id=["a", "b", "b", "c"], payment_id=["p", "p", "q", "q"])
    assert clusters_of(log) == {frozenset("abc")}


def test_a_shared_organisation_ties() -> None:
    """An organisation is an instrument too."""
    assert clusters_of(log_of([1, 2], account_id=["a", "b"], org_id="o")) == {frozenset("ab")}


def test_strangers_behind_one_carrier_stay_strangers() -> None:
    """Forty customers of one carrier share its network and nothing else."""
    accounts = names("a", 40)
    log = log_of(list(range(80)), account_id=accounts * 2, ip=["100.64.0.7"] * 40 + [f"10.{i}.0.1" for i in range(40)])
    assert clusters_of(log) == set()


def test_an_office_is_one_cluster() -> None:
    """Ten colleagues on one address and one payment, in a log with others."""
    office, others = names("o", 10), names("x", 10)
    log = log_of(
        list(range(20)),
        account_id=office + others,
        ip=["192.0.2.7"] * 10 + [f"10.0.{i}.1" for i in range(10)],
        payment_id=["office card"] * 10 + names("card", 10),
    )
    assert clusters_of(log) == {frozenset(office)}


def fleet_log(seed: int, *, n_people: int = 120) -> pd.DataFrame:
    """Draw a fleet of 24 on 4 cards and 6 exits among people who each go to some of the town's cafes."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(24):
        rows += [(f"fleet{i}", f"card{i % 4}", f"203.0.{e}.{i + 1}") for e in rng.permutation(6)[:5]]
    for i in range(n_people):
        cafes = rng.choice(n_people, size=4, replace=False)
        rows += [(f"person{i}", f"own{i}", f"10.{cafe // 250}.{cafe % 250}.1") for cafe in cafes]
    frame = pd.DataFrame(rows, columns=["account_id", "payment_id", "ip"])
    return log_of(list(range(len(frame))), **{name: frame[name].tolist() for name in frame})


@pytest.mark.parametrize("seed", range(5))
def test_a_fleet_is_one_cluster(seed: int) -> None:
    """Few cards and several exits bring a fleet together, and none of the people with it."""
    assert clusters_of(fleet_log(seed)) == {frozenset(names("fleet", 24))}


@pytest.mark.parametrize(("n_shared", "are_tied"), [(2, False), (3, True)])
def test_two_shared_networks_never_tie(n_shared: int, are_tied: bool) -> None:
    """Three who share two rare networks in a large town are strangers, who share three are not by chance."""
    town = fleet_log(2, n_people=600).drop(columns="payment_id").query("account_id.str.startswith('person')")
    three = log_of(
        list(range(3 * n_shared)),
        account_id=names("friend", 3) * n_shared,
        ip=[f"192.168.{place}.1" for place in range(n_shared) for _ in range(3)],
    )
    log = log_of(
        list(range(len(town) + len(three))),
        account_id=[*town.account_id, *three.account_id],
        ip=[*town.ip, *three.ip],
    )
    assert clusters_of(log) == ({frozenset(names("friend", 3))} if are_tied else set())


def test_what_too_many_share_ties_nobody() -> None:
    """A card of five accounts ties up to a limit of five, and nobody at a limit of four."""
    log = log_of(list(range(5)), account_id=names("a", 5), payment_id="reseller")
    assert clusters_of(log, max_accounts=5) == {frozenset(names("a", 5))}
    assert clusters_of(log, max_accounts=4) == set()


def test_linkage_can_be_off() -> None:
    """Switched off, every account is alone in its own cluster."""
    profiles = folded(fleet_log(0))
    numbers = find_clusters(find_links(profiles.trimmed()), len(profiles), LinkageSettings(enabled=False))
    assert numbers.tolist() == list(range(len(profiles)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_accounts_does_not_matter(seed: int) -> None:
    """A shuffled log has the same clusters."""
    log = fleet_log(1, n_people=30)
    assert clusters_of(log.sample(frac=1, random_state=seed, ignore_index=True)) == clusters_of(log)


def test_cluster_numbers_do_not_depend_on_order() -> None:
    """Groups of equal size keep their places among one another when the log is shuffled, so that names are stable."""
    log = log_of(list(range(12)), account_id=names("a", 12), payment_id=[f"p{i % 6}" for i in range(12)])
    orders = set()
    for seed in range(6):
        profiles = folded(log.sample(frac=1, random_state=seed, ignore_index=True))
        numbers = find_clusters(find_links(profiles.trimmed()), len(profiles), LinkageSettings())
        orders.add(tuple(pd.Series(numbers, profiles.account_ids).sort_index()))
    assert len(orders) == 1


def test_clusters_are_numbered_without_holes() -> None:
    """Numbers run from 0 to n - 1, each at least once, as pooling needs it."""
    profiles = folded(draw_log(people=10, fleet=6))
    numbers = find_clusters(find_links(profiles.trimmed()), len(profiles), LinkageSettings())
    assert set(numbers.tolist()) == set(range(numbers.max() + 1))
    assert numbers.max() + 1 < len(profiles)


def camouflaged(log: pd.DataFrame, fleet: list[str], addresses: list[str]) -> pd.DataFrame:
    """Let every account of a fleet use some more addresses, one request each."""
    more = [(account, f"card{i % 4}", ip) for i, account in enumerate(fleet) for ip in addresses]
    rows = pd.concat(
        [log[["account_id", "payment_id", "ip"]], pd.DataFrame(more, columns=["account_id", "payment_id", "ip"])]
    )
    return log_of(list(range(len(rows))), **{name: rows[name].tolist() for name in rows})


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 20), st.booleans())
def test_camouflage_neither_splits_nor_merges(seed: int, n_carriers: int, is_at_office: bool) -> None:
    """A fleet that also uses what all the town uses, and the address of an office, stays one and takes nobody along."""
    town, fleet, office = fleet_log(seed), names("fleet", 24), names("desk", 12)
    rng = np.random.default_rng(seed)
    carriers = [f"100.64.{c}.1" for c in range(20)]
    people = town.account_id[town.account_id.str.startswith("person")].unique()
    rows = [(person, f"own{person[6:]}", c) for person in people for c in rng.choice(carriers, 3, replace=False)]
    rows += [(account, "office card", "192.0.2.1") for account in office]
    log = pd.concat([town, pd.DataFrame(rows, columns=["account_id", "payment_id", "ip"])])
    extra = carriers[:n_carriers] + ["192.0.2.1"] * is_at_office
    assert clusters_of(camouflaged(log, fleet, extra)) == {frozenset(fleet), frozenset(office)}


def test_chance_counts_what_nobody_shares() -> None:
    """Sixty accounts on five of a dozen exits each, most of what is shared in a town of people at home, are a fleet."""
    rng = np.random.default_rng(4)
    rows = [(f"f{i}", f"203.0.{e}.{i + 1}") for i in range(60) for e in rng.permutation(12)[:5]]
    rows += [(f"p{i}", f"10.{i // 100}.{2 * (i % 100) + k}.1") for i in range(1200) for k in (0, 1)]
    frame = pd.DataFrame(rows, columns=["account_id", "ip"])
    log = log_of(list(range(len(frame))), account_id=frame.account_id.tolist(), ip=frame.ip.tolist())
    assert clusters_of(log) == {frozenset(names("f", 60))}
