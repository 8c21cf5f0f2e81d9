"""A small writer of the MaxMind DB format, version 2.0: what its reader reads, and what is damaged on purpose."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Stands before the metadata, by the specification.
MARKER = b"\xab\xcd\xefMaxMind.com"


def encoded(value: Any) -> bytes:
    """Write a text, a number below 2**32, a list or a map, each of fewer than 29 things or bytes."""
    if isinstance(value, str):
        return bytes([2 << 5 | len(value.encode())]) + value.encode()
    if isinstance(value, int):
        digits = value.to_bytes(4, "big").lstrip(b"\0")
        return bytes([6 << 5 | len(digits)]) + digits
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(encoded, value))
    return bytes([7 << 5 | len(value)]) + b"".join(encoded(k) + encoded(v) for k, v in value.items())


def write_mmdb(path: Path, networks: Mapping[str, Any], *, ip_version: int = 6) -> Path:
    """Write a database; networks as `192.0.2.0/24`, those of version 4 below ::/96."""
    nodes: list[list[int | None]] = [[None, None]]
    data, leaves = b"", []
    for text, record in networks.items():
        network = ipaddress.ip_network(text)
        lead = 96 if ip_version == 6 and network.version == 4 else 0
        bits = f"{int(network.network_address):0{128 if network.version == 6 else 32}b}"[: network.prefixlen]
        *steps, last = [0] * lead + [int(bit) for bit in bits]
        node = 0
        for step in steps:
            if nodes[node][step] is None:
                nodes[node][step] = len(nodes)
                nodes.append([None, None])
            node = nodes[node][step] or 0
        leaves.append((node, last, len(data)))
        data += encoded(record)
    n = len(nodes)
    for node, side, place in leaves:
        nodes[node][side] = n + 16 + place
    tree = b"".join((n if side is None else side).to_bytes(4, "big") for node in nodes for side in node)
    metadata = {
        "node_count": n, "record_size": 32, "ip_version": ip_version, "database_type": "Test", "languages": ["en"],
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1,
        "description": {"en": "t"},
    }  # fmt: skip
    path.write_bytes(tree + bytes(16) + data + MARKER + encoded(metadata))
    return path
