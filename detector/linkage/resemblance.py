"""Does an account ask like its cluster? Cards and addresses can be forged onto a victim; how it asks cannot.

A member resembles its cluster when it is nearer in style to the mean of its mates than all but a tenth of all accounts
are: by chance a victim would be, one time in ten.
"""

import numpy as np
import numpy.typing as npt

from detector.linkage.siblings import Reals

#: Share of all accounts that may be as near to the mates as a member is (chosen).
_NEAR = 0.1
#: Accounts, spread evenly over the log's, that a member is held against, and rows held at once: bounds of the work.
_COMPARED = 512
_BLOCK = 4096


def resembles(style: Reals, cluster: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell which accounts ask like the others of their cluster; who is alone does.

    Parameters
    ----------
    style: of `siblings.styles`, shape (n_accounts, n_dimensions).
    cluster: cluster number of each account, shape (n_accounts,).

    Returns
    -------
    Shape (n_accounts,).
    """
    size = np.bincount(cluster, minlength=1)[cluster]
    total = np.zeros((int(cluster.max(initial=0)) + 1, style.shape[1]), np.float64)
    np.add.at(total, cluster, style)
    alike = np.ones(len(cluster), dtype=bool)
    compared = style[np.unique(np.linspace(0, len(style) - 1, min(len(style), _COMPARED)).astype(np.int64))]
    for rows in np.array_split(members := np.flatnonzero(size > 1), len(members) // _BLOCK + 1):
        mates = ((total[cluster[rows]] - style[rows]) / (size[rows] - 1)[:, None]).astype(np.float32)
        others = (compared**2).sum(axis=1) - 2 * mates @ compared.T
        own = (style[rows] ** 2).sum(axis=1) - 2 * (mates * style[rows]).sum(axis=1)
        alike[rows] = (others < own[:, None]).sum(axis=1) < _NEAR * len(compared)
    return alike
