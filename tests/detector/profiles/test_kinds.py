"""Kinds by hand: which requests are typed, which are clean, and what is summed of each."""

from typing import Any

import numpy as np
import pytest

from detector.profiles.kinds import KINDS, OCTAVE
from tests.detector.features.small_logs import folded, log_of

TYPED, CLEAN = KINDS.index("typed"), KINDS.index("clean")


def kinds_of(prompts: list[str], **columns: Any) -> Any:
    """Fold prompts of one account, a second apart."""
    log = log_of(list(range(len(prompts))), prompt=np.array(prompts, dtype=object), **columns)
    return folded(log).states["text"]


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("hello there", TYPED),
        ("Tell me about rivers.", TYPED),
        ("Name a river, please.", TYPED),
        ("Name a river.", CLEAN),
        ("4 + 4 = ", CLEAN),
        ("Émile asks", CLEAN),
    ],
)
def test_the_mess_of_people_makes_a_request_typed(prompt: str, kind: int) -> None:
    """One habit is enough; numbers and letters outside ASCII are none."""
    expected = [int(k == kind) for k in range(len(KINDS))]
    assert kinds_of([prompt]).kind_prompts[0].tolist() == expected


def test_each_kind_has_its_own_sums() -> None:
    """Clean: 8 and 16 bytes, one of two lines. Typed: 4 and 2 bytes. One of each has no closing mark; "" is no kind."""
    state = kinds_of(["A river.", "Name it:\na river", "mine", "I?", ""])
    assert state.kind_prompts[0].tolist() == [2, 2]
    assert state.kind_octaves[0].tolist() == [3 * OCTAVE, 7 * OCTAVE]
    assert state.kind_multiline[0].tolist() == [0, 1]
    assert state.kind_open_end[0].tolist() == [1, 1]


def test_octaves_of_answer_to_question() -> None:
    """Eight bytes are two tokens: answers of 16, 2 and 1 are 3, 0 and -1 octaves; an unknown answer counts nowhere."""
    state = kinds_of(["A river."] * 4, output_tokens=np.array([16, 2, 1, None], dtype="object"))
    assert state.kind_answered[0].tolist() == [0, 3]
    assert state.kind_ratio[0].tolist() == [0, 2 * OCTAVE]


def test_an_empty_answer_counts_as_one_token() -> None:
    """Nothing back for eight bytes is -1 octave, not minus infinity."""
    assert kinds_of(["A river."], output_tokens=[0]).kind_ratio[0, CLEAN] == -OCTAVE
