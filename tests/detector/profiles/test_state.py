"""Kept profiles come back as they were, or not at all."""

import hashlib
import stat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from detector.errors import StateError
from detector.profiles import state
from detector.profiles.state import load, save
from detector.profiles.store import SLICES, Profiles
from tests.detector.worlds import COLUMNS, draw_events

NOTE = {"key": "k", "mark": {"offset": 7}}
#: Of all fields of version 1, by name and type; where it changes, `state.SCHEMA` must name a new version.
LAYOUT = "9a9a0cbb77117174fd8de6097217b8f152de54d315344c0571023ac96346eedb"
#: Written by version 1 from `draw_events(5, n=60)`.
GOLDEN = Path(__file__).with_name("profiles-1.kept")


def _wanted() -> tuple[str, ...]:
    return tuple(s.name for s in SLICES.values() if s.is_optional)


def _folded(*batches: pa.RecordBatch) -> Profiles:
    profiles = Profiles(COLUMNS, wanted=_wanted())
    for batch in batches:
        profiles.fold(batch)
    return profiles


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A file of kept profiles."""
    save(_folded(draw_events(5, n=60)), tmp_path / "kept", note=NOTE)
    return tmp_path / "kept"


def _bytes(profiles: Profiles) -> dict[str, bytes]:
    arrays = profiles.trimmed().items()
    return {f"{n}.{f}": a.tobytes() for n, s in arrays for f, a in zip(s._fields, s, strict=True)}


def _same(one: Profiles, other: Profiles) -> bool:
    plain = ("columns", "wanted", "account_ids", "filled", "names")
    return _bytes(one) == _bytes(other) and all(getattr(one, name) == getattr(other, name) for name in plain)


def test_profiles_come_back_and_go_on(tmp_path: Path) -> None:
    """Kept halfway and folded on, profiles are bit for bit those of a fold that was never cut off."""
    log = draw_events(2)
    save(_folded(log.slice(0, 150)), tmp_path / "kept", note=NOTE)
    back, note = load(tmp_path / "kept")
    back.fold(log.slice(150))
    assert note == NOTE
    assert _same(back, _folded(log.slice(0, 150), log.slice(150)))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_any_number_of_accounts_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    """None, one, or more than are written at once."""
    monkeypatch.setattr(state, "_ROWS", 2)
    profiles = _folded(draw_events(3, n=40, accounts=n)) if n else Profiles(COLUMNS, wanted=_wanted())
    save(profiles, tmp_path / "kept", note={})
    assert _same(load(tmp_path / "kept")[0], profiles)
    assert n == len(profiles)


def test_a_file_is_private_and_alone(kept: Path) -> None:
    """Only the owner reads what is kept, and nothing else lies beside it."""
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [kept] == list(kept.parent.iterdir())


def test_no_prompt_is_kept(tmp_path: Path) -> None:
    """No words of a prompt, a completion or a system prompt are in the file, compressed or not."""
    log = draw_events(4, n=50)
    save(_folded(log), tmp_path / "kept", note={})
    with (tmp_path / "kept").open("rb") as file:
        file.readline()
        texts = [pa.ipc.open_stream(file).read_all(), pa.ipc.open_stream(file).read_all()]
    held = {str(v) for t in texts for c in t.columns if pa.types.is_string(c.type) for v in c.to_pylist()}
    assert held == set(log["account_id"].to_pylist()) | set(log["payment_id"].to_pylist()) | {"payment_id"}


def _damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip a bit, cut the end off, lengthen, exchange two stretches, or blank one."""
    at, other = (int(x) for x in np.sort(rng.choice(len(data) - 64, 2, replace=False)))
    kind = rng.integers(5)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ (1 << int(rng.integers(8)))]) + data[at + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data + rng.bytes(int(rng.integers(1, 99)))
    if kind == 3:
        size = min(other - at, 64)
        return (
            data[:at]
            + data[other : other + size]
            + data[at + size : other]
            + data[at : at + size]
            + data[other + size :]
        )
    return data[:at] + b"\0" * 64 + data[at + 64 :]


def check_damages(kept: Path, n: int, seed: int) -> int:
    """Damage a file n times; gives how many were different from it, all of which must be refused."""
    data, rng, n_different = kept.read_bytes(), np.random.default_rng(seed), 0
    for _ in range(n):
        damaged = _damaged(data, rng)
        kept.write_bytes(damaged)
        if damaged == data:
            continue
        n_different += 1
        with pytest.raises(StateError, match=kept.name):
            load(kept)
    return n_different


def test_every_damage_is_found(kept: Path) -> None:
    """Flipped, cut, lengthened, exchanged or blanked: it is refused, by its name."""
    assert check_damages(kept, 200, seed=1) > 150


@pytest.mark.parametrize("version", ["stillwatch-profiles-0", "stillwatch-profiles-2"])
def test_another_version_is_refused_by_name(kept: Path, version: str) -> None:
    """A file of the version before, or after, says which it is and what to do."""
    body = kept.read_bytes()[:-32].replace(state.SCHEMA.encode(), version.encode(), 1)
    kept.write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(StateError, match=f"of version '{version[-1]}', '1' is needed; remove the file"):
        load(kept)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """What is not there cannot be read."""
    with pytest.raises(StateError, match="cannot be read"):
        load(tmp_path / "none")


def test_what_another_build_wrote_has_to_fit(kept: Path) -> None:
    """Columns that this build does not fold are refused, though the digest is right."""
    body = kept.read_bytes()[:-32].replace(b"volume.n_requests", b"volume.n_requesth")
    kept.write_bytes(body + hashlib.sha256(body).digest())
    with pytest.raises(StateError, match="holds no profiles of this version"):
        load(kept)


def test_the_layout_is_pinned() -> None:
    """Who changes a field must name a new version: an old file would be misread, or refused without a reason."""
    fields = state._schema(Profiles(tuple(COLUMNS), wanted=_wanted()))
    text = "\n".join(f"{field.name} {field.type}" for field in fields)
    assert (hashlib.sha256(text.encode()).hexdigest(), state.SCHEMA) == (LAYOUT, "stillwatch-profiles-1")


def test_a_file_of_an_earlier_day_is_read() -> None:
    """A file that was written once is read for as long as its version is."""
    profiles, note = load(GOLDEN)
    log = draw_events(5, n=60)
    assert note == NOTE
    assert sorted(set(log["account_id"].to_pylist())) == sorted(profiles.account_ids)
    assert profiles.states["volume"].n_requests.sum() == log.num_rows
