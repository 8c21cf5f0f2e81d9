"""Network: addresses, clients, models; how a cluster spreads over them."""

from typing import Any

import numpy as np

from detector.features.registry import Feature, Values, ratio
from detector.profiles.moments import N_COUNTS, RESOLUTIONS
from detector.profiles.sketches import count_sampled
from detector.profiles.store import sampled

#: Added above and below, so that a few chance meetings are no lock-step (chosen).
_FEW_MEETINGS = 4.0


def _distinct(name: str) -> Any:
    def compute(states: dict[str, Any]) -> Values:
        hashes, _ = sampled(states["clients"], name)
        found = count_sampled(hashes)
        return np.where(found > 0, np.log2(np.maximum(found, 1)), np.nan)

    return compute


def _per_account(name: str) -> Any:
    def compute(states: dict[str, Any]) -> Values:
        hashes, _ = sampled(states["clients"], name)
        found = count_sampled(hashes)
        return np.where(found > 0, np.log2(np.maximum(ratio(found, states["membership"].n_accounts), 1e-3)), np.nan)

    return compute


def _top_share(name: str) -> Any:
    def compute(states: dict[str, Any]) -> Values:
        _, counts = sampled(states["clients"], name)
        return ratio(
            counts.max(axis=1), np.where(counts.min(axis=1) > 0, states["volume"].n_requests, counts.sum(axis=1))
        )

    return compute


def _cluster_size(states: dict[str, Any]) -> Values:
    return np.log2(np.maximum(states["membership"].n_accounts, 1))


def _lock_step(states: dict[str, Any]) -> Values:
    counts = states["moments"].together.astype(np.float64).reshape(-1, len(RESOLUTIONS), N_COUNTS)
    excess = np.log2((counts[:, :, 0] + _FEW_MEETINGS) / (counts[:, :, 1:].max(axis=2) + _FEW_MEETINGS))
    return np.where(states["membership"].n_accounts > 1, excess.max(axis=1), np.nan)


_IP = ("ip",)
FEATURES = (
    Feature("networks", "network", "log2", 1, 2, _IP, "distinct networks (IPv4 /24, IPv6 /64)", _distinct("network")),
    Feature(
        "networks_per_account",
        "network",
        "log2",
        0,
        2,
        _IP,
        "distinct networks per account of the cluster",
        _per_account("network"),
    ),
    Feature(
        "network_top_share",
        "network",
        "",
        0,
        2,
        _IP,
        "share of requests from its busiest network",
        _top_share("network"),
    ),
    Feature("addresses", "network", "log2", 1, 2, _IP, "distinct addresses", _distinct("ip")),
    Feature("clients", "network", "log2", 0, 2, ("user_agent",), "distinct client programs", _distinct("user_agent")),
    Feature(
        "clients_per_account",
        "network",
        "log2",
        0,
        2,
        ("user_agent",),
        "distinct client programs per account of the cluster",
        _per_account("user_agent"),
    ),
    Feature(
        "model_top_share",
        "network",
        "",
        0,
        1,
        ("model",),
        "share of requests to its favourite model",
        _top_share("model"),
    ),
    Feature(
        "lock_step",
        "network",
        "log2",
        1,
        1,
        ("occurred_at",),
        "how much more often members act in the same second, minute or hour than at the same times a day apart",
        _lock_step,
    ),
    Feature("cluster_size", "network", "log2 accounts", 1, 2, (), "accounts tied together", _cluster_size),
)
