"""What attackers pay, what they are after, and how they react, as frozen settings. They see outcomes, never scores.

Prices: bulk accounts of social networks cost $.01 to $.20 in 2013 (Thomas et al., "Trafficking fraudulent accounts"),
an account of a model provider with a payment more; all prices here are assumed, and settable.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from detector.settings import Settings

#: What a reaction is good against, by name; what a campaign that knows why it was stopped turns to first.
COUNTERS: dict[str, tuple[str, ...]] = {
    "slow_down": ("rate",),
    "split": ("rate",),
    "jitter": ("rate", "network"),
    "paraphrase": ("content",),
    "add_cover": ("content", "rate"),
    "switch_models": ("rate",),
    "switch_pathway": ("network", "economy"),
    "probe": (),
    "stop": (),
}
Tactic = Literal[
    "slow_down", "split", "jitter", "paraphrase", "add_cover", "switch_models", "switch_pathway", "probe", "stop"
]
#: What a campaign is after, see `value.KNEE`.
Regime = Literal["style", "reasoning", "capability"]


class PathwaySettings(Settings):
    """A way to new accounts."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    account_usd: float = Field(5.0, ge=0, description="of one account with its payment (assumed: $1 to $50)")
    pool: float = Field(2.0, ge=0, le=100, description="accounts to be had, as a multiple of the campaign's first ones")
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="of the attacker, where accounts of this way differ; unknown ones are left out",
    )


class TacticSettings(Settings):
    """One reaction."""

    do: Tactic
    times: int = Field(1, ge=1, le=100, description="how often it can be repeated")
    usd: float = Field(0.0, ge=0, description="of work or goods, each time")
    factor: float = Field(2.0, gt=1, le=100, description="how much slower, over how many more accounts")
    share: float = Field(0.25, ge=0, le=1, description="of requests that become cover")
    days: float = Field(1.0, ge=0, le=365, description="that a probe takes")


class RespawnSettings(Settings):
    """Replacing accounts that were lost."""

    is_on: bool = False
    delay_days: float = Field(0.25, ge=0, le=365, description="from a loss to its replacement")
    per_day: float = Field(1.0, gt=0, description="most new accounts in a day, as a multiple of the first ones")


class ValueSettings(Settings):
    """What the campaign's answers are worth, see `value`."""

    regime: Regime = Field("reasoning", description="style 1k, reasoning 50k, capability 1M exchanges")
    worth_usd: float = Field(1e6, ge=0, description="of all that could be taken (assumed)")
    student: Literal["small", "large"] = Field("large", description="hiding reasoning costs small students nothing")


class AttackSettings(Settings):
    """How campaigns act; one for all campaigns of a scenario."""

    name: str = Field("steady", pattern=r"^[a-z][a-z0-9_]{0,63}$")
    purse_usd: float | None = Field(None, description="what each campaign can spend; none is without end")
    payment_usd: float = Field(10.0, ge=0, description="of a shared payment instrument (assumed)")
    exit_usd_per_day: float = Field(1.0, ge=0, description="of a network that traffic leaves by (assumed)")
    verify_usd: float = Field(40.0, ge=0, description="of passing a verification (assumed)")
    tolerates: float = Field(0.05, ge=0, le=1, description="share of live accounts that may be hit before it reacts")
    patience_days: float = Field(1.0, ge=0, le=365, description="from one reaction to the next")
    respawn: RespawnSettings = RespawnSettings()
    pathways: tuple[PathwaySettings, ...] = (PathwaySettings(name="same"),)
    tactics: tuple[TacticSettings, ...] = ()
    stops_at_cost: bool = Field(False, description="stop when a day costs more than what it takes is worth")
    value: ValueSettings = ValueSettings()

    @model_validator(mode="after")
    def _has_means(self) -> "AttackSettings":
        if self.purse_usd is not None and self.purse_usd <= 0:
            raise ValueError(
                f"purse_usd = {self.purse_usd:g}: an attacker without money does nothing; give more than 0"
            )
        if not self.pathways:
            raise ValueError("pathways = []: an attacker needs a way to accounts; give at least one")
        names = [pathway.name for pathway in self.pathways]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"pathways: name = {twice!r} is used twice; give every pathway its own name")
        return self

    @property
    def is_adaptive(self) -> bool:
        """Whether campaigns do anything but go on."""
        return self.respawn.is_on or bool(self.tactics) or self.stops_at_cost
