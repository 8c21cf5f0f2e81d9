"""Findings as they are told: whatever instant a watch was killed at, each is there once."""

from pathlib import Path

import pytest

from detector.errors import FindingsChangedError
from detector.watching.told import Told

_FIRST, _LAST = b'{"account_id": "a"}\n', b'{"account_id": "b"}\n{"account_id": "c"}\n'


def _left(tmp_path: Path) -> Told:
    """A watch whose first finding is told, and whose last ones are committed."""
    told = Told(tmp_path / "findings.jsonl")
    told.append(_FIRST)
    return Told(told.path, {}, told.n_bytes, told.sha256)


def test_what_was_cut_off_is_completed_from_any_byte(tmp_path: Path) -> None:
    """Nothing of the last lines, a part, or all."""
    for n in range(len(_LAST) + 1):
        told = _left(tmp_path)
        told.path.write_bytes(_FIRST + _LAST[:n])
        told.go_on(_LAST)
        assert told.path.read_bytes() == _FIRST + _LAST
        told.append(b"more\n")
        again = Told(told.path, {}, told.n_bytes, told.sha256)
        again.go_on(b"")
        assert again.path.read_bytes() == _FIRST + _LAST + b"more\n"
        told.path.unlink()


@pytest.mark.parametrize("held", [b"", _FIRST[:-1], _LAST, _FIRST + b"x", _FIRST + _LAST + b"x"])
def test_a_file_that_is_not_as_it_was_left_is_refused(tmp_path: Path, held: bytes) -> None:
    """Emptied, cut, exchanged, or written to by somebody else."""
    told = _left(tmp_path)
    told.path.write_bytes(held)
    with pytest.raises(FindingsChangedError, match=r"findings\.jsonl: is not as the watch left it"):
        told.go_on(_LAST)
    assert told.path.read_bytes() == held
