"""The state of a watch on disk: generations, each whole or not there. What did not change is not written again.

A generation is `state.json`, which is put in place last and at once, and the files that it names: profiles (a whole set
and changes laid over it), instants that wait, findings that are about to be told. It is private to the owner (0600) and
holds what kept profiles hold, see `profiles.state`.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from detector.errors import OutputNotEmptyError, StateError, UsageError
from detector.files import new_file
from detector.profiles.state import load, save
from detector.profiles.store import NAMED, Profiles
from detector.watching.folding import Folded, Forgotten, laid_over
from detector.watching.late import Held

SCHEMA = "stillwatch-watch-1"
_MANIFEST = "state.json"
_OURS = re.compile(r"\.?(profiles-\d+\.kept|held-\d+\.arrow|findings-\d+\.jsonl|state\.json)(\.part)?")
_ADVICE = "remove the folder, and read the log from the beginning into a new --out"


@dataclass
class Generation:
    """What is kept from one commit to the next, beside profiles.

    Attributes
    ----------
    about: what the log and the settings are that this is of; plain JSON values.
    note: what else is to be kept; plain JSON values.
    findings: what is to be appended to the findings, which were so long before; see `told.Told`.
    """

    about: dict[str, Any]
    note: dict[str, Any] = field(default_factory=dict)
    findings: bytes = b""


@dataclass
class Store:
    """A folder of generations.

    Attributes
    ----------
    folder: it; made when it is not there.
    number: of the last generation; 0 is none.
    """

    folder: Path
    number: int = 0
    _segments: list[dict[str, Any]] = field(default_factory=list)
    _n_names: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMED, 0))

    def open(self) -> None:
        """Make the folder.

        Raises
        ------
        OutputNotEmptyError
            It holds something that no watch wrote.
        UsageError
            It cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.folder}: no folder can be made there ({error.strerror}); give another") from error
        foreign = next((path for path in self.folder.iterdir() if not _OURS.fullmatch(path.name)), None)
        if foreign is not None:
            raise OutputNotEmptyError(
                f"{self.folder}: holds {foreign.name!r}, which no watch wrote; give another --state"
            )

    def load(self, *, threads: int) -> tuple[Generation, Folded] | None:
        """Read the last generation; none where there is none.

        Raises
        ------
        StateError
            It is of another version, or was changed.
        """
        path = self.folder / _MANIFEST
        if not path.exists():
            return None
        try:
            body, _, digest = path.read_text(encoding="ascii").rstrip("\n").rpartition("\n")
            manifest = json.loads(body)
            if hashlib.sha256(body.encode()).hexdigest() != digest or manifest["schema"] != SCHEMA:
                raise ValueError("changed")
            folded = self._profiles(manifest, threads)
            held = self._checked(manifest["held"])
            with pa.ipc.open_file(held) as reader:
                folded.held = Held.of(reader.read_all())
            folded.recent = np.array(manifest["recent"], np.int64)
            folded.now_us, folded.forgotten = manifest["now_us"], Forgotten(**manifest["forgotten"])
            generation = Generation(manifest["about"], manifest["note"], self._checked(manifest["findings"]))
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise StateError(f"{path}: is of another version, or was changed; {_ADVICE}") from error
        self.number, self._segments = manifest["generation"], manifest["segments"]
        self._n_names = {column: len(folded.profiles.names[column]) for column in NAMED}
        return generation, folded

    def commit(self, generation: Generation, folded: Folded) -> None:
        """Write the next generation, and put it in place at once; what was before stays until then.

        Raises
        ------
        OSError
            It cannot be written; the last one stands.
        """
        number = self.number + 1
        segments = self._written_profiles(folded, number)
        sink = pa.BufferOutputStream()
        table = folded.held.table()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        manifest = {
            "schema": SCHEMA,
            "generation": number,
            "about": generation.about,
            "segments": segments,
            "held": self._written(f"held-{number}.arrow", sink.getvalue().to_pybytes()),
            "findings": self._written(f"findings-{number}.jsonl", generation.findings),
            "recent": folded.recent.tolist(),
            "now_us": folded.now_us,
            "forgotten": vars(folded.forgotten),
            "note": generation.note,
        }
        body = json.dumps(manifest, sort_keys=True)
        with new_file(self.folder / _MANIFEST, replaces=True) as staging:
            staging.write_text(f"{body}\n{hashlib.sha256(body.encode()).hexdigest()}\n", encoding="ascii")
        self.number, self._segments = number, segments
        self._n_names = {column: len(folded.profiles.names[column]) for column in NAMED}
        folded.touched, folded.is_rebuilt = np.zeros(len(folded.profiles), bool), False
        self.clear()

    def clear(self) -> None:
        """Remove what the last generation does not name: of the ones before, and of a commit that was cut off."""
        if not self.number:
            named = set[str]()
        else:
            named = {_MANIFEST, f"held-{self.number}.arrow", f"findings-{self.number}.jsonl"}
            named |= {segment["file"] for segment in self._segments}
        for path in self.folder.iterdir():
            if path.name not in named and _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)

    def _written_profiles(self, folded: Folded, number: int) -> list[dict[str, Any]]:
        """Write the profiles that changed; all of them where changes outgrow what they are laid over."""
        profiles, path = folded.profiles, self.folder / f"profiles-{number}.kept"
        changed = np.flatnonzero(folded.touched[: len(profiles)])
        n_laid = sum(segment["n_accounts"] for segment in self._segments[1:])
        if not self._segments or folded.is_rebuilt or n_laid + len(changed) > len(profiles):
            save(profiles, path, note={"generation": number})
            return [{"file": path.name, "n_accounts": len(profiles)}]
        if not len(changed):
            return self._segments
        part = profiles.take(changed)
        part.names = {c: dict(islice(profiles.names[c].items(), self._n_names[c], None)) for c in NAMED}
        save(part, path, note={"generation": number})
        return [*self._segments, {"file": path.name, "n_accounts": len(changed)}]

    def _profiles(self, manifest: dict[str, Any], threads: int) -> Folded:
        whole: Profiles | None = None
        for segment in manifest["segments"]:
            part, note = load(self.folder / segment["file"], threads=threads)
            if f"profiles-{note['generation']}.kept" != segment["file"]:
                raise ValueError("exchanged")
            whole = part if whole is None else laid_over(whole, part)
        if whole is None:
            raise ValueError("no profiles")
        return Folded(whole, touched=np.zeros(len(whole), bool), is_rebuilt=False)

    def _written(self, name: str, data: bytes) -> dict[str, str]:
        with new_file(self.folder / name, replaces=True) as staging:
            staging.write_bytes(data)
        return {"file": name, "sha256": hashlib.sha256(data).hexdigest()}

    def _checked(self, written: dict[str, str]) -> bytes:
        data = (self.folder / written["file"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != written["sha256"]:
            raise ValueError("changed")
        return data


def is_begun(folder: Path) -> bool:
    """Tell whether a folder holds a generation."""
    return (folder / _MANIFEST).exists()
