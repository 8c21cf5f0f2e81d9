"""What a defender does, as frozen settings: how it looks, what follows from a recommendation, who checks it.

Every default is chosen or assumed, and settable; together they are the default defence.
"""

from typing import Literal

from pydantic import Field, model_validator

from detector.settings import DetectorSettings, LinkageSettings, PolicySettings, Settings

Action = Literal["observe", "hide_reasoning", "degrade", "throttle", "verify", "suspend", "revoke"]


class MeasureSettings(Settings):
    """What follows from one recommendation of the detector's policy."""

    at_once: Action = Field("observe", description="done when the recommendation is made, before anybody looks")
    confirmed: Action = Field("revoke", description="done when a reviewer confirms it")


class ThrottleMeasureSettings(MeasureSettings):
    """What follows from a recommendation to throttle."""

    at_once: Action = Field("throttle", description="done when the recommendation is made, before anybody looks")


class RevokeMeasureSettings(MeasureSettings):
    """What follows from a recommendation to revoke."""

    at_once: Action = Field("suspend", description="done when the recommendation is made, before anybody looks")


class MeasuresSettings(Settings):
    """What follows from each recommendation, by its name in `detector.tables.ACTIONS`; each key has its own default."""

    review: MeasureSettings = MeasureSettings()
    throttle: ThrottleMeasureSettings = ThrottleMeasureSettings()
    revoke: RevokeMeasureSettings = RevokeMeasureSettings()


class ReviewSettings(Settings):
    """The reviewers. Rates of error and minutes are assumed: nobody publishes theirs."""

    is_mandatory: bool = Field(True, description="only a reviewer can confirm; else the policy's word is enough")
    capacity_per_day: float = Field(100.0, ge=0, description="cases that reviewers close in a day")
    delay_days: float = Field(0.5, ge=0, le=60, description="from a recommendation to a reviewer's look, at least")
    p_misses: float = Field(0.05, ge=0, le=1, description="chance that a reviewer takes a harvest for honest")
    p_wrongs: float = Field(0.02, ge=0, le=1, description="chance that a reviewer takes an honest account for one")
    reviewers: int = Field(2, ge=1, le=5, description="who must agree; where they do not, others look the next day")
    minutes: float = Field(20.0, ge=0, description="of each reviewer's work per case")
    cleared_days: float = Field(3.0, ge=0, description="how long a cleared account is left alone")


class AppealSettings(Settings):
    """What people do who were stopped, and who listens. Assumed."""

    p_appeals: float = Field(0.6, ge=0, le=1, description="chance that a stopped honest customer appeals")
    p_attacker_appeals: float = Field(0.1, ge=0, le=1, description="chance that a stopped attacker appeals")
    days: float = Field(2.0, ge=0, le=365, description="until an appeal is answered")
    p_granted: float = Field(0.9, ge=0, le=1, description="chance that an honest appeal is granted")
    p_attacker_granted: float = Field(0.03, ge=0, le=1, description="chance that an attacker's appeal is granted")
    minutes: float = Field(30.0, ge=0, description="of work per appeal")


class VerifySettings(Settings):
    """Step-up verification: who passes, and how soon. Assumed."""

    p_honest: float = Field(0.93, ge=0, le=1, description="chance that an honest customer passes")
    p_attacker: float = Field(0.25, ge=0, le=1, description="chance that an attacker's account passes, for money")
    days: float = Field(0.25, ge=0, le=60, description="until an account has passed")


class ThrottleSettings(Settings):
    """What is left to a throttled account."""

    per_day: float = Field(5.0, ge=0, description="requests that are still served in a day")


class IndicatorSettings(Settings):
    """What is known of instruments of earlier cases."""

    revoked_before_verify: int = Field(
        1, ge=0, description="an account must verify when so many that pay as it does were revoked; 0 is never"
    )
    received_share: float = Field(
        0.0, ge=0, le=1, description="share of campaigns' payments that another provider has told of before"
    )


class GateSettings(Settings):
    """A capability that is withheld from accounts that are not verified."""

    models: tuple[str, ...] = Field((), description="models withheld; none is no gate")
    p_honest: float = Field(0.8, ge=0, le=1, description="share of honest accounts that are verified (assumed)")
    p_attacker: float = Field(0.1, ge=0, le=1, description="share of attackers' accounts that are (assumed)")


class DefenceSettings(Settings):
    """A defender."""

    name: str = Field("standard", pattern=r"^[a-z][a-z0-9_]{0,63}$")
    detector: DetectorSettings = DetectorSettings()
    linkage: LinkageSettings = LinkageSettings()
    policy: PolicySettings = PolicySettings()
    cadence_days: float = Field(1.0, gt=0, le=60, description="from one look to the next")
    window_days: float = Field(
        7.0, gt=0, le=3660, description="accounts without a request for so long are not looked at"
    )
    least_requests: int = Field(10, ge=1, description="nor are accounts that have sent fewer (chosen)")
    measures: MeasuresSettings = MeasuresSettings()
    by: Literal["account", "cluster", "wave"] = Field(
        "cluster", description="what a reviewer's case is, and whether confirmed cases wait for a common day"
    )
    wave_days: float = Field(7.0, gt=0, le=365, description="from one wave to the next")
    says_why: bool = Field(True, description="whom it stops is told which evidence it was")
    review: ReviewSettings = ReviewSettings()
    appeals: AppealSettings = AppealSettings()
    verification: VerifySettings = VerifySettings()
    throttled: ThrottleSettings = ThrottleSettings()
    indicators: IndicatorSettings = IndicatorSettings()
    gate: GateSettings = GateSettings()

    @model_validator(mode="after")
    def _can_review(self) -> "DefenceSettings":
        if self.review.is_mandatory and self.review.capacity_per_day == 0 and self._confirms:
            raise ValueError(
                "review.capacity_per_day = 0 with review.is_mandatory = true: nobody could ever confirm a case; give "
                "reviewers, or set review.is_mandatory = false"
            )
        return self

    @property
    def _confirms(self) -> bool:
        return any(measure.confirmed != "observe" for measure in self._all)

    @property
    def _all(self) -> tuple[MeasureSettings, ...]:
        return (self.measures.review, self.measures.throttle, self.measures.revoke)

    @property
    def acts(self) -> bool:
        """Whether it ever does anything but look."""
        asks_told = self.indicators.revoked_before_verify > 0 and self.indicators.received_share > 0
        changes_keys = any((m.at_once, m.confirmed) != ("observe", "observe") for m in self._all)
        return changes_keys or asks_told or bool(self.gate.models)
