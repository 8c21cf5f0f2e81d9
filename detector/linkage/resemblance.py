"""Does an account ask like its cluster? Cards and addresses can be forged onto a victim; how it asks cannot.

What tells a cluster's asking from that of strangers is Fisher's linear discriminant: the direction that parts the mean
of an account's mates from the mean of strangers, in the spread that both have. A member lies further along it than all
but one stranger in a hundred; a victim, whom nobody chose for how it asks, does so with that chance. And it is nearer
to its mates, in that spread, than all but one stranger in twenty: far along the way and far off it is someone else.

Only mates that speak for the cluster by their own behaviour are heard, of the spread as of the mean. Else victims that
ask like each other, such as the keys of one framed customer, would be what a part of the cluster asks.

References
----------
Fisher, "The use of multiple measurements in taxonomic problems" (Annals of Eugenics 1936).
Friedman, "Regularized discriminant analysis" (1989): the spread of strangers.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import pinvh

from detector.linkage.siblings import Reals

#: Chance at which a stranger may ask as much like the mates as a member does (chosen: a log's strangers hold members
#: that nothing tied, and those of half a hundredth would shut the others out; of honest accounts with 50 requests held
#: against fleets of nine replays 2 of 28,000 were then near as well and had behaviour of their own for it).
_P_STRANGER = 1e-2
#: Chance at which one may be as near to the mates (chosen, and mild: what a small account asks scatters).
_P_NEAR = 0.05
#: Strangers, spread evenly over the log's, that are looked at: every other one shapes the spread, the rest are held
#: against a member, so that none is both. And rows held at once: bounds of the work.
_STRANGERS = 4096
#: Below so many strangers nobody is told from them (chosen: half are held against a member, and one is a hundredth).
_LEAST_STRANGERS = 400
_BLOCK = 512
Flags = npt.NDArray[np.bool_]
#: Share of the mean variance in each direction that is mixed into the covariance of strangers (chosen: a tenth keeps
#: directions in which hardly anyone differs from deciding alone; Friedman 1989, "Regularized discriminant analysis").
_SHRUNK = 0.1
Numbers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Yardstick:
    """Strangers of a log, and the spread in which what asks alike is told from them.

    Attributes
    ----------
    centre: mean style of strangers, shape (n_dimensions,).
    unspread: inverse of the spread, shape (n_dimensions, n_dimensions).
    held: styles that members are held against, shape (n_held, n_dimensions).
    held_lengths: `lengths` of these, shape (n_held,).
    """

    centre: Doubles
    unspread: Doubles
    held: Doubles
    held_lengths: Doubles

    def like(self, means: Doubles) -> "Likeness":
        """Give what asking like each mean takes; shape of means (n, n_dimensions)."""
        direction, pull = (means - self.centre) @ self.unspread, means @ self.unspread
        further = _edge(-(direction @ self.held.T), _P_STRANGER)
        nearer = _edge(self.held_lengths - 2 * pull @ self.held.T, _P_NEAR)
        return Likeness(direction, -further, pull, nearer)

    def lengths(self, styles: Doubles) -> Doubles:
        """Give squares of lengths in this spread; shape (n,)."""
        return _lengths(styles, self.unspread)


@dataclass(frozen=True)
class Likeness:
    """What asking like something takes.

    Attributes
    ----------
    direction: from strangers to it, shape (n, n_dimensions).
    least: how far along the direction one must lie, shape (n,).
    pull: it, in the spread, shape (n, n_dimensions).
    most: square of the distance below which one is near, less the square of its own length, shape (n,).
    """

    direction: Doubles
    least: Doubles
    pull: Doubles
    most: Doubles


def _lengths(styles: Doubles, unspread: Doubles) -> Doubles:
    return np.asarray(((styles @ unspread) * styles).sum(axis=1))


def _edge(values: Doubles, p: float) -> Doubles:
    """Give the value below which a row has values of strangers by chance at most p; shape (n_rows,)."""
    n_below = int(p * (values.shape[1] + 1)) - 1
    return np.asarray(np.partition(values, n_below, axis=1)[:, n_below])


def measure(style: Reals, cluster: Numbers, *, is_stranger: Flags, speaks: Flags) -> Yardstick | None:
    """Measure what tells askers from strangers.

    Parameters
    ----------
    style: of `siblings.styles`, shape (n_accounts, n_dimensions).
    cluster: cluster number of each account, shape (n_accounts,).
    is_stranger: accounts that nothing is held against, shape (n_accounts,).
    speaks: accounts whose own behaviour speaks for what their cluster is suspected of, shape (n_accounts,).

    Returns
    -------
    None where nobody can be told from strangers: below 400 of them, without style, and where no two suspects of a
    cluster speak.
    """
    members, strangers = np.flatnonzero(~is_stranger & speaks), np.flatnonzero(is_stranger)
    if len(strangers) < _LEAST_STRANGERS or not style.shape[1]:
        return None
    seen = style[strangers[np.unique(np.linspace(0, len(strangers) - 1, _STRANGERS).astype(np.int64))]]
    shaping, held = seen[::2].astype(np.float64), seen[1::2].astype(np.float64)
    mates, n = _mates(style, cluster, members, speaks)
    members, mates, n = members[n > 0], mates[n > 0], n[n > 0]
    if not len(members):
        return None
    unspread = pinvh(_spread(shaping, style[members] - mates, n + 1))
    return Yardstick(shaping.mean(axis=0), unspread, held, _lengths(held, unspread))


def resembles(
    yardstick: Yardstick | None, style: Reals, cluster: Numbers, *, is_stranger: Flags, speaks: Flags
) -> Flags:
    """Tell which accounts ask like the others of their cluster; who is alone, or a stranger, is not told so.

    Parameters
    ----------
    yardstick: of `measure` on the same accounts.
    style, cluster, is_stranger, speaks: see `measure`.

    Returns
    -------
    Shape (n_accounts,).
    """
    alike = np.zeros(len(cluster), dtype=bool)
    if yardstick is None:
        return alike
    members = np.flatnonzero(~is_stranger)
    mates, n = _mates(style, cluster, members, speaks)
    members, mates = members[n > 0], mates[n > 0]
    for rows in np.array_split(np.arange(len(members)), len(members) // _BLOCK + 1):
        asks, like = style[members[rows]].astype(np.float64), yardstick.like(mates[rows])
        is_far = (like.direction * asks).sum(axis=1) > like.least
        alike[members[rows]] = is_far & (yardstick.lengths(asks) - 2 * (like.pull * asks).sum(axis=1) < like.most)
    return alike


def _mates(style: Reals, cluster: Numbers, members: Numbers, speaks: Flags) -> tuple[Doubles, Numbers]:
    """Give the mean style of the others of each member's cluster who speak for it, and how many these are."""
    heard = np.flatnonzero(np.isin(cluster, cluster[members]) & speaks)
    names, place = np.unique(cluster[members], return_inverse=True)
    total, n = np.zeros((len(names), style.shape[1])), np.zeros(len(names), np.int64)
    of = np.searchsorted(names, cluster[heard])
    np.add.at(total, of, style[heard])
    np.add.at(n, of, 1)
    itself = speaks[members].astype(np.int64)
    n_mates = n[place] - itself
    return (total[place] - itself[:, None] * style[members]) / np.maximum(n_mates, 1)[:, None], n_mates


def _spread(shaping: Doubles, apart: Doubles, size: Numbers) -> Doubles:
    """Give the mean of the covariance of strangers and that of members about their clusters.

    A member of n lies n / (n - 1) times further from its mates' mean than from that of all n, which in turn shrinks the
    square by (n - 1) / n: so the square from the mates' mean times (n - 1) / n is without bias.
    """
    sampled = np.atleast_2d(np.cov(shaping, rowvar=False, bias=True))
    of_strangers = (1 - _SHRUNK) * sampled + _SHRUNK * np.trace(sampled) / len(sampled) * np.eye(len(sampled))
    of_members = (apart * ((size - 1) / size)[:, None]).T @ apart / len(apart)
    return np.asarray((of_strangers + of_members) / 2)
