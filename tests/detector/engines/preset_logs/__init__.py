"""A small hand-made log in each format, and the events that it stands for. Written from the formats' schemas."""

from tests.detector.engines.preset_logs import gateways, providers, tracing
from tests.detector.engines.preset_logs.writing import lines

CASES = {case.name: case for case in (*gateways.CASES, *tracing.CASES, *providers.CASES)}

#: Logs that are recognised and refused: preset to file.
REFUSED = {
    "openai-audit": lines(
        {
            "object": "list", "first_id": "a", "last_id": "a", "has_more": False,
            "data": [{"id": "a", "type": "login.succeeded", "effective_at": 1793589069}],
        }
    ),
    "cloudflare-logpush": lines(
        {"Gateway": "g", "Provider": "v", "Model": "m", "StatusCode": 200, "Metadata": {"data": "x"}}
    ),
}  # fmt: skip
