"""How many accounts a profile stands for, and when they signed up."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.profiles.batch import Batch
from detector.profiles.slices import Field, Slice, state_type

_DAY_US = 86_400e6


def _prepare(batch: Batch) -> Sequence[Any]:
    return ()


def _fold(state: Any, account: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> None:
    state.n_accounts[account[rows]] = 1


def add_sign_ups(state: Any, numbers: npt.NDArray[np.int64], created_at: pa.ChunkedArray) -> None:
    """Add sign-up instants of accounts, one each; null ones are passed over.

    Sums are in days since 1970, so that a spread of hours survives in double precision.
    """
    days = created_at.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pandas().to_numpy(np.float64) / _DAY_US
    for number, day in zip(numbers[~np.isnan(days)], days[~np.isnan(days)], strict=True):
        if not state.n_signed_up[number]:
            state.n_signed_up[number] = 1
            state.sign_up_sum[number] = day
            state.sign_up_square[number] = day * day


def stitch(state: Any, starts: npt.NDArray[np.int64], out: Any, is_same_actor: bool) -> None:
    """Join pieces: an account stays one account, members of a cluster add up."""
    join = np.maximum if is_same_actor else np.add
    for source, target in zip(state, out, strict=True):
        target[:] = join.reduceat(source, starts[:-1])


_FIELDS = (
    Field("n_accounts", np.int64, merge="own"),
    Field("n_signed_up", np.int64, merge="own"),
    Field("sign_up_sum", np.float64, merge="own"),
    Field("sign_up_square", np.float64, merge="own"),
)
MembershipState = state_type("MembershipState", __name__, _FIELDS)
SLICE = Slice(
    name="membership",
    fields=_FIELDS,
    state_type=MembershipState,
    needs=("account_id",),
    prepare=_prepare,
    kernel=_fold,
    stitch=stitch,
)
