"""Link many accounts in one process, and print the seconds, the links, and the memory in GiB before and at the peak.

    python tests/benchmarks/linkage_scale.py [ACCOUNTS] [THREADS]

Each account holds some ten things that others hold: networks, system prompts and openings, of which a few are had by
thousands; one account in five is of a team of four that pays together. Fleets of fifty share networks, styles, days of
sign-up and, every tenth fleet, seconds.
"""

import resource
import sys
import time
from types import SimpleNamespace as State
from typing import Any

import numpy as np

from detector.linkage.clusters import link_accounts
from detector.linkage.resemblance import measure, resembles
from detector.profiles.moments import MOMENTS
from detector.profiles.sketches import FREE
from detector.settings import LinkageSettings

#: Kind of thing: slice, places of its sample as a profile has them, how many an account has, mean popularity.
THINGS = {
    "network": ("clients", 32, 7, 6.0),
    "system": ("text", 8, 2, 12.0),
    "template": ("text", 16, 1, 12.0),
    "payment_id": ("clients", 8, 1, 1.0),
    "org_id": ("clients", 4, 1, 1.0),
}
#: Accounts of a team, and the share of accounts that are of one.
TEAM, P_TEAM = 4, 0.2
DIMENSIONS, FLEETS, MEMBERS, DAY_US = 160, 200, 50, 86_400_000_000
GIB = 2**20


class Held:
    """What linkage reads of profiles, and no more: at this size whole profiles are a matter of their own."""

    def __init__(self, states: dict[str, Any], n: int) -> None:
        self.states, self.n = states, n

    def trimmed(self) -> dict[str, Any]:
        """Give the states."""
        return self.states

    def __len__(self) -> int:
        """Count the accounts."""
        return self.n


def sample(draw: np.random.Generator, n: int, fleet: np.ndarray, place: int, kind: str) -> dict[str, np.ndarray]:
    """Fill one bottom-k sample of every account."""
    _, places, held, popularity = THINGS[kind]
    n_things = int(n * held / popularity)
    # A thing's number by a power of a uniform draw: a few are had by thousands, most by one or two.
    number = (draw.random((n, held)) ** 1.5 * n_things).astype(np.uint64)
    if popularity == 1.0:
        in_team = np.arange(n) < P_TEAM * n
        number = np.where(in_team, np.arange(n) // TEAM, np.arange(n)).astype(np.uint64)[:, None]
    if kind == "network":
        exits = np.repeat(np.arange(FLEETS), MEMBERS)[:, None] * 20 + draw.integers(0, 20, (FLEETS * MEMBERS, held))
        number[fleet.ravel()] = n_things + exits
    hashes = np.full((n, places), FREE, np.uint64)
    hashes[:, :held] = np.sort(number * np.uint64(2654435761) + np.uint64(place << 56), axis=1)
    hashes[:, 1:held][hashes[:, 1:held] == hashes[:, : held - 1]] = FREE
    counts = np.zeros((n, places), np.uint32)
    counts[:, :held] = 10
    return {f"{kind}_hash": hashes, f"{kind}_count": counts}


def moments(draw: np.random.Generator, n: int, fleet: np.ndarray) -> np.ndarray:
    """Fill the sampled seconds of every account over two weeks; a tenth of the fleets keep one timetable."""
    packed = np.empty((n, MOMENTS), np.uint32)
    for part in np.array_split(np.arange(n), 16):
        shape = (len(part), MOMENTS)
        place, day = draw.integers(0, 22, shape) << 4 | draw.integers(0, 10, shape), draw.integers(0, 14, shape)
        packed[part] = np.sort((place << 14 | day) << 6 | draw.integers(0, 60, shape), axis=1)
    for members in fleet[:: FLEETS // 20]:
        packed[members] = packed[members[0]]
    return packed


def population(n: int) -> tuple[Held, np.ndarray]:
    """Make what linkage reads of n accounts, and their styles."""
    draw = np.random.default_rng(1)
    fleet = draw.permutation(n)[: FLEETS * MEMBERS].reshape(FLEETS, MEMBERS)
    held: dict[str, dict[str, Any]] = {"clients": {}, "text": {"n_prompts": np.full(n, 12, np.uint32)}}
    for place, kind in enumerate(THINGS):
        held[THINGS[kind][0]] |= sample(draw, n, fleet, place, kind)
    style, days = draw.standard_normal((n, DIMENSIONS), np.float32), draw.uniform(0, 1000, n)
    for members in fleet:
        style[members] = draw.normal(size=DIMENSIONS) + 0.5 * draw.normal(size=(MEMBERS, DIMENSIONS))
        days[members] = draw.uniform(0, 990) + draw.exponential(2.5, MEMBERS)
    member = State(n_accounts=np.ones(n, np.int64), n_signed_up=np.ones(n, np.int64), sign_up_sum=days)
    states = {name: State(**fields) for name, fields in held.items()}
    states["membership"] = member
    states["volume"] = State(n_requests=np.full(n, 50), first_at=(days * DAY_US).astype(np.int64))
    states["moments"] = State(moments=moments(draw, n, fleet))
    return Held(states, n), style


def memory() -> float:
    """Give the most memory that this process had so far [GiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB


def main(n: int, threads: int) -> None:
    """Measure once."""
    profiles, style = population(n)
    before, began, worked = memory(), time.perf_counter(), time.process_time()
    links, cluster, _ = link_accounts(profiles, style, LinkageSettings(), threads=threads)  # type: ignore[arg-type]
    is_stranger = np.bincount(cluster)[cluster] == 1
    yardstick = measure(style, cluster, is_stranger=is_stranger, speaks=~is_stranger)
    alike = resembles(yardstick, style, cluster, is_stranger=is_stranger, speaks=~is_stranger)
    wall, cpu = time.perf_counter() - began, time.process_time() - worked
    n_clusters = int((np.bincount(cluster) > 1).sum())
    print(f"{n} accounts, {len(links)} links, {n_clusters} clusters, {int(alike.sum())} members ask like theirs")
    print(f"{wall:.1f} s ({cpu:.1f} s of processor), {before:.2f} GiB held, {memory():.2f} GiB at the peak")


if __name__ == "__main__":
    main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2)
