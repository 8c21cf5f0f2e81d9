"""How the process of a command works: one thread for linear algebra, and memory that is used again.

To be called before numerical libraries are loaded and threads begun; importing this does neither.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

#: Names of `mallopt` in the C library of GNU/Linux (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: Chosen: above a batch of texts, below the profiles of many accounts, which go back to the system when they grow.
_REUSED_BYTES = 96 << 20
#: Chosen: free memory that is kept at the end of the heap: some batches.
_KEPT_BYTES = 256 << 20
#: What the libraries take before they hold a row, and some room to say so in.
_LEAST_BYTES = 256 << 20


def work_on_one_thread() -> None:
    """Have linear algebra use one thread, unless the user chose.

    Matrices here are small: other threads only waited for work, at full speed, and sums came out differently on
    machines with more processors.
    """
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(variable, "1")


def load_algebra() -> None:
    """Load the libraries for linear algebra, and have each take the memory that it works in.

    Where memory is limited this comes before all else: OpenBLAS asks for its 32 MB without end once it is refused them
    (`blas_memory_alloc` in its driver/others/memory.c).

    Raises
    ------
    MemoryError
        There is too little for the libraries alone.
    """
    import mmap

    try:
        mmap.mmap(-1, _LEAST_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError as error:
        raise MemoryError from error
    import numpy as np
    from scipy.linalg import blas

    square = np.ones((64, 64))
    np.matmul(square, square)
    blas.dgemm(1.0, square, square)


def use_memory_again() -> None:
    """Have batches written where the last ones were, where the system's allocator can be told.

    By itself it gives a batch back to the system and asks for the same anew, which then is cleared page by page.
    """
    with _allocator() as library:
        library.mallopt(_ARENA_MAX, 1)
        library.mallopt(_MMAP_THRESHOLD, _REUSED_BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def give_memory_back() -> None:
    """Return what is free to the system, where its allocator can be told."""
    with _allocator() as library:
        library.malloc_trim(0)


@contextmanager
def _allocator() -> Iterator[Any]:
    """Yield the C library; what it lacks is passed over."""
    with suppress(ImportError, OSError, AttributeError):
        from ctypes import CDLL

        yield CDLL(None)
