"""The columns of `events`: network, model, limits, outcome, cost and text of some requests. No actor is known here.

Answers are never written: `completion` is null, and tells nothing that length and outcome do not.
Columns with few values are dictionaries (`LEAN`), which are faster to make and to write; `whole` spells them out.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from detector.tables import EVENTS
from simulations.crowd import END_USER, FIRST_TRIES, Horizon
from simulations.draws import unit
from simulations.population import TALKS_ALWAYS, TALKS_AS_KIND, Population
from simulations.spill import Records, taken
from simulations.streams import Counts, Flags, Keys, Streams, key_of
from simulations.traffic import identity, lengths
from simulations.traffic.grammar import Grammar
from simulations.traffic.kinds import KINDS
from simulations.traffic.names import id_numbers, id_texts, ip_texts
from simulations.traffic.writing import Texts, write

MODELS = pa.array(["stone-large", "stone-medium", "stone-small", "stone-next"])
FINISHES = pa.array(["stop", "length", "refusal"])
REFUSAL = pa.array(["policy"])
OPERATION = pa.array(["chat"])
#: Columns with a value per account.
OF_ACCOUNTS = ("account_id", "api_key_id", "org_id", "payment_id")
_FEW = ("model", "operation", "user_agent", "country", "finish_reason", "refusal_category")


def _lean(field: pa.Field) -> pa.Field:
    if field.name in _FEW:
        return field.with_type(pa.dictionary(pa.int8(), pa.string()))
    return field.with_type(pa.dictionary(pa.int32(), pa.string())) if field.name in OF_ACCOUNTS else field


#: `detector.tables.EVENTS` with dictionaries.
LEAN = pa.schema([_lean(field) for field in EVENTS])


def whole(events: pa.Table) -> pa.Table:
    """Spell dictionaries out: gives a table of `detector.tables.EVENTS`."""
    return events.cast(EVENTS).combine_chunks()


@lru_cache(maxsize=64)
def _absent(n: int, kind: pa.DataType) -> pa.Array:
    return pa.nulls(n, kind)


@dataclass(frozen=True)
class Scene:
    """All that is needed to write any request of a log."""

    seed: int
    horizon: Horizon
    population: Population
    grammar: Grammar
    rules: Counts
    """Shape (n_cohorts, n_kinds): rule of the prompt."""
    system_rules: Counts
    """Rule of the system prompt of each kind; below 0 is none."""
    has_corpus: Flags
    """Shape (n_cohorts,): whether texts are a user's own and written as they are."""
    has_text: bool

    def table(self, records: Records) -> pa.Table:
        """Write requests as rows of `LEAN`, in the order given."""
        account, ordinal = records["account"], records["ordinal"].astype(np.int64)
        cohort = np.searchsorted(self.population.firsts, account, side="right") - 1
        traits = taken(self.population.traits, account)
        keys = traits["key"].copy()
        prompt, system = self._texts(records, keys, cohort)
        columns = {
            "occurred_at": self._instants(records["at_us"]),
            "operation": _taken(OPERATION, np.zeros(len(records), dtype=np.int8)),
            "prompt": prompt.written,
            "system_prompt": system.written,
            **self._who(records, traits, ordinal, cohort),
            **self._outcome(records, traits, ordinal, prompt.n_chars + system.n_chars),
        }
        arrays = [
            _absent(len(records), field.type) if columns.get(field.name) is None else columns[field.name]
            for field in LEAN
        ]
        return pa.Table.from_arrays(arrays, schema=LEAN)

    def _instants(self, at_us: Counts) -> pa.Array:
        begins = np.int64(round(self.horizon.begins_s * 1e6))
        return pa.array(begins + at_us).cast(EVENTS.field("occurred_at").type)

    def _texts(self, records: Records, keys: Keys, cohort: Counts) -> tuple[Texts, Texts]:
        kind, owner, item = records["kind"], records["owner"].copy(), records["item"].copy()
        messy = np.array([k.is_messy for k in KINDS.values()])[kind] & ~self.has_corpus[cohort]
        options: dict[str, Any] = {"seed": self.seed, "using": self.grammar, "is_text": self.has_text}
        prompt = write(self.rules[cohort, kind], owner, item, messy, **options)
        conversation = records["session"].astype(np.int64)
        system = write(self.system_rules[kind], keys, conversation, np.zeros_like(messy), **options)
        return prompt, system

    def _who(self, records: Records, traits: Records, ordinal: Counts, cohort: Counts) -> dict[str, pa.Array]:
        every, keys = self.population, traits["key"]
        sticky = every.is_sticky[cohort]
        moment = np.where(sticky, records["session"], ordinal & (FIRST_TRIES - 1))
        base = np.uint64(key_of("draw", self.seed, "address used"))
        address, network = _places(keys, traits["addresses"], traits["networks"], moment, base, cohort,
                                   every.slot_bounds)  # fmt: skip
        return {
            **self._ids(records["account"]),
            "session_id": self._sessions(records, traits),
            "end_user_id": self._end_users(records, traits),
            "request_id": id_texts("req_", id_numbers(keys, ordinal, self.seed, "request id"), digits=16),
            "ip": ip_texts(address),
            "asn": pa.array(identity.ASNS[network]),
            "country": _taken(identity.COUNTRIES, identity.COUNTRY_OF[network]),
            "user_agent": _taken(identity.CLIENTS, traits["client"]),
        }

    def _ids(self, account: npt.NDArray[np.uint32]) -> dict[str, pa.Array]:
        """Write what an account has one of, once per account."""
        every = self.population
        rows, present = _in_order_of_appearance(account, np.full(len(every), -1, dtype=np.int32))
        keys, zero, places = every.keys[present], np.zeros(len(present), dtype=np.int64), pa.array(rows)
        own = {"account_id": ("acct_", "account id", 14), "api_key_id": ("key_", "api key", 12)}
        shared = {"org_id": ("org_", every.organisation), "payment_id": ("pay_", every.payment)}
        columns = {
            name: pa.DictionaryArray.from_arrays(
                places, id_texts(prefix, id_numbers(keys, zero, self.seed, purpose), digits=digits)
            )
            for name, (prefix, purpose, digits) in own.items()
        }
        for name, (prefix, numbers) in shared.items():
            columns[name] = _shared(prefix, numbers[present], places)
        return columns

    def _sessions(self, records: Records, traits: Records) -> pa.Array:
        """Write the ids that clients give to their conversations; they say nothing of the account."""
        numbers = id_numbers(traits["key"], records["session"].astype(np.int64), self.seed, "session id")
        return id_texts("sess_", np.where(traits["names_sessions"], numbers, np.uint64(0)), digits=14)

    def _end_users(self, records: Records, traits: Records) -> pa.Array:
        """Write the hashed ids by which clients tell apart the people they ask for; accounts share no person."""
        rows = np.flatnonzero(traits["end_users"])
        whose, conversation = traits["key"][rows], records["session"][rows].astype(np.int64)
        who = Streams(self.seed).integers(whose, END_USER, conversation, below=traits["end_users"][rows])
        numbers = np.zeros(len(traits), dtype=np.uint64)
        numbers[rows] = id_numbers(whose, who, self.seed, "end user id")
        return id_texts("user_", numbers, digits=12)

    def _outcome(self, records: Records, traits: Records, ordinal: Counts, chars: Counts) -> dict[str, pa.Array]:
        n, keys = len(records), traits["key"]
        model, status, finish, asked, answered = (np.empty(n, dtype=np.int64) for _ in range(5))
        latency_ms, cost_usd = np.empty(n), np.empty(n)
        kind, talks = records["kind"].astype(np.int64), traits["talks"]
        limit = _limits(traits["limit"].astype(np.int64), kind, keys, ordinal & (FIRST_TRIES - 1), self.seed)
        carries = (talks == TALKS_ALWAYS) | ((talks == TALKS_AS_KIND) & _HAS_HISTORY[kind])
        lengths.end_requests(
            keys, ordinal, np.ascontiguousarray(records["at_us"]), records["session"].astype(np.int64),
            np.where(carries, records["turn"], 0), kind, chars, records["at_us"] / 1e6 - self.horizon.release_s,
            traits["preferred"], traits["p_pivot"], limit, *_KIND_LENGTHS, _bases(self.seed),
            model, status, finish, asked, answered, latency_ms, cost_usd,
        )  # fmt: skip
        served, choices, warmth, logprobs = (
            status == 200, traits["n_choices"], traits["temperature"], traits["wants_logprobs"]
        )  # fmt: skip
        return {
            "model": _taken(MODELS, model),
            "input_tokens": pa.array(asked),
            "output_tokens": _only(served, answered),
            "max_output_tokens": _only(limit > 0, limit),
            "temperature": _only(warmth >= 0, warmth),
            "n_choices": _only(choices > 0, choices.astype(np.int64)),
            "wants_logprobs": _only(logprobs, logprobs),
            "status_code": pa.array(status),
            "finish_reason": _taken(FINISHES, finish, served),
            "refusal_category": _taken(REFUSAL, np.zeros_like(finish), served & (finish == lengths.REFUSAL)),
            "latency_ms": _only(served, latency_ms),
            "cost_usd": _only(served, cost_usd),
        }


