"""The order of things, known here only: a log is read into profiles, profiles are judged.

What judging needs is loaded beside the reading: the libraries take as long as a million requests.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from detector.clock import Clock
from detector.engines.contract import Engine
from detector.engines.registry import make_engine
from detector.keeping import Kept
from detector.logs.enrichment import Enrichment, enrich, read_enrichments
from detector.progress import Tell, silent
from detector.pseudonyms import Pseudonyms
from detector.results import Results
from detector.settings import DetectorSettings, ScoreSettings

if TYPE_CHECKING:
    from detector.detectors.base import Detector
    from detector.logs.asn import AsnDatabase

Prepared = tuple["Detector", list[Enrichment], list[Enrichment], frozenset[str]]


def _prepare(settings: ScoreSettings, accounts: Sequence[Path], audits: Sequence[Path], allow: Path | None) -> Prepared:
    """Load what judging needs; an unusable detector, file of accounts or audit log is found here."""
    import detector.judging  # noqa: F401 - loaded for later
    from detector.detectors.registry import make_detector
    from detector.logs.accounts import read_accounts
    from detector.logs.audit import read_audits

    known = read_enrichments(accounts, settings.input.account_by)
    allowed = frozenset(read_accounts(allow)["account_id"].to_pylist()) if allow else frozenset()
    audited = read_audits(audits, settings.input.account_by) if audits else []
    return make_detector(settings.detector), known, audited, allowed


def _opened(asn: Path | None) -> AbstractContextManager["AsnDatabase | None"]:
    """Open the database of network operators, where there is one."""
    if asn is None:
        return nullcontext()
    from detector.logs.asn import AsnDatabase

    return AsnDatabase(asn)


def _watching(prepared: "Future[Prepared]", tell: Tell) -> Tell:
    """Tell, and stop the work where the preparation failed."""

    def watch(label: str, done: int = 0, total: int | None = None) -> None:
        if prepared.done():
            prepared.result()
        tell(label, done, total)

    return watch


def _optional_slices(settings: DetectorSettings, prepared: "Future[Prepared]") -> tuple[str, ...]:
    """Give what the detector wants folded besides; the default one wants nothing, so it is not waited for."""
    if settings.name == DetectorSettings().name:
        return ()
    from detector.detectors.base import extras_of
    from detector.features.extras import slices_of

    return slices_of(extras_of(prepared.result()[0]))


def score(
    patterns: Sequence[str],
    settings: ScoreSettings,
    *,
    engine: Engine | None = None,
    accounts: Path | Sequence[Path] | None = None,
    allow: Path | None = None,
    audits: Sequence[Path] = (),
    asn: Path | None = None,
    history: pa.Table | None = None,
    pseudonyms: Pseudonyms | None = None,
    kept: Kept | None = None,
    tell: Tell = silent,
) -> Results:
    """Score a log.

    Parameters
    ----------
    patterns: files, globs, folders, or ``-`` for standard input.
    engine: where rows live; none is the one that the settings name.
    accounts: files of what is known of accounts, see `logs.accounts` and `logs.enrichment`.
    allow: file of the accounts under contract: they are scored and shown, and nothing is recommended for them.
    audits: audit logs, see `logs.audit`.
    asn: database of network operators, see `logs.asn`.
    history: of the looks before this one, columns of `tables.HISTORY`; none when this is the first.
    pseudonyms: for accounts and what they share; none leaves names as they are. The history is under the same ones.
    kept: where what was read is kept for the next run, should this one be cut off; none is nowhere.
    tell: takes progress.

    Returns
    -------
    The tables of the run, most suspicious account first.

    Raises
    ------
    StillwatchError
        Something about the input or the settings is wrong; the text says what.
    """
    clock = Clock()
    with clock.stage("open"):
        engine = engine or make_engine(settings)
        log = engine.open(patterns)
    with log, _opened(asn) as operators, ThreadPoolExecutor(1, thread_name_prefix="prepare") as aside:
        files = [accounts] if isinstance(accounts, Path) else list(accounts or ())
        prepared = aside.submit(_prepare, settings, files, audits, allow)
        with clock.stage("read_and_fold"):
            wanted = _optional_slices(settings.detector, prepared)
            profiles = engine.fold(log, wanted=wanted, tell=_watching(prepared, tell), kept=kept)
            detector, known, audited, allowed = prepared.result()
            enriched = enrich(profiles, [*known, *audited])
        tell("linking and scoring accounts")
        from detector.judging import judge
        from detector.origins import Origins

        if pseudonyms is not None and history is not None:
            history = pseudonyms.known(history, profiles.account_ids)
        origins = Origins(operators, [one.accounts for one in audited])
        results = judge(
            log,
            profiles,
            detector,
            settings,
            clock,
            allowed=allowed,
            history=history,
            pairs=engine.pairs,
            origins=origins,
        )
        if operators is not None:
            results.run["asn"] = operators.record()
    if audited:
        results = replace(results, rejected=pa.concat_tables([results.rejected, *(one.rejected for one in audited)]))
    results.run["accounts"] = enriched
    results.run["timings_s"] = clock.timings_s
    return results if pseudonyms is None else pseudonyms.applied(results)
