"""How long each stage of a run took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds that each stage took."""

    timings_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        began = time.perf_counter()
        yield
        self.timings_s[name] = round(time.perf_counter() - began, 3)
