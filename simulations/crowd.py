"""Who acts, when, and what a request holds: the values that actors and the world hand each other. No behaviour here."""

from dataclasses import dataclass, field, replace

import numpy as np

from simulations.streams import Counts, Flags, Keys, Reals, Streams

DAY_S = 86_400.0
#: Ordinals below this are first tries; a later try of a request has a multiple of it added.
FIRST_TRIES = 1 << 24

#: Names the draw of the person for whom an account sends a request.
END_USER = "customer"


@dataclass(frozen=True)
class Horizon:
    """The stretch of time that a log covers."""

    begins_s: float
    """Unix time of the first instant [s]."""
    days: float
    release_s: float = float("inf")
    """When a new model comes out, since the log began [s]; infinite is never."""

    @property
    def length_s(self) -> float:
        """Length of the log [s]."""
        return self.days * DAY_S


@dataclass(frozen=True)
class Crowd:
    """The accounts of one cohort, or some of them; each is known by a key of 64 bits."""

    name: str
    keys: Keys
    group: Keys
    """Shape (1,): the key that all members share, for what they decide together."""
    streams: Streams
    horizon: Horizon
    first: int = 0
    """Place of the first of these accounts in its cohort."""
    begins_s: Reals = field(default_factory=lambda: np.empty(0))
    """When each account can first send a request, since the log began [s]; empty is at once."""
    ends_s: Reals = field(default_factory=lambda: np.empty(0))
    """When each account is gone, since the log began [s]; empty is never."""
    schedules: Keys = field(default_factory=lambda: np.empty(0, np.uint64))
    """Key of the timetable that an account may follow; empty is one for all."""

    def __post_init__(self) -> None:
        """Spell out what was left empty."""
        n = len(self.keys)
        for name, value in (("begins_s", 0.0), ("ends_s", self.horizon.length_s), ("schedules", self.group[0])):
            if len(getattr(self, name)) != n:
                object.__setattr__(self, name, np.full(n, value))

    def __len__(self) -> int:
        """Count the accounts."""
        return len(self.keys)

    @property
    def positions(self) -> Counts:
        """Place of each account in its cohort, from 0."""
        return self.first + np.arange(len(self.keys), dtype=np.int64)

    def part(self, begin: int, end: int) -> "Crowd":
        """Keep some consecutive accounts."""
        some = slice(begin, end)
        return replace(
            self,
            keys=self.keys[some],
            first=self.first + begin,
            begins_s=self.begins_s[some],
            ends_s=self.ends_s[some],
            schedules=self.schedules[some],
        )


@dataclass(frozen=True)
class Visits:
    """Requests of a crowd, one per row and before any text."""

    member: Counts
    """Row of the account in its crowd."""
    ordinal: Counts
    """Number of the request within its account, below `FIRST_TRIES`: with the account's key, the key of its draws."""
    at_us: Counts
    """Time since the log began [us]."""
    session: Counts
    """Number of the conversation within its account; equal to `ordinal` where there are none."""
    turn: Counts
    """Requests before this one in its conversation."""

    def __len__(self) -> int:
        """Count the requests."""
        return len(self.member)

    def take(self, rows: Counts | Flags) -> "Visits":
        """Keep some rows."""
        return Visits(self.member[rows], self.ordinal[rows], self.at_us[rows], self.session[rows], self.turn[rows])


@dataclass(frozen=True)
class Asked:
    """What is asked in a set of visits: a kind of text, whose it is, and which of theirs."""

    kind: Counts
    """Place in `simulations.traffic.kinds.KINDS`."""
    owner: Keys
    """Key of the prompt set; equal owners, items and kinds ask the same."""
    item: Counts
