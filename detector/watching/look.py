"""One look: what was folded so far is judged as a whole log would be. Profiles that are kept open stay as they are."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from detector.clock import Clock
from detector.detectors.base import extras_of
from detector.detectors.registry import make_detector
from detector.features.extras import slices_of
from detector.logs.accounts import read_accounts
from detector.logs.enrichment import enrich, read_enrichments
from detector.results import Results
from detector.settings import FollowSettings
from detector.watching.counts import WatchedLog
from detector.watching.folding import Folded
from detector.watching.tails import stamp_of


class Looker:
    """Judges; loads what that needs once, and files of what is known of accounts when they change.

    Parameters
    ----------
    accounts: files of what is known of accounts.
    allow: file of the accounts under contract.
    """

    def __init__(self, settings: FollowSettings, accounts: Sequence[Path], allow: Path | None) -> None:
        self._settings, self._accounts, self._allow = settings, accounts, allow
        self._detector = make_detector(settings.detector)
        self._stamps: Any = None
        self._read_known()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Optional slices that the detector needs."""
        return slices_of(extras_of(self._detector))

    def look(self, log: WatchedLog, folded: Folded) -> Results:
        """Judge the accounts that came so far.

        Raises
        ------
        StillwatchError
            What is known of accounts cannot be read; or nobody can be judged, see `weighing.weigh`.
        """
        from detector.judging import judge

        clock = Clock()
        self._read_known()
        with clock.stage("copy"):
            profiles = folded.seen()
        enriched = enrich(profiles, self._known)
        results = judge(log, profiles, self._detector, self._settings, clock, allowed=self._allowed)
        results.run["accounts"] = enriched
        results.run["timings_s"] = clock.timings_s
        return results

    def _read_known(self) -> None:
        stamps = [stamp_of(str(path)) for path in (*self._accounts, *([self._allow] if self._allow else []))]
        if stamps == self._stamps:
            return
        self._known = read_enrichments(self._accounts, self._settings.input.account_by)
        self._allowed = (
            frozenset(read_accounts(self._allow)["account_id"].to_pylist()) if self._allow else frozenset[str]()
        )
        self._stamps = stamps
