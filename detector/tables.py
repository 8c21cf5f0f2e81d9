"""The column contracts where stages meet. Stages exchange these tables and never call each other's code.

Absent is null, never 0 or an empty string. Instants are UTC with microseconds.
"""

import pyarrow as pa

INSTANT = pa.timestamp("us", tz="UTC")

#: One request. Only the first two are required. Names follow the OpenTelemetry GenAI conventions where those have one.
#: `n_requests` is for logs that hold counts per bucket (level L0); absent means that a row is one request.
EVENTS = pa.schema(
    [
        pa.field("occurred_at", INSTANT, nullable=False),
        pa.field("account_id", pa.string(), nullable=False),
        ("request_id", pa.string()),
        ("api_key_id", pa.string()),
        ("org_id", pa.string()),
        ("payment_id", pa.string()),
        ("end_user_id", pa.string()),
        ("session_id", pa.string()),
        ("ip", pa.string()),
        ("asn", pa.int64()),
        ("country", pa.string()),
        ("user_agent", pa.string()),
        ("tls_fingerprint", pa.string()),
        ("model", pa.string()),
        ("operation", pa.string()),
        ("system_prompt", pa.string()),
        ("prompt", pa.string()),
        ("completion", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("reasoning_tokens", pa.int64()),
        ("max_output_tokens", pa.int64()),
        ("temperature", pa.float64()),
        ("n_choices", pa.int64()),
        ("wants_logprobs", pa.bool_()),
        ("status_code", pa.int64()),
        ("finish_reason", pa.string()),
        ("refusal_category", pa.string()),
        ("latency_ms", pa.float64()),
        ("cost_usd", pa.float64()),
        ("n_requests", pa.int64()),
    ]
)

REQUIRED = ("occurred_at", "account_id")
TEXT_COLUMNS = ("system_prompt", "prompt", "completion")
NETWORK_COLUMNS = ("ip", "asn", "user_agent", "tls_fingerprint", "payment_id", "org_id")

#: The optional second file: what is known of an account besides its requests.
ACCOUNTS = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        ("created_at", INSTANT),
        ("org_id", pa.string()),
        ("payment_id", pa.string()),
        ("email_domain", pa.string()),
        ("plan", pa.string()),
        ("country", pa.string()),
    ]
)

FAMILIES = ("rate", "content", "network", "economy")
ACTIONS = ("none", "review", "throttle", "revoke")

#: One row per account as `score` writes it. `score` is in log-odds (natural logarithm); higher is more suspicious.
#: `held_back` names what a flagged account lacks for a revocation, see `policy.NEEDED`.
SCORED = pa.schema(
    [
        ("account_id", pa.string()),
        ("score", pa.float64()),
        ("p_value", pa.float64()),
        ("e_value", pa.float64()),
        ("rank", pa.int64()),
        ("is_flagged", pa.bool_()),
        ("action", pa.string()),
        ("score_rate", pa.float64()),
        ("score_content", pa.float64()),
        ("score_network", pa.float64()),
        ("score_economy", pa.float64()),
        ("cluster_id", pa.string()),
        ("n_events", pa.int64()),
        ("first_seen_at", INSTANT),
        ("last_seen_at", INSTANT),
        ("held_back", pa.string()),
    ]
)

#: What accounts have gathered over repeated looks; see `detector.sequential`. Accounts of earlier looks stay.
HISTORY = pa.schema(
    [
        ("account_id", pa.string()),
        ("e_process", pa.float64()),
        ("is_alarm", pa.bool_()),
        ("n_looks", pa.int64()),
        ("n_planned", pa.int64()),
    ]
)

#: One row per group of linked accounts. `link_kinds` is comma-separated, most frequent first.
CLUSTERS = pa.schema(
    [
        ("cluster_id", pa.string()),
        ("n_accounts", pa.int64()),
        ("n_events", pa.int64()),
        ("score", pa.float64()),
        ("n_flagged", pa.int64()),
        ("link_kinds", pa.string()),
        ("n_shared_things", pa.int64()),
        ("first_seen_at", INSTANT),
        ("last_seen_at", INSTANT),
    ]
)

#: One row per account and reason. Per account, the `prior` row plus all contributions is the score, exactly.
#: `subject` tells whether the value was measured on the account or on its cluster's merged profile.
#: `reference`, `usual_low` and `usual_high` are the median, 5 % and 95 % quantile of the honest accounts behind the
#: model; where it keeps none, `reference` is the log's median and the others are null.
#: `percentile` is among `n_peers` accounts, the account itself among them; `peers` says of which kind.
EVIDENCE = pa.schema(
    [
        ("account_id", pa.string()),
        ("family", pa.string()),
        ("feature", pa.string()),
        ("subject", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("reference", pa.float64()),
        ("usual_low", pa.float64()),
        ("usual_high", pa.float64()),
        ("percentile", pa.float64()),
        ("n_peers", pa.int64()),
        ("peers", pa.string()),
        ("contribution", pa.float64()),
        ("meaning", pa.string()),
    ]
)

#: One row per account and kind of honest customer that the model knows, for flagged and the most suspicious accounts.
#: `distance` is the mean over features in robust spreads of the kind; of its own members half keep within `typical` and
#: 95 % within `far`.
LOOKALIKES = pa.schema(
    [
        ("account_id", pa.string()),
        ("kind", pa.string()),
        ("distance", pa.float64()),
        ("typical", pa.float64()),
        ("far", pa.float64()),
        ("n_accounts", pa.int64()),
    ]
)

#: One row per account and thing it shares with other accounts.
#: `thing` is an id or address of the log, or a fingerprint in hex where the thing itself is text.
LINKS = pa.schema(
    [
        ("account_id", pa.string()),
        ("kind", pa.string()),
        ("thing", pa.string()),
        ("n_accounts", pa.int64()),
        ("n_events", pa.int64()),
    ]
)

#: From where accounts call (`seen_in` log) or sign in (audit), as context that moves no score; made only where a
#: database of operators or an audit log was given. `scope` is the account or its cluster, `asns` lists the operators of
#: most networks. Of a log, networks are those that profiles keep, and clients are not counted.
ORIGINS = pa.schema(
    [
        ("account_id", pa.string()),
        ("scope", pa.string()),
        ("seen_in", pa.string()),
        ("n_networks", pa.int64()),
        ("n_asns", pa.int64()),
        ("n_user_agents", pa.int64()),
        ("n_tls_fingerprints", pa.int64()),
        ("asns", pa.string()),
    ]
)

#: Requests over time, per account: a row per non-empty bucket. Widths are hours times a power of two.
TIMELINE = pa.schema(
    [
        ("account_id", pa.string()),
        ("begins_at", INSTANT),
        ("width_s", pa.int64()),
        ("n_events", pa.int64()),
    ]
)

#: Redacted prompts of flagged accounts; made only when the user asks for excerpts.
EXCERPTS = pa.schema([("account_id", pa.string()), ("excerpt", pa.string())])

#: A row that could not be read: which file, which line (1 is the first), why. Never what the row held.
REJECTED = pa.schema([("file", pa.string()), ("line", pa.int64()), ("reason", pa.string())])

#: Who was what; made only by `simulations`, never a column of `events`.
TRUTH = pa.schema(
    [
        pa.field("account_id", pa.string(), nullable=False),
        pa.field("persona", pa.string(), nullable=False),
        pa.field("is_extraction", pa.bool_(), nullable=False),
        ("campaign_id", pa.string()),
        pa.field("n_events", pa.int64(), nullable=False),
        pa.field("n_extraction_events", pa.int64(), nullable=False),
    ]
)
