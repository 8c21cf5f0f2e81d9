"""The columns of `events` that every actor shares: network, model, limits, outcome, cost. No actor is known here."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.tables import EVENTS
from simulations.actors import Plan
from simulations.crowd import Crowd, Requests, Visits
from simulations.streams import Counts, Flags, Reals
from simulations.traffic import identity, lengths

MODELS = pa.array(["stone-large", "stone-medium", "stone-small"])
#: Share of an account's requests that go to the model it prefers. Assumed.
P_PREFERRED = 0.85
#: Limits on answers [tokens], 0 is none, and how often accounts set them. Assumed; no limit marks distillation:
#: real pipelines use 3 to 16,384, as honest tools do.
LIMITS, LIMIT_WEIGHTS = np.array([0, 512, 1024, 2048, 4096, 16_384]), (0.35, 0.08, 0.17, 0.17, 0.15, 0.08)
#: What the models can answer at most [tokens]. Assumed.
MODEL_LIMIT = 32_768
#: Sampling temperatures, -1 is unset, and how often accounts set them. Assumed; real pipelines span 0 to 1.
TEMPERATURES, TEMPERATURE_WEIGHTS = np.array([-1.0, 0.0, 0.2, 0.7, 1.0]), (0.45, 0.18, 0.09, 0.18, 0.10)
#: Outcomes and their shares: 1.8 % fail (BurstGPT).
STATUSES, STATUS_WEIGHTS = np.array([200, 429, 500]), (0.982, 0.012, 0.006)
#: Share of answers that are refused. Assumed.
P_REFUSED = 0.004
FINISHES = pa.array(["stop", "length", "refusal"])


def event_columns(crowd: Crowd, plan: Plan, visits: Visits, requests: Requests, *, instants_us: Counts) -> pa.Table:
    """Write the rows of some visits.

    Parameters
    ----------
    requests: what the actor asked in these visits.
    instants_us: when, in microseconds of Unix time.

    Returns
    -------
    A table of `detector.tables.EVENTS`, in the order of the visits.
    """
    columns = {
        "occurred_at": pa.array(instants_us).cast(EVENTS.field("occurred_at").type),
        "operation": pa.array(["chat"] * len(visits)),
        "prompt": requests.prompt,
        "system_prompt": requests.system_prompt,
        **_who(crowd, plan, visits),
        **_outcome(crowd, plan, visits, requests),
    }
    absent = pa.nulls(len(visits))
    return pa.table([columns.get(field.name, absent).cast(field.type) for field in EVENTS], schema=EVENTS)


def _who(crowd: Crowd, plan: Plan, visits: Visits) -> dict[str, pa.Array]:
    known, member = plan.identity, visits.member
    slot = identity.slots_used(crowd, known, visits)
    network = known.networks[member, slot]
    rows = pa.array(member)
    return {
        "account_id": identity.account_ids(crowd.keys, crowd.streams).take(rows),
        "request_id": identity.id_texts(
            "req_", crowd.streams.bits(crowd.keys[member], "request id", visits.ordinal), digits=16
        ),
        "api_key_id": identity.id_texts("key_", crowd.streams.bits(crowd.keys, "api key"), digits=12).take(rows),
        "org_id": identity.id_texts("org_", known.organisation, digits=12).take(rows),
        "payment_id": identity.id_texts("pay_", known.payment, digits=12).take(rows),
        "ip": identity.ip_texts(known.addresses[member, slot]),
        "asn": pa.array(identity.ASNS[network]),
        "country": identity.COUNTRIES.take(pa.array(network)),
        "user_agent": identity.CLIENTS.take(pa.array(known.client)).take(rows),
    }


def _outcome(crowd: Crowd, plan: Plan, visits: Visits, requests: Requests) -> dict[str, pa.Array]:
    draw, accounts, keys, ordinal = crowd.streams, crowd.keys, crowd.keys[visits.member], visits.ordinal
    model = _models(crowd, plan, visits)
    limit = LIMITS[draw.choice(accounts, "limit", weights=LIMIT_WEIGHTS)][visits.member]
    temperature = TEMPERATURES[draw.choice(accounts, "temperature", weights=TEMPERATURE_WEIGHTS)][visits.member]
    status = STATUSES[draw.choice(keys, "status", ordinal, weights=STATUS_WEIGHTS)]
    served, refused = status == 200, draw.chance(keys, "refused", ordinal, p=P_REFUSED)
    wanted = np.where(refused, np.minimum(requests.answer_tokens, 40.0), requests.answer_tokens)
    answered, cut = lengths.capped(wanted, np.where(limit > 0, limit, MODEL_LIMIT))
    asked = _asked(requests)
    finish = np.where(refused, 2, np.where(cut, 1, 0))
    return {
        "model": MODELS.take(pa.array(model)),
        "input_tokens": pa.array(asked),
        "output_tokens": _only(served, answered),
        "max_output_tokens": _only(limit > 0, limit),
        "temperature": _only(temperature >= 0, temperature),
        "status_code": pa.array(status),
        "finish_reason": pc.if_else(pa.array(served), FINISHES.take(pa.array(finish)), pa.scalar(None, pa.string())),
        "refusal_category": pc.if_else(pa.array(served & refused), pa.scalar("policy"), pa.scalar(None, pa.string())),
        "latency_ms": _only(served, lengths.latencies_ms(draw, keys, ordinal, model=model, answered=answered)),
        "cost_usd": _only(served, lengths.costs_usd(model, asked, answered)),
    }


def _models(crowd: Crowd, plan: Plan, visits: Visits) -> Counts:
    draw, keys = crowd.streams, crowd.keys[visits.member]
    preferred = draw.choice(crowd.keys, "model", weights=plan.model_weights)[visits.member]
    other = draw.integers(keys, "other model", visits.ordinal, below=len(MODELS))
    stays = draw.chance(keys, "keeps to model", visits.ordinal, p=P_PREFERRED)
    return np.where(stays, preferred, other)


def _asked(requests: Requests) -> Counts:
    asked = sum(_token_count(text) for text in (requests.prompt, requests.system_prompt))
    return np.maximum(1, asked) + requests.history_tokens


def _token_count(text: pa.Array) -> Counts:
    counted: Counts = pc.fill_null(pc.utf8_length(text), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return counted // lengths.CHARS_PER_TOKEN


def _only(where: Flags, values: Counts | Reals) -> pa.Array:
    return pa.array(values, mask=~where)
