"""The kinds of requests: which rule writes the text, how long answers are, what else is sent along.

Several actors share a kind. `is_extraction` is the truth about a request of that kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from simulations.streams import Counts


@dataclass(frozen=True)
class Kind:
    """A kind of requests."""

    rule: str
    system: str | None = None
    answer_tokens: float = 226.0
    """Median answer over accounts [tokens]."""
    answer_spread: float = 0.3
    """Spread of that median over accounts, as sigma of the logarithm."""
    context_tokens: float = 0.0
    """Median tokens sent along besides the text: tools, documents, pictures."""
    has_history: bool = False
    """Whether the conversation so far is sent along."""
    is_messy: bool = False
    """Whether a person types it: typos, lower case."""
    is_extraction: bool = False


# Answers in tokens: of chat, ShareGPT (log-normal, mu 5.42); of a shop's assistant, customer intents (80 to 90), spread
# over clients wider (ServeGen m-mid: client means from 5 to 756); of labels, auto-labelling corpora (6); of generator
# requests, 20 tasks under a limit of 3,072; of collected answers, distillation corpora (46 to 398). Others are chosen.
_PERSON = Kind("chat_first", is_messy=True, has_history=True)
_CUSTOMER = Kind("customer", system="shop_rules", answer_tokens=85.0, answer_spread=0.9, context_tokens=350.0)
_WRITER = Kind("article", system="writer_rules", answer_tokens=620.0, answer_spread=0.6)
_HARVEST = Kind("collected", answer_tokens=130.0, answer_spread=0.75, is_extraction=True)

_STATED: Mapping[str, Kind] = {
    "chat_first": _PERSON,
    "chat_later": replace(_PERSON, rule="chat_later"),
    "work_first": replace(_PERSON, rule="work_first", answer_tokens=320.0),
    "work_later": replace(_PERSON, rule="work_later", answer_tokens=260.0),
    "code_first": replace(_PERSON, rule="code_first", answer_tokens=380.0),
    "code_later": replace(_PERSON, rule="code_later", answer_tokens=300.0),
    "agent_step": Kind("agent_step", "agent_rules", 120.0, context_tokens=2500.0, has_history=True),
    "customer": _CUSTOMER,
    "article": _WRITER,
    "customer_bare": replace(_CUSTOMER, system=None),
    "article_bare": replace(_WRITER, system=None),
    "labelling": Kind("labelling", answer_tokens=6.0),
    "extraction": Kind("extraction", answer_tokens=45.0),
    "translation": Kind("translation", answer_tokens=110.0),
    "labelling_bare": Kind("labelling_bare", "labelling_rules", 6.0),
    "extraction_bare": Kind("extraction_bare", "extraction_rules", 45.0),
    "translation_bare": Kind("translation_bare", "translation_rules", 110.0),
    "exam": Kind("exam", answer_tokens=4.0),
    "exam_free": Kind("exam_free", answer_tokens=240.0, answer_spread=0.7),
    "licensed_data": Kind("licensed_data", answer_tokens=420.0, answer_spread=0.6),
    "digest": Kind("digest", answer_tokens=130.0),
    "lesson": Kind("lesson", answer_tokens=210.0, is_messy=True),
    "ping": Kind("ping", answer_tokens=60.0),
    "self_instruct": replace(_HARVEST, rule="self_instruct", answer_tokens=1500.0, answer_spread=0.3),
    "evol_instruct": replace(_HARVEST, rule="evol_instruct", answer_tokens=120.0),
    "collected": _HARVEST,
    "curated": replace(_HARVEST, rule="curated", answer_tokens=1800.0),
    "reasoning": replace(_HARVEST, rule="reasoning", answer_tokens=750.0),
    "reasoning_abroad": replace(_HARVEST, rule="reasoning_abroad", answer_tokens=800.0),
    "grading": replace(_HARVEST, rule="grading", answer_tokens=260.0),
    "replayed": replace(_HARVEST, rule="replayed", answer_tokens=700.0),
    "probe": replace(_HARVEST, rule="probe", answer_tokens=1.0, answer_spread=0.0),
    "tool_task": replace(_HARVEST, rule="tool_task", answer_tokens=420.0, context_tokens=1500.0, has_history=True),
}
#: Of requests with a system prompt where the kind has none, and of those without where it has one: the kind's name and
#: what follows it.
GUIDED, BARE = "_guided", "_bare"
#: Harvests go with a system prompt or without (Orca, WizardLM; Alpaca, Self-Instruct): each of their kinds comes twice.
KINDS: Mapping[str, Kind] = {
    **_STATED,
    **{
        f"{name}{GUIDED}": replace(kind, system="harvest_rules") for name, kind in _STATED.items() if kind.is_extraction
    },
}
_PLACES = {name: place for place, name in enumerate(KINDS)}
#: Place of each kind's version with a system prompt; its own where there is none.
GUIDED_OF = np.array([_PLACES.get(f"{name}{GUIDED}", place) for name, place in _PLACES.items()], dtype=np.int64)
IS_EXTRACTION = np.array([kind.is_extraction for kind in KINDS.values()])


def number(kind: str) -> int:
    """Give the place of a kind in `KINDS`."""
    return _PLACES[kind]


def versions(kind: str) -> Counts:
    """Give the places of a kind, with a system prompt and without."""
    return np.array([_PLACES[name] for name in (kind, f"{kind}{GUIDED}", f"{kind}{BARE}") if name in _PLACES])


def numbers(kinds: tuple[str, ...]) -> Counts:
    """Give the places of some kinds in `KINDS`."""
    return np.array([_PLACES[kind] for kind in kinds], dtype=np.int64)
