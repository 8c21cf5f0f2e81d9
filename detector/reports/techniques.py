"""What a case would be called in the catalogues of others: MITRE ATLAS, and OWASP's Top 10 for LLM applications.

References: MITRE ATLAS 5.6.0 (AML.CS0056 is its case study of distillation campaigns); OWASP Top 10 for LLM
applications, editions 2025 and 2026. The catalogues name behaviour; a name here is no finding of its own.
"""

from typing import NamedTuple

from detector.reports.dossiers import Dossier

ATLAS, OWASP = "MITRE ATLAS", "OWASP LLM Top 10"

#: Techniques above the sub-techniques that are named here.
PARENTS = {"AML.T0024": "Exfiltration via AI Inference API"}

_INSTRUMENTS = frozenset({"payment", "organisation", "sign_up"})


class Technique(NamedTuple):
    """An entry of a catalogue."""

    framework: str
    id: str
    name: str


#: What every finding is about.
ALWAYS = (
    Technique(ATLAS, "AML.T0024.002", "Extract AI Model"),
    Technique(ATLAS, "AML.T0040", "AI Model Inference API Access"),
    Technique(OWASP, "LLM10:2025", "Unbounded Consumption"),
    Technique(OWASP, "LLM06:2026", "Unbounded Consumption"),
)
ACCOUNTS = Technique(ATLAS, "AML.T0021", "Establish Accounts")
PROMPTS = Technique(ATLAS, "AML.T0065", "LLM Prompt Crafting")
PROBING = Technique(ATLAS, "AML.T0063", "Discover AI Model Outputs")
CASE_STUDY = Technique(ATLAS, "AML.CS0056", "Model Distillation Campaigns Targeting Anthropic Claude")


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
