"""The JSON Schemas that are published: of scenario files, for editors that complete and check TOML, and of findings."""

import json
from typing import Any

from detector.errors import UsageError, nearest
from simulations.roster import ATTACKERS, PERSONAS
from simulations.settings import CohortSettings, ScenarioSettings

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """Describe a scenario file: every key, and the parameters of every persona and attacker.

    Examples
    --------
    >>> scenario_schema()["properties"]["scale"]["default"]
    1.0
    """
    schema = ScenarioSettings.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    cohort = CohortSettings.model_json_schema()
    definitions.update(cohort.pop("$defs", {}))
    rules = []
    for role, registry in (("persona", PERSONAS), ("attacker", ATTACKERS)):
        cohort["properties"][role] = {"enum": sorted(registry), "description": f"a registered {role}"}
        for name, actor in registry.items():
            parameters = actor.parameters.model_json_schema(ref_template=f"#/$defs/{name}/$defs/{{model}}")
            definitions[name] = parameters
            known = {"properties": {role: {"const": name}}, "required": [role]}
            rules.append({"if": known, "then": {"properties": {"parameters": {"$ref": f"#/$defs/{name}"}}}})
    cohort["oneOf"] = [{"required": ["persona"]}, {"required": ["attacker"]}]
    definitions["CohortSettings"] = {**cohort, "allOf": rules}
    return {"$schema": DIALECT, "title": "Stillwatch scenario", **{k: v for k, v in schema.items() if k != "title"}}


def finding_schema() -> dict[str, Any]:
    """Describe a line of `findings.jsonl`."""
    from detector.reports.findings import SCHEMA_PATH

    schema: dict[str, Any] = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    return schema


SCHEMAS = {"scenario": scenario_schema, "findings": finding_schema}


def schema_of(what: str) -> dict[str, Any]:
    """Give a published schema by name.

    Raises
    ------
    UsageError
        There is no schema of that.
    """
    if what not in SCHEMAS:
        raise UsageError(f"schema {what!r}: there is none of that; {nearest(what, SCHEMAS)}")
    return SCHEMAS[what]()
