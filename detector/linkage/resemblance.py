"""Does an account ask like its cluster? Cards and addresses can be forged onto a victim; how it asks cannot.

What tells a cluster's asking from that of strangers is Fisher's linear discriminant: the direction that parts the mean
of an account's mates from the mean of strangers, in the spread that both have. A member lies further along it than all
but one stranger in two hundred; a victim, whom nobody chose for how it asks, does so with that chance. And it is nearer
to its mates, in that spread, than all but one stranger in twenty: far along the way and far off it is someone else.

References
----------
Fisher, "The use of multiple measurements in taxonomic problems" (Annals of Eugenics 1936).
Friedman, "Regularized discriminant analysis" (1989): the spread of strangers.
"""

import numpy as np
import numpy.typing as npt
from scipy.linalg import pinvh

from detector.linkage.siblings import Reals

#: Chance at which a stranger may ask as much like the mates as a member does (chosen: a fifth of it is the share of
#: framed accounts that may be revoked, 1 in 1,000, so forged ties must succeed one time in five to matter).
_P_STRANGER = 5e-3
#: Chance at which one may be as near to the mates (chosen, and mild: what a small account asks scatters).
_P_NEAR = 0.05
#: Strangers, spread evenly over the log's, that are looked at: every other one shapes the spread, the rest are held
#: against a member, so that none is both. And rows held at once: bounds of the work.
_STRANGERS = 4096
_BLOCK = 4096
Flags = npt.NDArray[np.bool_]
#: Share of the mean variance in each direction that is mixed into the covariance of strangers (chosen: a tenth keeps
#: directions in which hardly anyone differs from deciding alone; Friedman 1989, "Regularized discriminant analysis").
_SHRUNK = 0.1
Numbers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


def resembles(style: Reals, cluster: Numbers, *, is_stranger: Flags) -> Flags:
    """Tell which accounts ask like the others of their cluster; who is alone, or a stranger, is not told so.

    Parameters
    ----------
    style: of `siblings.styles`, shape (n_accounts, n_dimensions).
    cluster: cluster number of each account, shape (n_accounts,).
    is_stranger: accounts that nothing is held against, shape (n_accounts,); below 400 of them nobody can be told from.

    Returns
    -------
    Shape (n_accounts,).
    """
    alike = np.zeros(len(cluster), dtype=bool)
    size = np.bincount(cluster, minlength=1)[cluster]
    members, strangers = np.flatnonzero((size > 1) & ~is_stranger), np.flatnonzero(is_stranger)
    if not len(members) or len(strangers) < 2 / _P_STRANGER or not style.shape[1]:
        return alike
    seen = style[strangers[np.unique(np.linspace(0, len(strangers) - 1, _STRANGERS).astype(np.int64))]]
    shaping, held = seen[::2].astype(np.float64), seen[1::2].astype(np.float64)
    centre, mates = shaping.mean(axis=0), _mates(style, cluster, members)
    unspread = pinvh(_spread(shaping, style[members] - mates, size[members]))
    lengths = ((held @ unspread) * held).sum(axis=1)
    for rows in np.array_split(np.arange(len(members)), len(members) // _BLOCK + 1):
        direction = (mates[rows] - centre) @ unspread
        asks, mean = style[members[rows]], mates[rows] @ unspread
        further = direction @ held.T >= (direction * asks).sum(axis=1)[:, None]
        # Squared distances to the mates, without their own square, which is common to all.
        off = ((asks @ unspread) * asks).sum(axis=1) - 2 * (mean * asks).sum(axis=1)
        nearer = lengths - 2 * mean @ held.T <= off[:, None]
        alike[members[rows]] = _is_rare(further, _P_STRANGER) & _is_rare(nearer, _P_NEAR)
    return alike


def _is_rare(as_much: Flags, p: float) -> Flags:
    """Tell for which rows strangers are as much so by chance at most p; shape (n_rows,)."""
    is_rare: Flags = (as_much.sum(axis=1) + 1) / (as_much.shape[1] + 1) <= p
    return is_rare


def _mates(style: Reals, cluster: Numbers, members: Numbers) -> Doubles:
    """Give the mean style of the others of each member's cluster; shape (n_members, n_dimensions)."""
    involved = np.flatnonzero(np.isin(cluster, cluster[members]))
    _, place, size = np.unique(cluster[involved], return_inverse=True, return_counts=True)
    total = np.zeros((len(size), style.shape[1]))
    np.add.at(total, place, style[involved])
    own = place[np.searchsorted(involved, members)]
    return np.asarray((total[own] - style[members]) / (size[own] - 1)[:, None])


def _spread(shaping: Doubles, apart: Doubles, size: Numbers) -> Doubles:
    """Give the mean of the covariance of strangers and that of members about their clusters.

    A member of n lies n / (n - 1) times further from its mates' mean than from that of all n, which in turn shrinks the
    square by (n - 1) / n: so the square from the mates' mean times (n - 1) / n is without bias.
    """
    sampled = np.atleast_2d(np.cov(shaping, rowvar=False, bias=True))
    of_strangers = (1 - _SHRUNK) * sampled + _SHRUNK * np.trace(sampled) / len(sampled) * np.eye(len(sampled))
    of_members = (apart * ((size - 1) / size)[:, None]).T @ apart / len(apart)
    return np.asarray((of_strangers + of_members) / 2)
