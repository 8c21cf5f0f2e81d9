"""From where and with what: addresses, networks, clients, models, endpoints, and the instruments that pay.

A network is an IPv4 /24 or an IPv6 /64, kept as a bijective hash of its number, so that a report can name it.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from detector.profiles.batch import Batch, Strings, to_strings
from detector.profiles.hashing import hash_strings, mix64, unmix64
from detector.profiles.sketches import add_to_sample
from detector.profiles.slices import Field, Slice, sample, state_type

_U = np.uint64
_NO_NETWORK = _U(0)
#: Columns of which each account keeps a sample, and how many values of it.
SAMPLED = {
    "ip": 32,
    "user_agent": 8,
    "model": 8,
    "operation": 8,
    "payment_id": 8,
    "org_id": 4,
    "tls_fingerprint": 8,
    "api_key_id": 8,
    "end_user_id": 32,
}
NETWORKS = 32


@njit(cache=True)
def _ipv4_network(data: Any, begin: Any, end: Any) -> Any:
    """Read a dotted quad; gives the number of its /24, or 0 when the text is none."""
    network = _U(0)
    part = 0
    dots = 0
    digits = 0
    for i in range(begin, end):
        byte = data[i]
        if 48 <= byte <= 57:
            part = part * 10 + (byte - 48)
            digits += 1
            if digits > 3 or part > 255:
                return _NO_NETWORK
        elif byte == 46 and digits > 0 and dots < 3:
            network = (network << _U(8)) | _U(part)
            part = 0
            digits = 0
            dots += 1
        else:
            return _NO_NETWORK
    return network if dots == 3 and digits > 0 else _NO_NETWORK


@njit(cache=True, nogil=True)
def _networks(offsets: Any, data: Any) -> Any:
    out = np.zeros(len(offsets) - 1, np.uint64)
    for i in range(len(out)):
        network = _ipv4_network(data, offsets[i], offsets[i + 1])
        out[i] = mix64(network) if network != _NO_NETWORK else _NO_NETWORK
    return out


def _ipv6_network(text: str | None) -> int:
    try:
        return int(ipaddress.IPv6Address(text or "")) >> 64
    except ValueError:
        return 0


def network_hashes(column: pa.Array, strings: Strings) -> npt.NDArray[np.uint64]:
    """Hash the network of each address; 0 where there is none. Shape (n,)."""
    hashes: npt.NDArray[np.uint64] = _networks(strings.offsets, strings.data)
    unread = np.flatnonzero((hashes == 0) & (strings.valid == 1))
    if len(unread):
        distinct = column.take(pa.array(unread)).dictionary_encode()
        numbers = np.array([_ipv6_network(t) for t in distinct.dictionary.to_pylist()], dtype=np.uint64)
        mixed = np.array([mix64(n) if n else _NO_NETWORK for n in numbers], dtype=np.uint64)
        hashes[unread] = mixed[distinct.indices.to_numpy()]
    return hashes


def network_name(network_hash: int) -> str:
    """Name the network behind a hash of `network_hashes`.

    Examples
    --------
    >>> network_name(int(mix64(np.uint64(0xC0000200 >> 8))))
    '192.0.2.0/24'
    """
    number = unmix64(network_hash)
    if number < 2**24:
        return f"{ipaddress.IPv4Address(number << 8)}/24"
    return f"{ipaddress.IPv6Address(number << 64)}/64"


def _prepare(batch: Batch) -> Sequence[Any]:
    """Give hashes and validity of the columns that are there, and the row of each of all columns in them, or -1."""
    present = [column for column in SAMPLED if batch.has(column)]
    found = [batch.each(column, _hashes) for column in present]
    valid = [batch.valid(column) for column in present]
    place = np.array([present.index(column) if column in present else -1 for column in (*SAMPLED, "ip")])
    if "ip" in present:
        networks = batch.each("ip", _array_networks)
        place[-1] = len(found)
        found.append(networks)
        valid.append((networks != _NO_NETWORK).astype(np.uint8))
    return np.array(found, np.uint64), np.array(valid, np.uint8), place


def _hashes(column: pa.Array) -> npt.NDArray[np.uint64]:
    strings = to_strings(column)
    hashes: npt.NDArray[np.uint64] = hash_strings(strings.offsets, strings.data)
    return hashes


def _array_networks(column: pa.Array) -> npt.NDArray[np.uint64]:
    return network_hashes(column, to_strings(column))


@njit(cache=True)
def _fold_present(place: Any, account: Any, rows: Any, hashes: Any, valid: Any, kept: Any, counts: Any) -> None:
    if place >= 0:
        _fold_column(account, rows, hashes[place], valid[place], kept, counts)


@njit(cache=True)
def _fold_column(account: Any, rows: Any, hashes: Any, valid: Any, kept: Any, counts: Any) -> None:
    """Count values; rows come by account, and most repeat the row before, so runs are added as one."""
    a, run, value = -1, 0, np.uint64(0)
    for i in rows:
        if not valid[i]:
            continue
        if account[i] != a or hashes[i] != value:
            if run:
                add_to_sample(kept[a], counts[a], value, run)
            a, run, value = account[i], 0, hashes[i]
        run += 1
    if run:
        add_to_sample(kept[a], counts[a], value, run)


@njit(cache=True, nogil=True)
def _fold(state: Any, account: Any, rows: Any, hashes: Any, valid: Any, place: Any) -> None:
    _fold_present(place[0], account, rows, hashes, valid, state.ip_hash, state.ip_count)
    _fold_present(place[1], account, rows, hashes, valid, state.user_agent_hash, state.user_agent_count)
    _fold_present(place[2], account, rows, hashes, valid, state.model_hash, state.model_count)
    _fold_present(place[3], account, rows, hashes, valid, state.operation_hash, state.operation_count)
    _fold_present(place[4], account, rows, hashes, valid, state.payment_id_hash, state.payment_id_count)
    _fold_present(place[5], account, rows, hashes, valid, state.org_id_hash, state.org_id_count)
    _fold_present(place[6], account, rows, hashes, valid, state.tls_fingerprint_hash, state.tls_fingerprint_count)
    _fold_present(place[7], account, rows, hashes, valid, state.api_key_id_hash, state.api_key_id_count)
    _fold_present(place[8], account, rows, hashes, valid, state.end_user_id_hash, state.end_user_id_count)
    _fold_present(place[9], account, rows, hashes, valid, state.network_hash, state.network_count)


def add_instruments(state: Any, batch: Batch) -> None:
    """Add payment, organisation and networks of accounts that are known from elsewhere; a row counts once."""
    rows = np.arange(batch.events.num_rows)
    if batch.has("ip"):
        strings = batch.strings("ip")
        hashes = network_hashes(batch.events.column("ip"), strings)
        is_read = (hashes != 0).astype(np.uint8)
        _fold_column(batch.account, rows, hashes, is_read, state.network_hash, state.network_count)
    for column in ("payment_id", "org_id"):
        if batch.has(column):
            strings = batch.strings(column)
            hashes = hash_strings(strings.offsets, strings.data)
            kept, counts = getattr(state, f"{column}_hash"), getattr(state, f"{column}_count")
            _fold_column(batch.account, rows, hashes, strings.valid, kept, counts)


def _fields() -> tuple[Field, ...]:
    named = [field for column, k in SAMPLED.items() for field in sample(column, k)]
    return (*named, *sample("network", NETWORKS))


_FIELDS = _fields()
ClientsState = state_type("ClientsState", __name__, _FIELDS)
SLICE = Slice(
    name="clients",
    fields=_FIELDS,
    state_type=ClientsState,
    needs=tuple(SAMPLED),
    prepare=_prepare,
    kernel=_fold,
)
