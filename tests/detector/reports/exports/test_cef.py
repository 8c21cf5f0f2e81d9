"""Lines of the Common Event Format can be taken apart again, whatever names hold."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.reports.exports import cef
from detector.reports.findings import findings
from detector.reports.safe import unsafe_text

TRICKY = st.text(alphabet="\\|=nr \n\r\t\x00\x1b\u202e\u2028\xe9ax0", max_size=30)
HEAD = re.compile(r"((?:[^\\|]|\\[\\|])*)\|")
PAIR = re.compile(r"(\w+)=((?:[^\\=]|\\[\\=nr])*)(?= \w+=|$)")


def parsed(line: str) -> tuple[list[str], dict[str, str]]:
    """Take a line apart by the standard's rules, and undo its escapes."""
    head, place = [], 0
    for _ in range(7):
        match = HEAD.match(line, place)
        assert match, line
        head.append(re.sub(r"\\([\\|])", r"\1", match[1]))
        place = match.end()
    rest, values = line[place:], {}
    while rest:
        match = PAIR.match(rest)
        assert match, rest
        assert match[1] not in values
        values[match[1]] = re.sub(r"\\([\\=])", r"\1", match[2])
        rest = rest[match.end() + 1 :]
    return head, values


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(TRICKY, st.text(max_size=60)), version=TRICKY)
def test_a_line_can_be_taken_apart(one, results, name, version):
    """The header has seven fields, the name comes back exactly, and the line is printable and one."""
    line = cef.line(one | {"account_id": name, "cluster_id": name}, results.run | {"stillwatch": version})
    head, values = parsed(line)
    assert line.isprintable()
    assert head[:3] == ["CEF:0", "Stillwatch", "Stillwatch"]
    assert unsafe_text(head[3]) == version
    assert unsafe_text(values.get("suid", "")) == name
    assert unsafe_text(values.get("cs3", "")) == name


def test_values_cannot_make_keys():
    """An equals sign, a pipe or a line end of a name is text."""
    assert cef.escape_value("a act=Blocked") == "a act\\=Blocked"
    assert cef.escape_header("a|9|x\\") == "a\\|9\\|x\\\\"
    assert cef.escape_value("a\nCEF:0|") == "a\\\\x0aCEF:0|"


def test_nothing_reads_as_done(results):
    """The key of actions taken is not there; severity follows the recommendation, which says so."""
    lines = [parsed(cef.line(one, results.run)) for one in findings(results)]
    assert [head[6] for head, _ in lines] == ["8", "3"]
    assert all({"act", "outcome"}.isdisjoint(values) for _, values in lines)
    assert lines[0][1]["msg"] == "Recommended: revoke after review. Nothing has been done to the account."
    assert (lines[0][1]["cs1Label"], lines[0][1]["cs1"]) == ("recommended", "revoke")


def test_labels_stand_beside_their_values(one, results):
    """Every custom field has its label, and no label stands alone."""
    _, values = parsed(cef.line(one, results.run))
    custom = {key for key in values if re.fullmatch(r"(cs|cn|cfp)\d", key)}
    assert {f"{key}Label" for key in custom} == {key for key in values if key.endswith("Label")}


def test_what_is_too_long_keeps_its_identity(one, results):
    """A field holds 1,023 characters; a longer name keeps its head, its length and a digest."""
    suids = {parsed(cef.line(one | {"account_id": "x" * 3000 + end}, results.run))[1]["suid"] for end in "ab"}
    assert len(suids) == 2
    assert max(map(len, suids)) <= 1023
