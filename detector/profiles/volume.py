"""How much: requests, outcomes, tokens, cost, first and last instant."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numba import njit

from detector.profiles.batch import NULL_INT, Batch
from detector.profiles.slices import Field, Slice, counter, state_type

_REFUSING = ("content_filter", "refusal")
#: Money is summed in whole units of a thousandth of a millionth of a dollar: such sums do not depend on their order, as
#: sums of fractions do in their last digits. Chosen: 9 billion dollars an account fit.
NANO_USD = 10**-9
#: What a request may cost at most [USD]; more is a fault of the log, and would overflow the sum. Chosen.
_MOST_USD = 1e4


def _refused(batch: Batch) -> Any:
    mask = np.zeros(batch.events.num_rows, np.uint8)
    if batch.has("refusal_category"):
        mask |= pc.is_valid(batch.events.column("refusal_category")).to_numpy(zero_copy_only=False)
    if batch.has("finish_reason"):
        for reason in _REFUSING:
            named = pc.equal(batch.events.column("finish_reason"), reason).fill_null(False)
            mask |= named.to_numpy(zero_copy_only=False)
    return mask


def _nano_usd(usd: Any) -> Any:
    """Give costs in whole `NANO_USD`, 0 where there is none; shape (n,)."""
    return np.rint(np.nan_to_num(usd).clip(-_MOST_USD, _MOST_USD) / NANO_USD).astype(np.int64)


def _prepare(batch: Batch) -> Sequence[Any]:
    return (
        batch.times,
        batch.weights,
        _refused(batch),
        batch.integers("input_tokens"),
        batch.integers("output_tokens"),
        _nano_usd(batch.floats("cost_usd")),
    )


@njit(cache=True, nogil=True)
def _fold(
    state: Any,
    account: Any,
    rows: Any,
    times: Any,
    weights: Any,
    refused: Any,
    asked: Any,
    answered: Any,
    cost: Any,
) -> None:
    # Taken apart once, as in `profiles.text`.
    (
        n_requests,
        first_at,
        last_at,
        n_refused,
        n_with_input,
        input_tokens,
        n_with_output,
        output_tokens,
        cost_nano_usd,
    ) = state
    for i in rows:
        a = account[i]
        n_requests[a] += weights[i]
        first_at[a] = min(first_at[a], times[i])
        last_at[a] = max(last_at[a], times[i])
        n_refused[a] += refused[i] * weights[i]
        if asked[i] != NULL_INT:
            n_with_input[a] += weights[i]
            input_tokens[a] += asked[i]
        if answered[i] != NULL_INT:
            n_with_output[a] += weights[i]
            output_tokens[a] += answered[i]
        cost_nano_usd[a] += cost[i]


_FIELDS = (
    counter("n_requests"),
    Field("first_at", np.int64, merge="min", fill=np.iinfo(np.int64).max),
    Field("last_at", np.int64, merge="max", fill=np.iinfo(np.int64).min),
    counter("n_refused"),
    counter("n_with_input"),
    counter("input_tokens"),
    counter("n_with_output"),
    counter("output_tokens"),
    counter("cost_nano_usd"),
)
VolumeState = state_type("VolumeState", __name__, _FIELDS)
SLICE = Slice(
    name="volume",
    fields=_FIELDS,
    state_type=VolumeState,
    needs=("occurred_at",),
    prepare=_prepare,
    kernel=_fold,
)
