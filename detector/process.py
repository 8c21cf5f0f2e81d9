"""How the process of a command works: one thread for linear algebra, and memory that is used again.

To be called before numerical libraries are loaded and threads begun; importing this does neither.
"""

import os
import sys
from contextlib import suppress

#: Names of `mallopt` in the C library of GNU/Linux (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: Chosen: above a batch of texts, below the profiles of many accounts, which go back to the system when they grow.
_REUSED_BYTES = 96 << 20
#: Chosen: free memory that is kept at the end of the heap: some batches.
_KEPT_BYTES = 256 << 20


def work_on_one_thread() -> None:
    """Have linear algebra use one thread, unless the user chose.

    Matrices here are small: other threads only waited for work, at full speed, and sums came out differently on
    machines with more processors.
    """
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(variable, "1")


def use_memory_again() -> None:
    """Have batches written where the last ones were, where the system's allocator can be told.

    By itself it gives a batch back to the system and asks for the same anew, which then is cleared page by page.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(ImportError, OSError, AttributeError):
        from ctypes import CDLL

        adjust = CDLL(None).mallopt
        adjust(_ARENA_MAX, 1)
        adjust(_MMAP_THRESHOLD, _REUSED_BYTES)
        adjust(_TRIM_THRESHOLD, _KEPT_BYTES)
