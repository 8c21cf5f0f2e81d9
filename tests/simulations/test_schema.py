"""The schema knows every key, persona and attacker, and nothing else."""

import json

from simulations.roster import ATTACKERS, PERSONAS
from simulations.schema import scenario_schema
from simulations.settings import CohortSettings, ScenarioSettings


def test_schema_is_json_with_every_key() -> None:
    """Every setting is a property, and unknown keys are refused."""
    schema = json.loads(json.dumps(scenario_schema()))
    assert set(schema["properties"]) == set(ScenarioSettings.model_fields)
    assert set(schema["$defs"]["CohortSettings"]["properties"]) == set(CohortSettings.model_fields)
    assert schema["additionalProperties"] is False


def test_every_actor_has_its_parameters() -> None:
    """Each persona and attacker is a choice and has a table of parameters of its own."""
    schema = scenario_schema()
    cohort = schema["$defs"]["CohortSettings"]
    assert cohort["properties"]["persona"]["enum"] == sorted(PERSONAS)
    for name, actor in {**PERSONAS, **ATTACKERS}.items():
        assert set(schema["$defs"][name]["properties"]) == set(actor.parameters.model_fields)


def test_references_lead_somewhere() -> None:
    """Every reference within the schema is defined."""
    schema = scenario_schema()
    text = json.dumps(schema)
    for part in text.split('"$ref": "#/')[1:]:
        place = schema
        for step in part.partition('"')[0].split("/"):
            place = place[step]
