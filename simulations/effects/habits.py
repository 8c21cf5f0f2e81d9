"""Whether the declared shares of accounts ask for log-probabilities and several answers, and name what they name."""

from simulations.effects.checks import Check, counted
from simulations.effects.gathered import Found
from simulations.population import Cast

#: Column of the log that shows each habit.
SHOWN_BY = {
    "p_logprobs": "wants_logprobs",
    "p_choices": "n_choices",
    "p_sessions": "session_id",
    "p_end_users": "end_user_id",
}


class Habits:
    """Every account has each habit or not, as often as its actor says."""

    parameters = tuple(SHOWN_BY)
    reads: tuple[str, ...] = ()
    silence = "no account came"

    def applies(self, cast: Cast) -> bool:
        """Everybody has habits."""
        return True

    def checks(self, found: Found) -> list[Check]:
        """Compare the share of the accounts that came."""
        came = found.n_events > 0
        if not came.any():
            return []
        return [
            counted(f"share of accounts with {column}", getattr(found.cast.actor.habits, habit),
                    found.has_set(column)[came].mean(), n=came.sum())
            for habit, column in SHOWN_BY.items()
        ]  # fmt: skip
