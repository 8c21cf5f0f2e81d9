"""Every persona and attacker by name. A new one costs a module, a line here and a test."""

from collections.abc import Mapping

from detector.errors import ConfigError, nearest
from simulations.actors import Actor
from simulations.attackers.bulk_harvest import BulkHarvest
from simulations.attackers.curated import Curated
from simulations.attackers.evol_harvest import EvolHarvest
from simulations.attackers.fleet import Fleet
from simulations.attackers.framing import Framing
from simulations.attackers.grading import Grading
from simulations.attackers.hydra import Hydra
from simulations.attackers.lockstep_fleet import LockstepFleet
from simulations.attackers.logprob_probe import LogprobProbe
from simulations.attackers.low_slow import LowSlow
from simulations.attackers.model_pivot import ModelPivot
from simulations.attackers.reasoning import Reasoning
from simulations.attackers.resampling import Resampling
from simulations.attackers.residential_fleet import ResidentialFleet
from simulations.attackers.tool_harvest import ToolHarvest
from simulations.personas.agent_team import AgentTeam
from simulations.personas.chat_bot import ChatBot
from simulations.personas.classroom import Classroom
from simulations.personas.coding_agent import CodingAgent
from simulations.personas.developer import Developer
from simulations.personas.evaluation import Evaluation
from simulations.personas.extraction_jobs import ExtractionJobs
from simulations.personas.hobby_chat import HobbyChat
from simulations.personas.labelling import Labelling
from simulations.personas.licensed_data import LicensedData
from simulations.personas.load_test import LoadTest
from simulations.personas.nightly_etl import NightlyEtl
from simulations.personas.office import Office
from simulations.personas.product_backend import ProductBackend
from simulations.personas.release_chaser import ReleaseChaser
from simulations.personas.reseller import Reseller
from simulations.personas.translation import Translation
from simulations.personas.work_chat import WorkChat
from simulations.personas.writing_product import WritingProduct

PERSONAS: Mapping[str, Actor] = {
    "hobby_chat": HobbyChat(),
    "work_chat": WorkChat(),
    "office": Office(),
    "developer": Developer(),
    "chat_bot": ChatBot(),
    "coding_agent": CodingAgent(),
    "agent_team": AgentTeam(),
    "product_backend": ProductBackend(),
    "writing_product": WritingProduct(),
    "labelling": Labelling(),
    "extraction_jobs": ExtractionJobs(),
    "translation": Translation(),
    "evaluation": Evaluation(),
    "licensed_data": LicensedData(),
    "nightly_etl": NightlyEtl(),
    "classroom": Classroom(),
    "reseller": Reseller(),
    "load_test": LoadTest(),
    "release_chaser": ReleaseChaser(),
}
ATTACKERS: Mapping[str, Actor] = {
    "bulk_harvest": BulkHarvest(),
    "evol_harvest": EvolHarvest(),
    "curated": Curated(),
    "reasoning": Reasoning(),
    "grading": Grading(),
    "resampling": Resampling(),
    "logprob_probe": LogprobProbe(),
    "tool_harvest": ToolHarvest(),
    "fleet": Fleet(),
    "lockstep_fleet": LockstepFleet(),
    "low_slow": LowSlow(),
    "residential_fleet": ResidentialFleet(),
    "hydra": Hydra(),
    "model_pivot": ModelPivot(),
    "framing": Framing(),
}


def actor_of(*, persona: str | None = None, attacker: str | None = None, where: str = "scenario") -> Actor:
    """Find a persona or an attacker by name.

    Parameters
    ----------
    where: file and key that named it, for the error.

    Raises
    ------
    ConfigError
        None or both are named, or none has this name.
    """
    if (persona is None) == (attacker is None):
        raise ConfigError(f"{where}: give exactly one of 'persona' and 'attacker'")
    role, name, registry = ("persona", persona, PERSONAS) if persona is not None else ("attacker", attacker, ATTACKERS)
    if name is None or name not in registry:
        raise ConfigError(f"{where}: {role} = {name!r} is unknown; {nearest(str(name), registry)}")
    return registry[name]
