"""How what a process may hold is shared out between the reader, batches and profiles, and when it does not do."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from detector.errors import MemoryLimitError
from detector.settings import InputSettings

#: What libraries hold at the end of a run over a log of 2,000 rows: 365 MB (measured), and some air.
LIBRARIES_BYTES = 400 * 10**6
#: What an account takes until its results are written, beside its profile, which is there twice while profiles grow:
#: 12 kB of 12,000 accounts (measured), and some air.
ACCOUNT_BYTES = 15_000
#: The least limit: libraries, the smallest reader and some thousand accounts.
LEAST_BYTES = 512 * 10**6
#: Shares of what libraries leave (chosen): of the reader, and of batches on their way to the profiles.
_READER, _BATCHES = 3, 4
#: Of what libraries leave, the most that the reader may need (chosen): batches and profiles want the rest.
_MOST_OF_FREE = 0.75
#: What the database needs to read at all (chosen).
_LEAST_READER_BYTES = 64 * 10**6
#: Batches that are there at once: read ahead, folded, and what they were made of.
_BATCHES_AT_ONCE = 5
_LEAST_ROWS = 2048


def bytes_of(memory: str) -> int:
    """Read a size such as 512MB.

    Examples
    --------
    >>> bytes_of("1.5 GB")
    1500000000
    """
    number, unit = memory[:-2], memory[-2:]
    return int(float(number) * {"MB": 10**6, "GB": 10**9}[unit])


@dataclass(frozen=True)
class Budget:
    """What a process may hold.

    Attributes
    ----------
    limit: bytes; None is no limit.
    """

    limit: int | None

    @classmethod
    def of(cls, settings: InputSettings) -> "Budget":
        """Read the settings.

        Raises
        ------
        MemoryLimitError
            The limit is less than what any log takes.
        """
        if settings.process_memory is None:
            return cls(None)
        limit = bytes_of(settings.process_memory)
        if limit < LEAST_BYTES:
            raise MemoryLimitError(
                f"--memory {settings.process_memory}: libraries alone take {_mb(LIBRARIES_BYTES)}; "
                f"give at least {_mb(LEAST_BYTES)}"
            )
        return cls(limit)

    def reader(self, wanted: int, *, least: int = 0) -> int:
        """Give the bytes that the reader may hold, at most those that were asked for.

        Parameters
        ----------
        least: bytes without which the log cannot be read.

        Raises
        ------
        MemoryLimitError
            They do not fit.
        """
        if self.limit is None:
            return wanted
        free = self.limit - LIBRARIES_BYTES
        if least > _MOST_OF_FREE * free:
            needed = LIBRARIES_BYTES + int(least / _MOST_OF_FREE)
            raise MemoryLimitError(
                f"--memory {_mb(self.limit)}: to read this log takes {_mb(least)} beside libraries; "
                f"give --memory {_mb(needed)}, or write Parquet in smaller row groups"
            )
        return min(max(wanted, least), max(_LEAST_READER_BYTES, free // _READER, least))

    def batch_rows(self, wanted: int, row_bytes: float) -> int:
        """Give the rows of a batch, at most those that were asked for.

        Parameters
        ----------
        row_bytes: what a row takes unpacked.
        """
        if self.limit is None:
            return wanted
        room = (self.limit - LIBRARIES_BYTES) / _BATCHES / _BATCHES_AT_ONCE
        return max(_LEAST_ROWS, min(wanted, int(room / max(row_bytes, 1.0))))

    def check(self, n_accounts: int, profile_bytes: int) -> None:
        """Refuse to go on where the profiles of so many accounts will not fit, or the process holds too much already.

        Parameters
        ----------
        profile_bytes: of one account.

        Raises
        ------
        MemoryLimitError
            Its text says how much would do.
        """
        if self.limit is None:
            return
        needed = LIBRARIES_BYTES + n_accounts * (ACCOUNT_BYTES + 2 * profile_bytes)
        if needed > self.limit:
            raise MemoryLimitError(
                f"--memory {_mb(self.limit)}: the log has {n_accounts:,} accounts or more, whose profiles and results "
                f"take {_mb(needed)}; nothing was written; give --memory {_mb(2 * needed)}, or fewer accounts at once"
            )
        if (held := held_bytes()) > self.limit:
            raise MemoryLimitError(
                f"--memory {_mb(self.limit)}: {_mb(held)} are held already; nothing was written; "
                f"give --memory {_mb(2 * held)}, or --threads 1"
            )


def held_bytes() -> int:
    """Give what this process holds in memory; 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _mb(n_bytes: int) -> str:
    return f"{-(-n_bytes // 10**6)}MB"
