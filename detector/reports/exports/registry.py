"""The formats that findings can be exported to, by name, and how a file of them is written."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from detector.errors import UsageError, nearest
from detector.files import new_file
from detector.reports.exports import cef, ecs, litellm, ocsf
from detector.reports.exports.telling import Finding, Run
from detector.reports.findings import findings
from detector.results import Results
from detector.tables import ACTIONS


@dataclass(frozen=True)
class Export:
    """A format of one line per finding.

    Attributes
    ----------
    line: writes a finding, without the end of the line.
    least: weakest recommendation that is written where the user names none.
    """

    line: Callable[[Finding, Run], str]
    least: str = "none"


EXPORTS = {
    "ocsf": Export(ocsf.line),
    "ocsf-1.1": Export(ocsf.line_1_1),
    "ecs": Export(ecs.line),
    "cef": Export(cef.line),
    "litellm-plan": Export(litellm.line, least="revoke"),
}


def check_named(name: str, least: str | None) -> None:
    """Refuse names that `write_export` would refuse, before any work is done.

    Raises
    ------
    UsageError
        No export or recommendation has this name.
    """
    if name not in EXPORTS:
        raise UsageError(f"--format {name!r}: there is no such export; {nearest(name, EXPORTS)}")
    if least is not None and least not in ACTIONS:
        raise UsageError(f"--least {least!r}: is no recommendation; {nearest(least, ACTIONS)}")


def write_export(results: Results, name: str, out: Path, *, least: str | None = None) -> int:
    """Write the findings of a run in another format, whole or not at all.

    Parameters
    ----------
    name: one of `EXPORTS`.
    out: the file to make.
    least: weakest recommendation that is written, one of `tables.ACTIONS`; none is the format's own.

    Returns
    -------
    Number of lines.

    Raises
    ------
    UsageError
        No export or recommendation has this name, or no file can be made there.
    OutputNotEmptyError
        `out` is there already.
    """
    check_named(name, least)
    export = EXPORTS[name]
    wanted = ACTIONS[ACTIONS.index(export.least if least is None else least) :]
    n_lines = 0
    with new_file(out) as staging, staging.open("w", encoding="utf-8", newline="\n") as lines:
        for finding in findings(results):
            if finding["action_recommended"] in wanted:
                lines.write(export.line(finding, results.run) + "\n")
                n_lines += 1
    return n_lines
