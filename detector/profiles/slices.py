"""What a slice of a profile is: named fixed-size fields, how each merges, and the kernel that folds a batch into it."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numba import njit

from detector.profiles.batch import Batch
from detector.profiles.bits import leading_zeros
from detector.profiles.sketches import FREE

Merge = Literal["sum", "min", "max", "sample", "count", "own"]
_U = np.uint64
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Field:
    """One fixed-size field of a slice.

    Attributes
    ----------
    name: of the field.
    dtype: of its numbers.
    width: how many numbers an account has.
    merge: how two profiles' numbers join. ``sample`` is the hashes of a bottom-k sample and its counts, the next
        field, are ``count``; ``own`` is left to the slice's `stitch`.
    fill: what a new account starts with.
    """

    name: str
    dtype: type[np.generic]
    width: int = 1
    merge: Merge = "sum"
    fill: Any = 0

    def new(self, n: int) -> Array:
        """Make the field for n accounts; shape (n,) or (n, width)."""
        return np.full((n, self.width) if self.width > 1 else n, self.fill, dtype=self.dtype)


def counter(name: str, width: int = 1) -> Field:
    """Declare an exact counter."""
    return Field(name, np.int64 if width == 1 else np.uint32, width)


def sample(name: str, k: int) -> tuple[Field, Field]:
    """Declare a bottom-k sample: its hashes and their counts."""
    return Field(f"{name}_hash", np.uint64, k, "sample", FREE), Field(f"{name}_count", np.uint32, k, "count")


@dataclass(frozen=True)
class Slice:
    """A part of the profile with one subject.

    Attributes
    ----------
    name: of the slice.
    fields: its state.
    state_type: named tuple of the fields; importable by name, so that compiled kernels can be cached.
    needs: it is filled when the log has any of these columns.
    prepare: batch to the arrays that the kernel reads, made once per batch.
    kernel: ``kernel(state, account, rows, *prepared)``; folds these rows of the batch, in this order.
    stitch: joins ``own`` fields of pieces of one account that lie together in order of time, or None.
    is_optional: it is kept only when asked for by name, so that it costs nothing otherwise.
    """

    name: str
    fields: tuple[Field, ...]
    state_type: Any
    needs: tuple[str, ...]
    prepare: Callable[[Batch], Sequence[Any]]
    kernel: Callable[..., None]
    stitch: Callable[[Any, Array, Any, bool], None] | None = None
    is_optional: bool = False

    @property
    def account_bytes(self) -> int:
        """Give what one account takes."""
        return sum(np.dtype(f.dtype).itemsize * f.width for f in self.fields)

    def new_state(self, n: int) -> Any:
        """Make the state of n accounts: a named tuple of arrays, one a field."""
        return self.state_type(*(f.new(n) for f in self.fields))


def state_type(name: str, module: str, fields: Sequence[Field]) -> Any:
    """Make the named tuple of a slice's fields; the module must hold it under this name."""
    return namedtuple(name, [f.name for f in fields], module=module)


@njit(cache=True, inline="always")
def half_octave(x: Any, places: Any) -> Any:
    """Place a count on a logarithmic scale: 0 for 0, then two places to each doubling, the last takes all above."""
    if x <= 0:
        return 0
    bits = 63 - np.int64(leading_zeros(_U(x)))
    half = (x >> (bits - 1)) & 1 if bits > 0 else 0
    return min(1 + 2 * bits + half, places - 1)


def half_octave_floor(places: int) -> npt.NDArray[np.float64]:
    """Give the least count that falls into each place of `half_octave`; shape (places,)."""
    place = np.arange(places)
    return np.where(place == 0, 0.0, np.exp2((place - 1) // 2) * np.where((place - 1) % 2 == 1, 1.5, 1.0))
