"""What a case would be called in the catalogues of others: MITRE ATLAS, and OWASP's Top 10 for LLM applications.

References: MITRE ATLAS 5.6.0 (AML.CS0056 is its case study of distillation campaigns); OWASP Top 10 for LLM
applications, editions 2025 and 2026. The catalogues name behaviour; a name here is no finding of its own.
"""

from typing import NamedTuple

from detector.reports.dossiers import Dossier

_ATLAS, _OWASP = "MITRE ATLAS", "OWASP LLM Top 10"
_INSTRUMENTS = frozenset({"payment", "organisation", "sign_up"})


class Technique(NamedTuple):
    """An entry of a catalogue."""

    framework: str
    id: str
    name: str


#: What every finding is about.
ALWAYS = (
    Technique(_ATLAS, "AML.T0024.002", "Extract AI Model"),
    Technique(_ATLAS, "AML.T0040", "AI Model Inference API Access"),
    Technique(_OWASP, "LLM10:2025", "Unbounded Consumption"),
    Technique(_OWASP, "LLM06:2026", "Unbounded Consumption"),
)
ACCOUNTS = Technique(_ATLAS, "AML.T0021", "Establish Accounts")
PROMPTS = Technique(_ATLAS, "AML.T0065", "LLM Prompt Crafting")
PROBING = Technique(_ATLAS, "AML.T0063", "Discover AI Model Outputs")
CASE_STUDY = Technique(_ATLAS, "AML.CS0056", "Model Distillation Campaigns Targeting Anthropic Claude")


def techniques(dossier: Dossier) -> list[Technique]:
    """Name what the evidence of an account points to, extraction first."""
    raising = {step.feature for step in dossier.waterfall.evidence_for}
    found = list(ALWAYS)
    if any(link.kind in _INSTRUMENTS for link in dossier.links):
        found.append(ACCOUNTS)
    if "content" in dossier.families:
        found.append(PROMPTS)
    if "logprobs_share" in raising:
        found.append(PROBING)
    return found
