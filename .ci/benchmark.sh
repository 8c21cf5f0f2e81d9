#!/usr/bin/env bash
# Runs a benchmark from STILLWATCH_ variables, for any pipeline, and adds its summary. It uploads nothing.
set -euo pipefail
: "${STILLWATCH_SUITE:?name a suite}" "${STILLWATCH_OUT:=stillwatch-benchmark}"
options=(--out "$STILLWATCH_OUT" --cache "${STILLWATCH_CACHE:-.stillwatch-cache}")
[[ -z "${STILLWATCH_BASELINE:-}" ]] || options+=(--baseline "$STILLWATCH_BASELINE")
[[ -z "${STILLWATCH_DETECTOR:-}" ]] || options+=(--detector "$STILLWATCH_DETECTOR")
[[ -z "${STILLWATCH_WORKERS:-}" ]] || options+=(--workers "$STILLWATCH_WORKERS")
code=0
"${STILLWATCH:-stillwatch}" benchmark "${options[@]}" -- "$STILLWATCH_SUITE" || code=$?
summary="${STILLWATCH_SUMMARY:-${GITHUB_STEP_SUMMARY:-}}"
if [[ -n "$summary" && -f "$STILLWATCH_OUT/summary.md" ]]; then
  cat "$STILLWATCH_OUT/summary.md" >> "$summary"
fi
exit "$code"
