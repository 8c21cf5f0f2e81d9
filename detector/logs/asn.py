"""Network operators of addresses, from a database that the user supplies. Only their numbers (ASN) are read.

The database is in the MaxMind DB format; its reader is an optional library. Countries and places in it are never read.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.errors import AsnDatabaseError

#: Where databases hold the number: MaxMind and DB-IP, IPinfo.
_FIELDS = ("autonomous_system_number", "asn")
#: A number has 32 bits (RFC 6793); 0 names nobody (RFC 7607).
_MOST = 2**32 - 1
_INSTALL = "--asn needs the library maxminddb, which is not here; install stillwatch[asn]"


class AsnDatabase:
    """A database of networks and their operators, opened; to be closed.

    Parameters
    ----------
    path: of a file in the MaxMind DB format, such as GeoLite2-ASN.mmdb.

    Raises
    ------
    AsnDatabaseError
        The reader is not installed, or the file is missing, damaged, or tells no operators.

    References
    ----------
    "MaxMind DB file format specification", version 2.0.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            import maxminddb
        except ImportError:
            raise AsnDatabaseError(f"{path}: {_INSTALL}") from None
        try:
            # The reader in Python: a damaged file can at worst raise there, also where it was not foreseen.
            self._reader = maxminddb.open_database(str(path), maxminddb.MODE_MEMORY)
            _, first = next(iter(self._reader))
        except Exception as error:
            raise self._refusal(error) from error
        if not isinstance(first, dict) or not any(name in first for name in _FIELDS):
            self.close()
            raise AsnDatabaseError(
                f"{path}: tells no operators (neither {' nor '.join(_FIELDS)} is in its first record); give one of "
                "ASNs, such as GeoLite2-ASN.mmdb"
            )

    def __enter__(self) -> "AsnDatabase":
        """Close the database at the end of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._reader.close()

    def look_up(self, addresses: Sequence[str]) -> npt.NDArray[np.int64]:
        """Give the operator of each address, 0 where none is known or it is no address; shape (n,).

        Parameters
        ----------
        addresses: each is looked up once, so they should be distinct.

        Raises
        ------
        AsnDatabaseError
            The database is damaged where an address leads.
        """
        return np.fromiter((self._number(address) for address in addresses), np.int64, len(addresses))

    def record(self) -> dict[str, Any]:
        """Say which database this is: plain JSON values."""
        digest = hashlib.sha256(self._path.read_bytes()).hexdigest()
        return {"file": str(self._path), "sha256": digest}

    def _number(self, text: str) -> int:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return 0
        if address.version > self._reader.metadata().ip_version and address.version == 6:
            return 0
        try:
            found = self._reader.get(address)
        except Exception as error:
            raise self._refusal(error) from error
        return _asn(found)

    def _refusal(self, error: BaseException) -> AsnDatabaseError:
        reason = getattr(error, "strerror", None) or "it is damaged, or not in the MaxMind DB format"
        return AsnDatabaseError(f"{self._path}: cannot be read ({reason}); download it again, or leave out --asn")


def _asn(found: Any) -> int:
    """Read a number out of a record; IPinfo writes it as AS64500."""
    given = next((found[name] for name in _FIELDS if name in found), 0) if isinstance(found, dict) else 0
    if isinstance(given, str):
        digits = given.upper().removeprefix("AS")
        given = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= len(str(_MOST)) else 0
    return given if type(given) is int and 0 < given <= _MOST else 0
