"""A CSV log of as many rows as wanted, and what tests of the reader take."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from detector.engines.embedded import Log

Opener = Callable[..., Log]
Drain = Callable[..., pa.Table]
Writer = Callable[..., Path]

HEAD = b"occurred_at,account_id,prompt,output_tokens\n"
DAY = "2026-03-02T00:00:{:02d}Z"


def body(n: int, start: int = 0) -> bytes:
    """Records without a header, one a second."""
    times = (f"2026-03-02T{i // 3600:02d}:{i // 60 % 60:02d}:{i % 60:02d}Z" for i in range(start, n))
    return b"".join(f"{moment},a{i},p{i},{i}\n".encode() for i, moment in enumerate(times, start))
