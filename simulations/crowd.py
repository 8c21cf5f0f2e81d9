"""Who acts, when, and what a request holds: the values that actors and the world hand each other. No behaviour here."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulations.streams import Counts, Flags, Keys, Reals, Streams

DAY_S = 86_400.0


@dataclass(frozen=True)
class Horizon:
    """The stretch of time that a log covers."""

    begins_s: float
    """Unix time of the first instant [s]."""
    days: float

    @property
    def length_s(self) -> float:
        """Length of the log [s]."""
        return self.days * DAY_S


@dataclass(frozen=True)
class Crowd:
    """The accounts of one cohort, each known by a key of 64 bits."""

    name: str
    keys: Keys
    group: Keys
    """Shape (1,): the key that all members share, for what they decide together."""
    streams: Streams
    horizon: Horizon

    def __len__(self) -> int:
        """Count the accounts."""
        return len(self.keys)

    @property
    def positions(self) -> Counts:
        """Place of each account in its cohort, from 0."""
        return np.arange(len(self.keys), dtype=np.int64)


@dataclass(frozen=True)
class Visits:
    """Requests of a crowd, one per row and before any text; sorted by member, then time."""

    member: Counts
    """Place of the account in its crowd."""
    ordinal: Counts
    """Number of the request within its account: with the account's key, the key of all its draws."""
    at_s: Reals
    """Time since the log began [s]."""
    session: Counts
    """Number of the conversation within its account; equal to `ordinal` where there are none."""
    turn: Counts
    """Requests before this one in its conversation."""

    def __len__(self) -> int:
        """Count the requests."""
        return len(self.member)

    def take(self, rows: Counts | Flags) -> "Visits":
        """Keep some rows."""
        return Visits(self.member[rows], self.ordinal[rows], self.at_s[rows], self.session[rows], self.turn[rows])


@dataclass(frozen=True)
class Requests:
    """What was asked in a set of visits, and the length of the answer [tokens] before any limit."""

    prompt: pa.Array
    system_prompt: pa.Array
    answer_tokens: Reals
    history_tokens: Counts
