"""A finding as a line of ArcSight's Common Event Format, for syslog.

Texts are made visible by `safe_text` first, so a line holds no control character; then escaped as the format asks.
Undo both and a name is as it was in the log. The key `act` (action taken) is never written: nothing was done.

References: ArcSight Common Event Format, implementation standard: seven header fields, in which ``\\`` and ``|`` are
escaped; an extension of key=value, in which ``\\``, ``=`` and line ends are. Ids hold 1,023 characters.
"""

from typing import Any

from detector.reports.caveats import remark
from detector.reports.exports import telling
from detector.reports.exports.telling import Finding, Run
from detector.reports.safe import safe_name, safe_text

SIGNATURE = "model-distillation"
LONGEST = 1023
#: 0 to 3 is Low, 4 to 6 Medium, 7 and 8 High, by the standard.
SEVERITY = {"none": 1, "review": 3, "throttle": 6, "revoke": 8}


def escape_header(text: str) -> str:
    r"""Write a text as a header field.

    Examples
    --------
    >>> print(escape_header("a|b\\c"))
    a\|b\\c
    """
    return safe_text(text).replace("\\", "\\\\").replace("|", "\\|")


def escape_value(text: str) -> str:
    r"""Write a text as a value of the extension.

    Examples
    --------
    >>> print(escape_value("a=b|c"))
    a\=b|c
    """
    return safe_text(text).replace("\\", "\\\\").replace("=", "\\=")


def line(finding: Finding, run: Run) -> str:
    """Write a finding as one line."""
    severity = SEVERITY[finding["action_recommended"]]
    head = (telling.VENDOR, telling.PRODUCT, str(run.get("stillwatch", "")), SIGNATURE, telling.TITLE, str(severity))
    filled = {key: value for key, value in _extension(finding, run).items() if value not in (None, "")}
    extension = " ".join(f"{key}={escape_value(str(value))}" for key, value in filled.items())
    return "|".join(["CEF:0", *map(escape_header, head), extension])


def _extension(finding: Finding, run: Run) -> dict[str, Any]:
    name = finding["account_id"]
    own: dict[str, Any] = {
        "rt": telling.epoch_ms(telling.judged_at(finding, run)),
        "start": telling.epoch_ms(finding["first_seen_at"]),
        "end": telling.epoch_ms(finding["last_seen_at"]),
        "externalId": telling.uid(finding, run),
        "cat": "Model extraction",
        "suid": name if len(safe_text(name)) <= LONGEST else safe_name(name, limit=LONGEST - 100),
        "cnt": finding["n_events"],
        "reason": _shortened(telling.reasons(finding)),
    }
    extras = {
        "cs1": ("recommended", finding["action_recommended"]),
        "cs2": ("families", ",".join(finding["families"])),
        "cs3": ("cluster", finding["cluster_id"]),
        "cs4": ("techniques", ",".join(one["id"] for one in finding["techniques"])),
        "cs5": ("accountRemark", remark(name)),
        "cs6": ("heldBack", ",".join(finding["held_back"])),
        "cfp1": ("scoreLogOdds", finding["score"]),
        "cfp2": ("pValue", finding["p_value"]),
        "cn1": ("rank", finding["rank"]),
    }
    for key, (label, value) in extras.items():
        if value not in (None, ""):
            own |= {key: value, f"{key}Label": label}
    return own | {"msg": _shortened(telling.recommendation(finding))}


def _shortened(text: str) -> str:
    """Cut words of ours to what a field holds; names are never cut so."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"
