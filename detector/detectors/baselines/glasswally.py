"""Glasswally's published rules, so far as a usage log can feed them.

A worker adds points for the rules that hold; its score counts with weight w and confidence c as w * points * (.4 + .6
c), and a cluster of five adds .08. From .35 an account is throttled, from .55 reviewed, from .72 suspended; the score
here is that sum less .72, so what lies above 0 would be suspended. Points are no log-odds.

What runs: `velocity` (weight .10), `fingerprint` (.14) of which rotation and sharing of TLS fingerprints, `hydra`
(.08) of which size, payments and networks, `timing_cluster` (.07) of which regular gaps, `role_preamble` (.06) of
which reuse and collision, and the addition for clusters. With all of these at full strength the sum is .36: the rules
that a log can feed throttle at most.

What is missing, because the log cannot say or the list is one of phrases: script fingerprints and header order (.14),
phrase lists for chains of thought (.09), 24 hand-written archetypes (.08), card number prefixes, hosting networks
(.07), accounts in the same second (.07), archetype phrases, HTTP/2 settings (.06), pivots to another model (.05),
prompt habits (.05), sessions (.04), invisible marks (.04), sweeps of the token limit (.03), refusal phrases (.02),
topic chains (.02). Left out on principle: points for a country (x 1.30, + .10). One more rule differs: its `velocity`
looks at each hour, here at the busiest stretch of the profile's timeline, at gaps on a half-octave scale, and at the
whole life.

References
----------
Glasswally, github.com/m0rs3c0d3/Glasswally (MIT, 2026-03): weights, points and thresholds of its workers and its
fusion.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from detector.detectors.base import Values, Verdict, within_log_reference
from detector.features.catalogue import FEATURES
from detector.features.extras import Extra, States
from detector.features.registry import ratio
from detector.profiles.rhythm import GAP_PLACES, HOURS_OF_WEEK, timeline_shift
from detector.profiles.sampling import TOKEN_PLACES
from detector.profiles.sketches import FREE, count_sampled
from detector.profiles.slices import half_octave_floor
from detector.profiles.store import sampled

WEIGHTS = {"velocity": 0.10, "fingerprint": 0.14, "hydra": 0.08, "timing_cluster": 0.07, "role_preamble": 0.06}
SUSPEND = 0.72
#: Added for a cluster of at least so many accounts.
CLUSTER_POINTS, CLUSTER_ACCOUNTS = 0.08, 5
#: Below so many requests velocity says nothing, below so many accounts hydra does.
_LEAST_REQUESTS, _LEAST_MEMBERS = 5, 3
#: Requests from which a worker is sure.
_SURE = {"velocity": 50, "fingerprint": 20, "hydra": 100}
#: Night is from midnight to six, UTC.
_NIGHT_HOURS = 6


def _variation(counts: Any, places: int) -> Values:
    """Give the coefficient of variation of a half-octave histogram, each count at the middle of its place."""
    middle = half_octave_floor(places) * np.sqrt(np.sqrt(2.0))
    n = counts.sum(axis=1)
    mean, square = ratio(counts @ middle, n), ratio(counts @ middle**2, n)
    return np.where(n >= _LEAST_REQUESTS - 1, np.sqrt(np.maximum(square - mean**2, 0)) / mean, np.nan)


def _requests(states: States, everyone: States) -> Values:
    return np.asarray(states["volume"].n_requests, np.float64)


def _peak_rate(states: States, everyone: States) -> Values:
    rhythm = states["rhythm"]
    shift = np.vectorize(timeline_shift, otypes=[np.float64])(rhythm.first_hour, rhythm.last_hour)
    return ratio(rhythm.timeline.max(axis=1), 2.0**shift)


def _gap_variation(states: States, everyone: States) -> Values:
    return _variation(states["rhythm"].gaps, GAP_PLACES)


def _token_variation(states: States, everyone: States) -> Values:
    return _variation(states["sampling"].inputs, TOKEN_PLACES)


def _night_share(states: States, everyone: States) -> Values:
    by_hour = states["rhythm"].hours.reshape(-1, HOURS_OF_WEEK // 24, 24).sum(axis=1)
    return ratio(by_hour[:, :_NIGHT_HOURS].sum(axis=1), by_hour.sum(axis=1))


def _system_reuse(states: States, everyone: States) -> Values:
    _, counts = sampled(states["text"], "system")
    n = states["text"].n_with_system
    return np.where(n >= _LEAST_REQUESTS, ratio(counts.max(axis=1), n), np.nan)


def _tls_kinds(states: States, everyone: States) -> Values:
    hashes, _ = sampled(states["clients"], "tls_fingerprint")
    found = count_sampled(hashes)
    return np.where(found > 0, found, np.nan)


def _sharing(slice_: str, sample: str) -> Any:
    def compute(states: States, everyone: States) -> Values:
        """Count the accounts that share the most shared thing of a profile; NaN where it has none."""
        hashes, _ = sampled(states[slice_], sample)
        things, accounts = np.unique(sampled(everyone[slice_], sample)[0], return_counts=True)
        place = np.minimum(np.searchsorted(things, hashes), len(things) - 1)
        shared = np.where((hashes != FREE) & (things[place] == hashes), accounts[place], 0).max(axis=1)
        return np.where((hashes != FREE).any(axis=1), shared, np.nan)

    return compute


_ROW, _TLS, _SYSTEM = ("occurred_at",), ("tls_fingerprint",), ("system_prompt",)
EXTRAS = (
    Extra("requests", "rate", "requests", 0, _ROW, (), "requests", _requests),
    Extra("peak_rate", "rate", "requests/h", 1, _ROW, (), "requests an hour in its busiest stretch", _peak_rate),
    Extra("gap_variation", "rate", "", 1, _ROW, (), "coefficient of variation of its gaps", _gap_variation),
    Extra("token_variation", "rate", "", 1, ("input_tokens",), (), "the same of question tokens", _token_variation),
    Extra("night_share", "rate", "", 1, _ROW, (), "share of requests from midnight to six, UTC", _night_share),
    Extra("tls_kinds", "network", "", 2, _TLS, (), "distinct TLS fingerprints", _tls_kinds),
    Extra(
        "tls_sharing", "network", "accounts", 2, _TLS, (), "accounts with its most common TLS fingerprint",
        _sharing("clients", "tls_fingerprint"),
    ),
    Extra("system_reuse", "content", "", 3, _SYSTEM, (), "share of its commonest system prompt", _system_reuse),
    Extra(
        "system_sharing", "content", "accounts", 3, _SYSTEM, (), "accounts with a system prompt of its",
        _sharing("text", "system"),
    ),
)  # fmt: skip
_FAMILIES = {extra.name: extra.family for extra in EXTRAS} | {
    name: FEATURES[name].family for name in ("cluster_size", "payments", "networks")
}


def _steps(x: Values, *steps: tuple[float, float]) -> Values:
    """Give the points of the highest bound that x reaches; steps are (bound, points), highest first; 0 where absent."""
    return np.select([x >= bound for bound, _ in steps], [points for _, points in steps], 0.0)


def _confidence(requests: Values, enough: float) -> Values:
    return np.nan_to_num(np.minimum(requests / enough, 1.0))


def _points(x: dict[str, Values]) -> dict[str, Values]:
    """Give what each signal adds to the sum, weighed; shape (n,) each."""
    members, above = 2 ** x["cluster_size"], np.nextafter
    sure = {worker: _confidence(x["requests"], enough) for worker, enough in _SURE.items()}
    # These two damp their own points by confidence before the fusion does.
    velocity = WEIGHTS["velocity"] * (0.4 + 0.6 * sure["velocity"]) * (0.5 + 0.5 * sure["velocity"])
    velocity = np.where(x["requests"] >= _LEAST_REQUESTS, velocity, 0.0)
    fingerprint = WEIGHTS["fingerprint"] * (0.4 + 0.6 * sure["fingerprint"]) ** 2
    hydra = np.where(members >= _LEAST_MEMBERS, WEIGHTS["hydra"] * (0.4 + 0.6 * sure["hydra"]), 0.0)
    reuse, collision = (
        _steps(x["system_reuse"], (0.80, 0.35), (0.60, 0.20)),
        _steps(x["system_sharing"], (10, 0.50), (5, 0.35), (3, 0.18)),
    )
    preamble = WEIGHTS["role_preamble"] * (0.4 + 0.6 * np.where(collision > 0, 0.90, 0.75))
    regularity = 1.0 - x["gap_variation"]
    timing = WEIGHTS["timing_cluster"] * np.where(x["gap_variation"] < 0.15, 0.20, 0.0)
    return {
        "peak_rate": velocity * _steps(x["peak_rate"], (above(200, 201), 0.45), (above(60, 61), 0.25)),
        "gap_variation": velocity * _steps(regularity, (above(0.7, 1), 0.30), (above(0.5, 1), 0.15)) + timing,
        "token_variation": velocity * np.where(x["token_variation"] < 0.15, 0.15, 0.0),
        "night_share": velocity * _steps(x["night_share"], (above(0.5, 1), 0.10)),
        "tls_kinds": fingerprint * _steps(x["tls_kinds"], (3, 0.20)),
        "tls_sharing": fingerprint * _steps(x["tls_sharing"], (10, 0.15)),
        "cluster_size": hydra * 0.40 * np.nan_to_num(np.minimum(members / 25, 1.0))
        + _steps(members, (CLUSTER_ACCOUNTS, CLUSTER_POINTS)),
        "payments": hydra * np.nan_to_num(np.minimum(0.07 * 2 ** x["payments"], 0.35)),
        "networks": hydra * np.nan_to_num(np.minimum(0.03 * 2 ** x["networks"], 0.15)),
        "system_reuse": preamble * reuse,
        "system_sharing": preamble * collision,
    }


@dataclass(frozen=True)
class Glasswally:
    """Weighted points of the rules that hold; every rule is a contribution, and no family can reach support."""

    name: str = "glasswally"
    extras: tuple[Extra, ...] = EXTRAS

    def judge(self, features: pd.DataFrame, level: int) -> Verdict:
        """Score profiles; see `base.Detector`. A rule whose signal is absent adds nothing."""
        signals = {
            name: features[name].to_numpy(np.float64) if name in features else np.full(len(features), np.nan)
            for name in _FAMILIES
        }
        with np.errstate(invalid="ignore"):
            points = pd.DataFrame(_points(signals), index=features.index)
        families = {name: _FAMILIES[name] for name in points}
        verdict = Verdict(-SUSPEND, points, families)
        return Verdict(-SUSPEND, points, families, within_log_reference(verdict.scores))
