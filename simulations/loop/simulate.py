"""A rehearsal from settings to a folder, whole or not at all; looks that an earlier run has made are not made again.

A run is a function of its settings and of what the looks found, and looks are what takes long. Each look is kept beside
the output until the run is whole: who is cut off begins again, and gets the same bytes without looking twice.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from detector.errors import UsageError
from detector.files import new_file
from detector.progress import Tell, silent
from detector.reports.atomic import new_folder
from simulations.benchmark.sheet import json_text
from simulations.loop.engine import Looking, Loop, look_afresh
from simulations.loop.outcome import outcome_of
from simulations.loop.page import write_page
from simulations.loop.rehearsal import Rehearsal
from simulations.loop.stage import Stage, open_stage
from simulations.loop.watch import Look
from simulations.population import truth_table
from simulations.toml_text import toml_text
from simulations.world import WORKERS
from simulations.writers import log_writer

_DIGEST = "digest.txt"


def simulate(
    rehearsal: Rehearsal,
    out: Path,
    *,
    keeps_log: bool = True,
    workers: int = WORKERS,
    tell: Tell = silent,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Rehearse, and write the log, the truth, the ledger, the outcome and the page.

    Parameters
    ----------
    out: folder to make; it must be absent or empty.
    keeps_log: whether the log itself is written.
    workers: threads; changes no byte.
    say: takes a line for people, such as what an earlier run has left.

    Returns
    -------
    What `outcome.json` holds, see `outcome.outcome_of`.

    Raises
    ------
    OutputNotEmptyError
        `out` holds something.
    UsageError
        Looks of another rehearsal lie beside `out`.
    """
    with new_folder(out) as folder, _looks_kept(out, rehearsal, say) as kept:
        stage = open_stage(rehearsal.scenario, rehearsal.attack, folder=folder, workers=workers, tell=tell)
        with closing(stage.world.spill), _writer(folder, keeps_log=keeps_log) as write:
            loop = Loop(
                stage, rehearsal.defence, rehearsal.attack, write,
                looking=_looking(kept), workers=workers, tell=tell,
            )  # fmt: skip
            loop.run()
        outcome, ledger, record = outcome_of(loop), loop.ledger.table(), rehearsal.record()
        pq.write_table(ledger, folder / "ledger.parquet")
        pq.write_table(truth_of(stage, loop), folder / "truth.parquet")
        pq.write_table(accounts_of(loop), folder / "accounts.parquet")
        for name, part in record.items():
            (folder / f"{name}.toml").write_text(toml_text(part), encoding="utf-8")
        (folder / "rehearsal.json").write_text(json_text(record), encoding="utf-8")
        (folder / "outcome.json").write_text(json_text(outcome), encoding="utf-8")
        write_page(outcome, ledger, record, folder / "report.html")
    shutil.rmtree(kept, ignore_errors=True)
    return outcome


@contextmanager
def _writer(folder: Path, *, keeps_log: bool) -> Iterator[Callable[[pa.Table], None]]:
    if not keeps_log:
        yield lambda events: None
        return
    with log_writer(folder / "events.parquet", "parquet") as write:
        yield write


def accounts_of(loop: Loop) -> pa.Table:
    """Give what is known of every account that sent a request, sorted by account."""
    came = loop.tally.by_outcome[:, :3].sum(axis=1) > 0
    return loop.known_accounts().filter(pa.array(came)).sort_by("account_id").combine_chunks()


def truth_of(stage: Stage, loop: Loop) -> pa.Table:
    """Say who was what, for every account that sent a request, sorted by account."""
    sent, firsts = loop.tally.by_outcome[:, :3].sum(axis=1), stage.world.population.firsts
    tables = []
    for place, cast in enumerate(stage.world.casts):
        own = slice(firsts[place], firsts[place + 1])
        tables.append(truth_table(cast, sent[own], loop.tally.n_extraction[own]))
    return pa.concat_tables(tables).sort_by("account_id").combine_chunks()


# -- looks that are kept


def looks_beside(out: Path) -> Path:
    """Give the folder in which looks wait until a run is whole."""
    place = out.resolve()
    return place.parent / f".{place.name}.looks"


@contextmanager
def _looks_kept(out: Path, rehearsal: Rehearsal, say: Callable[[str], None]) -> Iterator[Path]:
    """Open the folder of looks; a run that ends before its first look leaves none behind."""
    kept = _open_looks(out, rehearsal, say)
    try:
        yield kept
    except BaseException:
        if not _n_looks(kept):
            shutil.rmtree(kept, ignore_errors=True)
        raise


def _n_looks(kept: Path) -> int:
    return len(list(kept.glob("look-*.parquet")))


def _open_looks(out: Path, rehearsal: Rehearsal, say: Callable[[str], None]) -> Path:
    kept = looks_beside(out)
    try:
        kept.mkdir(exist_ok=True)
        written, n = kept / _DIGEST, _n_looks(kept)
        if not n:
            written.write_text(rehearsal.digest, encoding="utf-8")
        found = written.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{kept}: looks cannot be kept there ({error.strerror}); give another --out") from error
    if found != rehearsal.digest:
        raise UsageError(
            f"{kept}: holds {n} looks of another rehearsal that was cut off; remove the folder, or give another --out"
        )
    if n:
        say(f"an earlier run was cut off: {n} looks of it are used again")
    return kept


def _looking(kept: Path) -> Looking:
    def looking(now_us: int, look: Callable[[], Look]) -> Look:
        path = kept / f"look-{now_us:020d}.parquet"
        if path.exists():
            return _read_look(path)
        made = look_afresh(now_us, look)
        _write_look(made, path)
        return made

    return looking


def _write_look(look: Look, path: Path) -> None:
    columns = {
        "account": pa.array(look.accounts, pa.int64()),
        "action": pa.array(look.action.tolist(), pa.string()),
        "score": pa.array(look.score, pa.float64()),
        "case": pa.array(look.case, pa.int64()),
        "families": pa.array(look.families.tolist(), pa.string()),
        "first": pa.array(look.first.tolist(), pa.string()),
    }
    table = pa.table(columns).replace_schema_metadata({"n_looked_at": str(look.n_looked_at)})
    with new_file(path, replaces=True) as staging:
        pq.write_table(table, staging)


def _read_look(path: Path) -> Look:
    table = pq.read_table(path)
    text = {name: table[name].to_numpy(zero_copy_only=False).astype(object) for name in ("action", "families", "first")}
    return Look(
        int((table.schema.metadata or {})[b"n_looked_at"]),
        table["account"].to_numpy(),
        text["action"].astype(str) if table.num_rows else np.empty(0, "U8"),
        table["score"].to_numpy(),
        table["case"].to_numpy(),
        text["families"],
        text["first"],
    )
