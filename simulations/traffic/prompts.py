"""What is asked: the ways of people, products, labelling jobs and harvests.

Calibrated on medians per kind of corpus: people are messy (lower case 12 to 44 %, "please" 6 %, first person 32 %,
repeats 7 %, length variation 1.8); answer collection is clean, uniform and broader than any person; generator
requests and honest labelling both repeat one template.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulations.streams import Counts
from simulations.traffic.pen import Pen, Slot, domain_size, vocabulary

#: Domains that one person talks about. Chosen: gives a person's prompts a common vocabulary, as real chats have.
DOMAINS_OF_A_PERSON = 3
#: Share of people who write in lower case (chats: 35 to 44 %) and of their requests where they do.
P_LOWER_PERSON, P_LOWER = 0.45, 0.85
#: Share of a person's requests that ask the one before again (real chats: 7 % of turns, follow-ups included).
P_REPEAT = 0.03
#: Share of later turns that are a bare follow-up. Chosen.
P_FOLLOWUP = 0.22
#: Share of requests with pasted text, and the sentences pasted: median and sigma (length variation 1.8).
P_PASTE, PASTE_MEDIAN, PASTE_SIGMA = 0.14, 6.0, 0.9


Patterns = tuple[tuple[float, str], ...]
FOLLOWUPS: Patterns = ((0.75, "{followups}"), (0.25, "and what about the {own}?"))
QUESTIONS: Patterns = (
    (3, "how do i {wishes} my {own}?"),
    (3, "my {own} {problems}, what should I do?"),
    (2, "what is the difference between {own} and {own:b}?"),
    (3, "write {forms} about {own} for {audiences}"),
    (2, "I want to {wishes} a {qualities} {own}, {reasons}"),
    (2, "explain {own} {limits}"),
    (1, "{qualities} {own} ideas"),
    (1, "{own}?"),
    (1, "is a {own} {qualities} for {audiences} or rather {qualities:b}?"),
)
OPENINGS: Patterns = ((0.84, ""), (0.08, "{greetings}"), (0.08, "please "))
CLOSINGS: Patterns = ((0.86, ""), (0.09, " {reasons:end}"), (0.05, " {limits:end}"))
PASTE_REQUESTS: Patterns = ((1, "{wishes} this {limits}:\n\n"), (1, "turn this into {forms}: "))
CUSTOMERS: Patterns = (
    (4, "{requests} the {goods}?"),
    (2, "{requests} order {number} ({goods})"),
    (2, "My {goods} {problems}. {feelings}"),
    (1, "{followups}"),
    (1, "Hello, {requests} the {qualities} {goods}, {reasons}?"),
)
INSTRUCTIONS: Patterns = (
    (3, "{commands} {aspects} the {subjects} {contexts}."),
    (2, "{commands} how the {subjects} differs from the {subjects:b} {contexts}."),
    (1, "{commands} {aspects} the {subjects}. Use this passage: {passage}"),
    (1, "{commands} {aspects} the {subjects}. {commands:b} it {contexts} and name {number} examples."),
)


def chat(pen: Pen, turn: Counts) -> pa.Array:
    """Write what people ask.

    Parameters
    ----------
    pen: with the person's key.
    turn: requests before this one in the conversation.
    """
    draw, keys = pen.streams, pen.keys
    again = draw.chance(keys, "asks again", pen.index, p=P_REPEAT) & (turn > 0)
    typos = np.minimum(draw.exponential(keys, "typos", mean=0.03), 0.3)
    pen = Pen(draw, keys, pen.index - again, typos)
    follows = draw.chance(keys, "follows up", pen.index, p=P_FOLLOWUP) & (turn > again)
    pastes = draw.chance(keys, "pastes", pen.index, p=P_PASTE)
    kind = np.where(follows, 0, np.where(pastes, 1, 2))
    text = pen.by(kind, [_followup, _pasted, _question])
    lower = draw.chance(keys, "lower person", p=P_LOWER_PERSON) & draw.chance(keys, "lower", pen.index, p=P_LOWER)
    return pc.if_else(pa.array(lower), pc.utf8_lower(text), _capitalised(text))


def _own_subject(pen: Pen, place: str) -> pa.Array:
    n_domains = len(vocabulary()["subjects"]) // domain_size()
    favourite = pen.streams.integers(pen.keys, f"favourite/{place}", pen.index, below=DOMAINS_OF_A_PERSON)
    domain = pen.streams.integers(pen.keys, "domain", favourite, below=n_domains)
    within = pen.streams.integers(pen.keys, f"subject/{place}", pen.index, below=domain_size())
    return pen.nth("subjects", domain * domain_size() + within, place)


OWN: Mapping[str, Slot] = {"own": _own_subject}


def _followup(pen: Pen) -> pa.Array:
    return pen.one_pattern_of("followup", FOLLOWUPS, OWN)


def _question(pen: Pen) -> pa.Array:
    opened = pen.one_pattern_of("opening", OPENINGS)
    closed = pen.one_pattern_of("closing", CLOSINGS)
    return pen.join(opened, pen.one_pattern_of("question", QUESTIONS, OWN), closed)


def _pasted(pen: Pen) -> pa.Array:
    length = pen.streams.lognormal(pen.keys, "paste length", pen.index, median=PASTE_MEDIAN, sigma=PASTE_SIGMA)
    passage = pen.passage("paste", np.clip(length, 1, 60).astype(np.int64), {"subjects": _own_subject})
    return pen.join(pen.one_pattern_of("pasted", PASTE_REQUESTS), passage)


def _capitalised(text: pa.Array) -> pa.Array:
    head = pc.utf8_upper(pc.utf8_slice_codeunits(text, 0, 1))
    return pc.binary_join_element_wise(head, pc.utf8_slice_codeunits(text, 1), "")


def shop_rules(pen: Pen) -> pa.Array:
    """Write a product's system prompt, one per key."""
    return pen.settled().fill("You are the assistant of {shops}. {manners} {manners:b}")


