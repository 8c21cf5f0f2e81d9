"""Every shipped scenario reads, generates, and gives nothing away."""

import math
from pathlib import Path

import pytest

from simulations.generate import generate
from simulations.settings import read_scenario

SCENARIOS = sorted((Path(__file__).parents[2] / "configs" / "scenarios").glob("*.toml"))
#: Accounts to which a scenario is scaled down here.
ACCOUNTS = 2500
#: Accounts of a campaign that a tree can be judged on.
ATTACKERS = 24
PRESETS = {
    "academic_alpaca", "curated_s1k", "deepseek_sync", "moonshot_mixed", "minimax_pivot", "qwen_low_slow",
    "hydra_reseller", "gtig_trace_coercion", "logit_probe",
}  # fmt: skip


def test_presets_and_ladder_are_shipped() -> None:
    """Each published campaign and each level of difficulty has a scenario, named as its file."""
    names = {path.stem for path in SCENARIOS}
    assert names >= PRESETS
    assert [f"ladder_{level}" for level in range(6)] == sorted(name[:8] for name in names if name.startswith("ladder_"))
    assert all(read_scenario(path).name == path.stem for path in SCENARIOS)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_is_clean(path: Path, tmp_path: Path) -> None:
    """A scaled-down copy passes its audit: no give-away, every count adds up, every declared effect is there.

    Where a campaign has few accounts it is played by more of them, so that its columns are judged, too.
    """
    whole = read_scenario(path)
    scale = min(1.0, ACCOUNTS / sum(cohort.accounts for cohort in whole.cohorts))
    attackers = [cohort for cohort in whole.cohorts if cohort.attacker]
    times = math.ceil(ATTACKERS / sum(cohort.accounts * scale for cohort in attackers))
    days = min(whole.days, 14 if whole.release_day is None else whole.days / 4)
    changes = [f"scale={scale}", "text=false", f"days={days}"]
    if whole.release_day is not None:
        changes.append(f"release_day={whole.release_day / 4}")
    changes += [f"cohorts.{cohort.name}.accounts={cohort.accounts * times}" for cohort in attackers]
    report = generate(read_scenario(path, assignments=changes), tmp_path / "out")
    assert report["is_clean"], {key: report[key] for key in ("counts", "tree", "effects")}
    assert report["counts"]["extraction_events"] > 0
    assert report["tree"]["auc"] is not None and all(row["is_shown"] for row in report["tree"]["declared"])


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_number_has_a_source(path: Path) -> None:
    """Each number in a shipped scenario says where it comes from or that it is assumed."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        key, _, value = line.partition("=")
        if value.strip()[:1].isdigit() and key.strip() not in ("seed",):
            assert "# " in value, line
