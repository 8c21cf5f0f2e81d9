"""What accounts share: payment, organisation, network, system prompt, dominant opening. Read off their profiles.

Ties by what accounts do, not by what they hold, become links too: to the community that they make.

The samples of two accounts keep the same hashes, so what they share is found by grouping hashes, without the log.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.profiles.sketches import FREE

#: Kind of link -> slice and sample that hold it.
HELD: dict[str, tuple[str, str]] = {
    "payment": ("clients", "payment_id"),
    "organisation": ("clients", "org_id"),
    "network": ("clients", "network"),
    "system_prompt": ("text", "system"),
    "template": ("text", "template"),
}
#: All kinds; the thing of the last is a community of `link_communities`.
KINDS = (*HELD, "sign_up", "lock_step")
#: Kinds that tie two accounts by themselves: an instrument that someone must own.
STRONG = ("payment", "organisation")
#: An opening is an account's template when at least this share of its prompts has it.
DOMINANT = 0.5
#: Bits of a community's number that tell it from others of its day.
_PLACE_BITS = 32
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Links:
    """Account-thing pairs of things that at least two accounts have.

    Attributes
    ----------
    kind: index into `KINDS`, shape (n_links,).
    thing: hash, shape (n_links,).
    account: number of the account, shape (n_links,).
    n_events: requests of the account with this thing, shape (n_links,).
    n_accounts: accounts that have the thing, shape (n_links,).
    n_unshared: things that each account has and no other, instruments apart, shape (n_accounts,).
    """

    kind: npt.NDArray[np.int64]
    thing: npt.NDArray[np.uint64]
    account: npt.NDArray[np.int64]
    n_events: npt.NDArray[np.int64]
    n_accounts: npt.NDArray[np.int64]
    n_unshared: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Count the links."""
        return len(self.thing)

    def where(self, keep: npt.NDArray[np.bool_]) -> "Links":
        """Give the links that a mask of shape (n_links,) keeps."""
        kind, thing, account = self.kind[keep], self.thing[keep], self.account[keep]
        return Links(kind, thing, account, self.n_events[keep], self.n_accounts[keep], self.n_unshared)

    def is_strong(self) -> npt.NDArray[np.bool_]:
        """Mark the links to things that tie by themselves; shape (n_links,)."""
        strong: npt.NDArray[np.bool_] = np.isin(self.kind, [KINDS.index(k) for k in STRONG])
        return strong


def held(states: dict[str, Any], kind: str) -> tuple[Any, Any, Any]:
    """Give who holds what of a kind of `HELD`: accounts, things and requests, row by row."""
    piece, name = HELD[kind]
    if piece not in states:
        return np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.int64)
    hashes, counts = getattr(states[piece], f"{name}_hash"), getattr(states[piece], f"{name}_count")
    used = hashes != FREE
    if kind == "template":
        used &= counts >= DOMINANT * np.maximum(states["text"].n_prompts, 1)[:, None]
    account, place = np.nonzero(used)
    return account, hashes[account, place], counts[account, place].astype(np.int64)


def find_links(states: dict[str, Any]) -> Links:
    """Find what accounts share.

    Parameters
    ----------
    states: of `Profiles.trimmed`; slices that the log does not fill give no links.

    Returns
    -------
    Links ordered by kind and thing.
    """
    found = [(k, *held(states, kind)) for k, kind in enumerate(HELD)]
    kind = np.concatenate([np.full(len(account), k) for k, account, _, _ in found])
    account = np.concatenate([a for _, a, _, _ in found])
    thing = np.concatenate([t for _, _, t, _ in found])
    n_events = np.concatenate([n for _, _, _, n in found])
    order = np.lexsort((account, thing, kind))
    kind, account, thing, n_events = kind[order], account[order], thing[order], n_events[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (thing[1:] != thing[:-1]) | (kind[1:] != kind[:-1])
    group = np.cumsum(is_new) - 1
    n_accounts = np.bincount(group, minlength=1)[group] if len(group) else group
    links = Links(kind, thing, account, n_events, n_accounts, np.zeros(len(states["membership"].n_accounts), np.int64))
    unshared = links.where((n_accounts == 1) & ~links.is_strong())
    np.add.at(links.n_unshared, unshared.account, 1)
    return links.where(n_accounts > 1)


def link_communities(
    links: Links, kind: str, community: npt.NDArray[np.int64], days: npt.NDArray[np.float64], n_events: Numbers
) -> Links:
    """Add a link from each member of a community to it.

    Parameters
    ----------
    kind: one of `KINDS` that is not in `HELD`.
    community: number of the community of each account, shape (n_accounts,); one of a single account is none.
    days: what names a community is the median of these, in days since 1970; shape (n_accounts,).
    n_events: requests of each account, shape (n_accounts,).
    """
    size = np.bincount(community, minlength=1)
    member = np.flatnonzero(size[community] > 1)
    names, number = np.unique(community[member], return_inverse=True)
    middle = pd.Series(days[member]).groupby(number).median().fillna(0).to_numpy()
    thing = np.array([community_thing(day, place) for place, day in enumerate(middle)], dtype=np.uint64)
    order = np.lexsort((member, thing[number])) if len(names) else member
    return Links(
        np.concatenate([links.kind, np.full(len(member), KINDS.index(kind))]),
        np.concatenate([links.thing, thing[number][order]]),
        np.concatenate([links.account, member[order]]),
        np.concatenate([links.n_events, n_events[member][order]]),
        np.concatenate([links.n_accounts, size[community[member]][order]]),
        links.n_unshared,
    )


def community_thing(day: float, place: int) -> int:
    """Number a community by its day and its place among those of its kind."""
    return (int(day) << _PLACE_BITS) | place


def community_name(thing: int) -> str:
    """Name a community of `community_thing`.

    Examples
    --------
    >>> community_name(community_thing(20_500.5, 1))
    '2026-02-16 no. 2'
    """
    day = np.datetime64(thing >> _PLACE_BITS, "D")
    return f"{day} no. {(thing & (2**_PLACE_BITS - 1)) + 1}"
