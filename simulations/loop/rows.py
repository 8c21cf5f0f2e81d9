"""Requests of a step as rows of the log: read in order, written beside one another, answered as a defence lets them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.columns import LEAN, Scene
from simulations.loop.keys import REFUSED, SERVED, THROTTLED, UNSENT, Outcomes
from simulations.spill import RECORD, Records, joined

#: HTTP status of what a defence does not serve.
STATUS = {THROTTLED: 429, REFUSED: 403}
_ANSWERED = ("output_tokens", "finish_reason", "refusal_category", "latency_ms", "cost_usd")


@dataclass
class Cursor:
    """Reads requests in order up to an instant."""

    chunks: Iterator[Records]
    rest: Records = field(default_factory=lambda: np.empty(0, RECORD))

    def until(self, end_us: int) -> Records:
        """Give the requests before an instant that were not given yet."""
        parts = []
        while True:
            cut = int(np.searchsorted(self.rest["at_us"], end_us))
            parts.append(self.rest[:cut])
            if cut < len(self.rest):
                self.rest = self.rest[cut:]
                break
            following = next(self.chunks, None)
            if following is None:
                self.rest = self.rest[cut:]
                break
            self.rest = following
        return joined([np.ascontiguousarray(part) for part in parts])


def copied(scene: Scene) -> Scene:
    """Keep a scene whose accounts do not change."""
    return replace(scene, population=replace(scene.population, traits=scene.population.traits.copy()))


def pieces(records: Records, n_rows: int) -> Iterator[Records]:
    """Cut requests into pieces of so many, the last of which may be shorter."""
    for begin in range(0, len(records), n_rows):
        yield records[begin : begin + n_rows]


def enforced(events: pa.Table, outcome: Outcomes) -> pa.Table:
    """Leave out what was not sent, and take the answers from what was not served."""
    if (outcome == SERVED).all():
        return events
    sent = outcome != UNSENT
    events, outcome = events.filter(pa.array(sent)), outcome[sent]
    denied = pa.array(outcome != SERVED)
    if not pc.any(denied).as_py():
        return events
    status = np.select([outcome == kind for kind in STATUS], list(STATUS.values()), events["status_code"].to_numpy())
    for name in _ANSWERED:
        place = LEAN.get_field_index(name)
        kept = pc.if_else(denied, pa.scalar(None, LEAN.field(place).type), events[name])
        events = events.set_column(place, LEAN.field(place), kept)
    place = LEAN.get_field_index("status_code")
    return events.set_column(place, LEAN.field(place), pa.array(status).cast(LEAN.field(place).type))
