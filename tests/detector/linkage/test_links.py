"""Links by hand: what two accounts share, read off their profiles."""

import numpy as np

from detector.linkage.links import KINDS, find_links, link_communities
from detector.summaries import link_table
from detector.tables import LINKS
from tests.detector.features.small_logs import draw_log, folded, log_of

SECRET = "the grandmother's secret wording"


def test_a_thing_of_one_account_is_no_link() -> None:
    """Only what at least two accounts have is a link."""
    log = log_of([1, 2, 3], account_id=["a", "b", "c"], payment_id=["p", "p", "own"])
    links = find_links(folded(log).trimmed())
    assert links.account.tolist() == [0, 1]
    assert links.n_accounts.tolist() == [2, 2]
    assert [list(KINDS)[k] for k in links.kind] == ["payment", "payment"]


def test_events_are_counted_per_account_and_thing() -> None:
    """Three requests of one account and one of another on the same card."""
    log = log_of([1, 2, 3, 4], account_id=["a", "a", "a", "b"], payment_id="p")
    assert find_links(folded(log).trimmed()).n_events.tolist() == [3, 1]


def test_columns_that_are_missing_give_no_links() -> None:
    """A log of instants and accounts links nobody, and its table is empty but whole."""
    profiles = folded(log_of([1, 2], account_id=["a", "b"]))
    links = find_links(profiles.trimmed())
    assert len(links) == 0
    assert link_table(links, profiles).schema == LINKS


def test_a_template_must_be_dominant() -> None:
    """An opening in every second prompt links, one in every third does not."""
    often = ["Write an essay on x", f"other words here {0}"] * 3
    seldom = ["Write an essay on x", "one two three", "four five six"] * 2
    log = log_of(list(range(12)), account_id=["a"] * 6 + ["b"] * 6, prompt=[*often, *often])
    assert [list(KINDS)[k] for k in find_links(folded(log).trimmed()).kind] == ["template"] * 4
    log = log.assign(prompt=[*seldom, *seldom])
    assert len(find_links(folded(log).trimmed())) == 0


def test_table_names_things_without_their_text() -> None:
    """Cards by id, networks by prefix; system prompts and templates by fingerprint, never by their words."""
    log = log_of(
        [1, 2],
        account_id=["a", "b"],
        payment_id="card-7",
        org_id="org-1",
        ip=["192.0.2.1", "192.0.2.200"],
        system_prompt=SECRET,
        prompt=SECRET,
    )
    profiles = folded(log)
    table = link_table(find_links(profiles.trimmed()), profiles).to_pandas()
    things = table[table.account_id == "a"].set_index("kind").thing
    assert things[["payment", "organisation", "network"]].tolist() == ["card-7", "org-1", "192.0.2.0/24"]
    assert things[["system_prompt", "template"]].str.fullmatch("[0-9a-f]{16}").all()
    assert not table.astype(str).map(lambda cell: "grandmother" in cell).any(axis=None)


def test_ipv6_networks_are_named() -> None:
    """Two addresses of one /64 are one network."""
    profiles = folded(log_of([1, 2], account_id=["a", "b"], ip=["2001:db8::1", "2001:db8::ff"]))
    table = link_table(find_links(profiles.trimmed()), profiles)
    assert table["thing"].to_pylist() == ["2001:db8::/64"] * 2


def test_order_of_accounts_does_not_matter() -> None:
    """The table of a shuffled log is the table of the log."""
    log = draw_log(people=6, fleet=6)
    mixed = log.sample(frac=1, random_state=3, ignore_index=True)
    one, other = (folded(frame) for frame in (log, mixed))
    assert one.account_ids != other.account_ids
    table = link_table(find_links(one.trimmed()), one)
    assert table.num_rows > 0
    assert table == link_table(find_links(other.trimmed()), other)


def test_masks_keep_rows_together() -> None:
    """`where` cuts all columns alike."""
    links = find_links(folded(draw_log(people=2, fleet=4)).trimmed())
    kept = links.where(links.account == links.account.max())
    assert 0 < len(kept) < len(links)
    assert {len(column) for column in (kept.kind, kept.thing, kept.account, kept.n_events, kept.n_accounts)} == {
        len(kept)
    }
    assert np.all(kept.account == links.account.max())


def test_a_community_is_a_thing_that_its_members_share() -> None:
    """Members link to it by its day and place; who is alone in a community has no link."""
    profiles = folded(log_of(list(range(6)), account_id=list("abcdef")))
    n_events = np.arange(6) + 10
    days = np.array([20_500.0, 20_502, 20_500, 7, 20_500, 20_504])
    links = link_communities(find_links(profiles.trimmed()), "sign_up", np.array([4, 1, 4, 9, 4, 1]), days, n_events)
    table = link_table(links, profiles).to_pandas()
    assert table.account_id.tolist() == ["a", "b", "c", "e", "f"]
    assert set(table.kind) == {"sign_up"}
    assert table.thing.tolist() == [f"2026-02-{d} no. {k}" for d, k in ((16, 2), (19, 1), (16, 2), (16, 2), (19, 1))]
    assert table.n_accounts.tolist() == [3, 2, 3, 3, 2]
    assert table.n_events.tolist() == [10, 11, 12, 14, 15]
