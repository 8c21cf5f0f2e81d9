"""From profiles to the tables of a run: links, clusters, features, scores, decisions, evidence."""

from collections.abc import Collection, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.clock import Clock
from detector.detectors.base import Detector, Reference, extras_of
from detector.engines.contract import OpenLog
from detector.evidence import tabulate
from detector.excerpts import collect_excerpts, first_excerpts
from detector.linkage.overlaps import FindPairs, overlaps
from detector.origins import Origins
from detector.policy import Decisions
from detector.profiles.store import Profiles
from detector.record import Judgement, run_record
from detector.results import Results
from detector.sequential import EProcess
from detector.settings import PolicySettings, ScoreSettings
from detector.subjects import Subjects, describe, without_dilution
from detector.summaries import cluster_table, link_table, lookalike_table, scored_table, timeline_table
from detector.tables import EXCERPTS, HISTORY, LOOKALIKES
from detector.weighing import weigh

#: Share of records that may hold bad values where a revocation is recommended (chosen: the default of --max-rejects).
MOST_UNREAD = 0.01


def _is_sound(counts: Mapping[str, int]) -> bool:
    """Tell whether what was read of a log can support a revocation.

    A writer that lets one text pass for records lets any, so one record whose edges are in doubt puts all in doubt,
    whatever file they are in. One that is whole and holds a bad value says nothing of others; of such there may be few.
    """
    return counts["n_doubtful"] == 0 and counts["n_rejected"] <= MOST_UNREAD * counts["n_rows"]


def _lookalikes(judgement: Judgement, rows: npt.NDArray[np.int64]) -> pa.Table:
    """Compare accounts, given by number, with the kinds of honest customers that the detector's model knows."""
    model, subjects = judgement.model, judgement.subjects
    if model is None:
        return LOOKALIKES.empty_table()
    level, used = model.usable_level(subjects.profiles.evidence_level), list(judgement.verdict.contributions)
    return lookalike_table(subjects.pooled.iloc[rows], model.kinds, level=level, used=used)


def _look(
    history: pa.Table | None, reference: Reference | None, scored: pa.Table, settings: PolicySettings
) -> pa.Table:
    """Add this look to the history; a first look begins one."""
    least = reference.least if reference else 1.0
    process = EProcess(settings.looks, least, settings.history_budget)
    if history is not None:
        process.check_budget()
    before = HISTORY.empty_table() if history is None else history
    return process.advance(before, scored["account_id"], scored["p_value"])


def judge(
    log: OpenLog,
    profiles: Profiles,
    detector: Detector,
    settings: ScoreSettings,
    clock: Clock,
    *,
    allowed: Collection[str] = (),
    history: pa.Table | None = None,
    pairs: FindPairs = overlaps,
    origins: Origins | None = None,
) -> Results:
    """Score what was folded.

    Parameters
    ----------
    log: read to its end.
    allowed: accounts under contract, on which nothing is recommended.
    history: of earlier looks, columns of `tables.HISTORY`; none when this is the first.
    clock: takes how long each stage took.
    pairs: finds who shares things; an engine may do so where rows live.
    origins: what tells where accounts come from, as context; none tells nothing.
    """
    with clock.stage("link"):
        described = describe(profiles, settings, extras=extras_of(detector), pairs=pairs)
        subjects = without_dilution(described, detector)
    with clock.stage("score"):
        is_sound = _is_sound(log.counts()) and log.sampling_rate == 1.0
        is_allowed = np.array([account in allowed for account in profiles.account_ids], dtype=bool)
        verdict, decisions = weigh(subjects, detector, settings.policy, may_revoke=is_sound, is_allowed=is_allowed)
    judgement = Judgement(subjects, detector, verdict, decisions, int(is_allowed.sum()))
    with clock.stage("tabulate"):
        return _tables(log, judgement, settings, history, origins or Origins())


def _excerpts(log: OpenLog, subjects: Subjects, decisions: Decisions, settings: ScoreSettings) -> pa.Table:
    """Read a few prompts of flagged accounts, by a second pass over the log, when they are asked for."""
    if not (settings.report.include_excerpts and "prompt" in log.columns):
        return EXCERPTS.empty_table()
    flagged = np.array(subjects.profiles.account_ids, dtype=object)[decisions.is_flagged]
    collect = partial(collect_excerpts, accounts=flagged.tolist())
    return first_excerpts(log.summaries(["account_id", "prompt"], collect))


def _tables(
    log: OpenLog, judgement: Judgement, settings: ScoreSettings, history: pa.Table | None, origins: Origins
) -> Results:
    subjects, verdict, decisions = judgement.subjects, judgement.verdict, judgement.decisions
    scored = scored_table(subjects.profiles, subjects.cluster, verdict, decisions)
    gathered = _look(history, verdict.reference, scored, settings.policy)
    shown = np.argsort(-verdict.scores, kind="stable")[: max(settings.report.accounts, 200)]
    told = np.union1d(shown, np.flatnonzero(decisions.is_flagged))
    return Results(
        scored=scored,
        clusters=cluster_table(scored, subjects.links, subjects.cluster),
        evidence=tabulate(
            subjects.profiles.account_ids,
            subjects.pooled,
            verdict,
            is_clustered=subjects.cluster_size > 1,
            own=subjects.own,
            population=judgement.population,
            extras=subjects.extras,
        ),
        links=link_table(subjects.links, subjects.profiles),
        timeline=timeline_table(subjects.profiles, shown),
        rejected=log.rejected(),
        excerpts=_excerpts(log, subjects, decisions, settings),
        run=run_record(log, judgement, settings, gathered),
        history=gathered,
        lookalikes=_lookalikes(judgement, told),
        origins=origins.table(subjects.profiles, subjects.cluster, told),
    )