_KIND_LENGTHS = (
    np.array([kind.answer_tokens for kind in KINDS.values()]),
    np.array([kind.answer_spread for kind in KINDS.values()]),
    np.array([kind.context_tokens for kind in KINDS.values()]),
)
_HAS_HISTORY = np.array([kind.has_history for kind in KINDS.values()])
#: A limit this many times below the median answer would leave nothing to read. Chosen.
CUTS_SHORT = 8.0
#: Share of such requests that set it all the same: checks and yes-or-no steps between the others (Self-Instruct asks
#: for 3 tokens in its sorting stage and for 1,024 elsewhere). Assumed.
P_CUT_SHORT = 0.08


def _limits(limit: Counts, kind: Counts, keys: Keys, ordinal: Counts, seed: int) -> Counts:
    """Set an account's limit where answers fit, and only now and then where they hardly begin."""
    short = np.flatnonzero((limit > 0) & (limit * CUTS_SHORT < _KIND_LENGTHS[0][kind]))
    is_set = Streams(seed).chance(keys[short], "cuts short", ordinal[short], p=P_CUT_SHORT)
    kept = limit.copy()
    kept[short[~is_set]] = 0
    return kept


def _bases(seed: int) -> Keys:
    return np.array([key_of("draw", seed, purpose) for purpose in lengths.PURPOSES], dtype=np.uint64)


