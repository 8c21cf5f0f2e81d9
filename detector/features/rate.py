"""Rate: how much, how regularly, at which hours, against which limits."""

from typing import Any

import numpy as np

from detector.features.registry import Feature, Values, histogram_quantile, log_spread, ratio
from detector.profiles.rhythm import GAP_PLACES, HOURS_OF_WEEK, timeline_length
from detector.profiles.slices import half_octave_floor

_DAY_US = 86_400e6
_MIN_PAIRS = 8
#: Counts whose buckets begin at fewer hours of the day are of more than six hours each: they tell no hour.
_MIN_BEGINNINGS = 4
_GAP_FLOORS_S = half_octave_floor(GAP_PLACES) / 1000.0
_ONE_SECOND = int(np.searchsorted(_GAP_FLOORS_S, 1.0))
_HALF_HOUR = int(np.searchsorted(_GAP_FLOORS_S, 1448.0))


def _span_days(states: dict[str, Any]) -> Values:
    volume = states["volume"]
    return np.maximum((volume.last_at - volume.first_at) / _DAY_US, 1.0)


def _requests_per_day(states: dict[str, Any]) -> Values:
    return np.log10(ratio(states["volume"].n_requests, _span_days(states)))


def _quiet_share(states: dict[str, Any]) -> Values:
    by_hour = states["rhythm"].hours.reshape(-1, 7, 24).sum(axis=1).astype(np.float64)
    wrapped = np.concatenate([by_hour, by_hour[:, :5]], axis=1).cumsum(axis=1)
    six = wrapped[:, 5:] - np.concatenate([np.zeros((len(by_hour), 1)), wrapped[:, :-6]], axis=1)
    n = by_hour.sum(axis=1)
    tells_hours = states["rhythm"].gaps.any() or by_hour.any(axis=0).sum() >= _MIN_BEGINNINGS
    return np.where(tells_hours & (n >= 24), ratio(six.min(axis=1), n), np.nan)


def _weekend_share(states: dict[str, Any]) -> Values:
    hours = states["rhythm"].hours
    n = hours.sum(axis=1)
    return np.where(n >= 24, ratio(hours[:, HOURS_OF_WEEK * 5 // 7 :].sum(axis=1), n), np.nan)


def _regular_share(states: dict[str, Any]) -> Values:
    rhythm = states["rhythm"]
    return np.where(rhythm.n_pairs >= _MIN_PAIRS, ratio(rhythm.n_regular, rhythm.n_pairs), np.nan)


def _fast_share(states: dict[str, Any]) -> Values:
    gaps = states["rhythm"].gaps
    return ratio(gaps[:, :_ONE_SECOND].sum(axis=1), gaps.sum(axis=1))


def _pause_share(states: dict[str, Any]) -> Values:
    gaps = states["rhythm"].gaps
    return ratio(gaps[:, _HALF_HOUR:].sum(axis=1), gaps.sum(axis=1))


def _median_gap(states: dict[str, Any]) -> Values:
    return np.log10(histogram_quantile(states["rhythm"].gaps, _GAP_FLOORS_S, 0.5) + 1e-3)


def _gap_spread(states: dict[str, Any]) -> Values:
    return log_spread(states["rhythm"].gaps)


def _longest_quiet(states: dict[str, Any]) -> Values:
    rhythm = states["rhythm"]
    return np.where(rhythm.n_pairs > 0, ratio(rhythm.longest_gap, _span_days(states) * _DAY_US), np.nan)


def _busiest_share(states: dict[str, Any]) -> Values:
    timeline = states["rhythm"].timeline
    n = timeline.sum(axis=1)
    return np.where(n >= 24, ratio(timeline.max(axis=1), n), np.nan)


def _active_share(states: dict[str, Any]) -> Values:
    rhythm = states["rhythm"]
    used = (rhythm.timeline > 0).sum(axis=1)
    n = rhythm.timeline.sum(axis=1)
    could = np.minimum(n, timeline_length(rhythm.first_hour, rhythm.last_hour))
    return np.where(n >= 24, ratio(used, could), np.nan)


_ROW = ("occurred_at",)
FEATURES = (
    Feature(
        "requests_per_day", "rate", "log10 requests/day", 1, 0, _ROW, "requests a day over its life", _requests_per_day
    ),
    Feature(
        "quiet_share",
        "rate",
        "",
        0,
        0,
        _ROW,
        "share of requests in its quietest six hours of the day; flat is .25",
        _quiet_share,
    ),
    Feature("weekend_share", "rate", "", 0, 0, _ROW, "share of requests on Saturday and Sunday, UTC", _weekend_share),
    Feature(
        "regular_share",
        "rate",
        "",
        1,
        1,
        _ROW,
        "share of neighbouring gaps of nearly equal length; chance is .25",
        _regular_share,
    ),
    Feature("fast_share", "rate", "", 0, 1, _ROW, "share of requests within a second of the one before", _fast_share),
    Feature("pause_share", "rate", "", 0, 1, _ROW, "share of requests after a pause of half an hour", _pause_share),
    Feature("median_gap", "rate", "log10 s", 0, 1, _ROW, "median time between requests", _median_gap),
    Feature("gap_spread", "rate", "octaves", 0, 1, _ROW, "spread of the time between requests", _gap_spread),
    Feature("longest_quiet", "rate", "", 0, 1, _ROW, "longest silence as a share of its life", _longest_quiet),
    Feature(
        "busiest_share", "rate", "", 0, 0, _ROW, "share of requests in its busiest stretch of time", _busiest_share
    ),
    Feature(
        "active_share",
        "rate",
        "",
        0,
        0,
        _ROW,
        "share of the stretches of its life with requests",
        _active_share,
    ),
)
