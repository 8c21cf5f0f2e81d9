"""Names that read alike are found and told apart; nothing else is done with that."""

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from detector.reports.case import case_file
from detector.reports.caveats import remark
from detector.reports.skeletons import read_alike, skeleton
from detector.reports.terminal import explain

PLAIN = st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)


@given(PLAIN)
def test_plain_names_read_as_they_are(name):
    """Printable ASCII is its own skeleton, so plain accounts are never each other's look-alikes."""
    assert skeleton(name) == name
    assert remark(name) == ""


@given(PLAIN, st.sampled_from(["\u200b", "\u202e", "\u2066", "\ufeff", "\u0301", "\ufe0f", "\u3164", "\x1b"]))
def test_what_is_not_seen_does_not_change_how_a_name_reads(name, unseen):
    """Turning marks, joiners, accents and controls leave the skeleton as it was."""
    assert skeleton(unseen + name[:3] + unseen + name[3:]) == name


@given(st.text(max_size=60))
def test_skeletons_are_stable(name):
    """A skeleton's skeleton is itself, and the remark on a name is printable ASCII."""
    assert skeleton(skeleton(name)) == skeleton(name)
    told = remark(name)
    assert told.replace("\u2026", "").isascii() and (told == "" or told.isprintable())


def test_letters_of_other_scripts_are_read_as_latin():
    """Cyrillic, Greek, Armenian, Cherokee, full-width and mathematical letters that are drawn alike."""
    for name in (
        "раypаl",
        "ΡΑΥΡΑL",
        "\uff50\uff41\uff59",
        "\U0001d429\U0001d41a\U0001d432",
        "ѕсоре",
    ):
        assert skeleton(name).isascii(), name
    assert skeleton("раура1") == "paypa1"
    assert skeleton("研究") == "研究"


def test_groups_hold_every_name_that_reads_alike():
    """Plain names join a group only where an odd one reads like them; others are left alone."""
    names = ["pay", "p\u0430y", "p\u0430\u0443", "Pay", "other", "研究", "a b", "a  b", "a\u00a0b"]
    found = read_alike(pa.chunked_array([names[:4], names[4:]]))
    assert found == {"pay": sorted(names[:3]), "a b": sorted(names[6:])}
    assert read_alike(pa.chunked_array([["a", "b"]], pa.string())) == {}


def test_twins_are_told_by_their_bytes(make_results):
    """Two accounts that read alike stay two, and each case warns of the other in hex; a lone one does not."""
    results = make_results(["pay", "p\u0430y", "lone"])
    assert results.scored["account_id"].to_pylist() == ["pay", "p\u0430y", "lone"]
    for name, other in (("pay", "p\u0430y"), ("p\u0430y", "pay")):
        own, foreign = (text.encode().hex(" ") for text in (name, other))
        warning = f"Its UTF-8 bytes are {own}; not {foreign}"
        assert warning in re.sub(r"\s+", " ", explain(results, name, width=120))
        assert warning in case_file(results, name).replace("\\", "")
    assert "read alike" not in explain(results, "lone", width=120)