def customer(pen: Pen) -> pa.Array:
    """Write what a product's end users ask it."""
    return pen.one_pattern_of("customer", CUSTOMERS, {"number": lambda p, place: p.number(place, below=900_000)})


def article(pen: Pen) -> pa.Array:
    """Write what a product asks that writes at length: the nearest honest neighbour of a harvest."""
    return pen.join(pen.settled().phrase("articles"), pen.fill(" {qualities} {subjects} {moments}"))


def labelling(pen: Pen) -> pa.Array:
    """Write an honest labelling job: one template per key, an item per request."""
    n_sentences = 1 + pen.streams.integers(pen.keys, "item length", pen.index, below=4)
    item = pen.join(pen.fill("{goods}: {feelings}, {feelings:b}. "), pen.passage("item", n_sentences))
    template = pen.settled().fill("{tasks}\nLabels: {labels}. {rules}\n\nText: ")
    return pen.join(template, item, "\nLabel:")


def generator(pen: Pen, template: Pen) -> pa.Array:
    """Write a harvest's first stage: a long constant template with three seed tasks that change.

    Parameters
    ----------
    pen: with the key of the prompt set, and the number of the item as index.
    template: with the key of the template.
    """
    rules = "".join(f"\n{number + 1}. {{demand:{number}}}" for number in range(5))
    header = template.settled().fill("{makers}\nRequirements:" + rules + "\n\nList of 20 tasks:", {"demand": _demand})
    seeds = (pen.join(f"\n###\n{number + 1}. Instruction: ", instruction(pen, str(number))) for number in range(3))
    return pen.join(header, *seeds, "\n###\n4. Instruction:")


def _demand(pen: Pen, place: str) -> pa.Array:
    n = len(vocabulary()["demands"])
    first = pen.streams.integers(pen.keys, "first demand", pen.index, below=n)
    return pen.nth("demands", (first + 3 * int(place)) % n)  # 3 and the length share no factor: no demand comes twice


def answer_collection(pen: Pen, template: Pen) -> pa.Array:
    """Write a harvest's second stage: clean instructions over all subjects, no mess, no template but a suffix.

    Parameters
    ----------
    pen: with the key of the prompt set, and the number of the item as index.
    template: with the key of the campaign: half of the campaigns ask for the reasoning.
    """
    suffix = template.settled().one_pattern_of("elicits", ((0.5, ""), (0.5, " {elicitations}")))
    return pen.join(instruction(pen, ""), suffix)


def instruction(pen: Pen, place: str) -> pa.Array:
    """Write clean instructions of one style; places make several in one text independent."""

    def word(listing: str) -> Slot:
        return lambda p, inner: p.phrase(listing, place + inner)

    def passage(p: Pen, inner: str) -> pa.Array:
        return p.passage(place, 2 + p.streams.integers(p.keys, f"sentences/{place}", p.index, below=4))

    slots: dict[str, Slot] = {listing: word(listing) for listing in ("commands", "aspects", "subjects", "contexts")}
    slots["passage"] = passage
    slots["number"] = lambda p, inner: p.number(place + inner, below=8)
    return pen.one_pattern_of(f"instruction/{place}", INSTRUCTIONS, slots)


def n_chars(text: pa.Array) -> Counts:
    """Count characters."""
    counted: Counts = pc.utf8_length(text).to_numpy(zero_copy_only=False).astype(np.int64)
    return counted


def nothing(n: int) -> pa.Array:
    """Leave n texts out."""
    return pa.nulls(n, pa.string())