def _shared(prefix: str, numbers: Keys, places: pa.Array) -> pa.DictionaryArray:
    """Give each row its account's id; one that accounts share is one word of the dictionary, 0 is none."""
    words = pa.array(numbers, mask=numbers == 0).dictionary_encode()
    texts = id_texts(prefix, words.dictionary.to_numpy(), digits=12)
    return pa.DictionaryArray.from_arrays(words.indices.take(places), texts)


def _taken(words: pa.Array, places: Any, known: Flags | None = None) -> pa.Array:
    chosen = pa.array(places.astype(np.int8, copy=False), mask=None if known is None else ~known)
    return pa.DictionaryArray.from_arrays(chosen, words)


def _only(where: Flags, values: Any) -> pa.Array:
    return pa.array(values, mask=~where)


@njit(cache=True, nogil=True)
def _places(keys: Any, addresses: Any, networks: Any, moment: Any, base: Any, cohort: Any, bounds: Any) -> Any:
    """Draw which of its addresses an account uses: gives address and network."""
    address, network = np.empty(len(keys), np.uint32), np.empty(len(keys), np.int64)
    for row in range(len(keys)):
        drawn, slot = unit(keys[row], base, moment[row]), 0
        while drawn >= bounds[cohort[row], slot]:
            slot += 1
        address[row], network[row] = addresses[row, slot], networks[row, slot]
    return address, network


@njit(cache=True, nogil=True)
def _in_order_of_appearance(account: Any, place: Any) -> Any:
    """Number accounts as they come; `place` is -1 for all and is filled."""
    rows, present, n = np.empty(len(account), np.int32), np.empty(len(account), np.int64), 0
    for row in range(len(account)):
        who = account[row]
        if place[who] < 0:
            place[who] = n
            present[n] = who
            n += 1
        rows[row] = place[who]
    return rows, present[:n].copy()
