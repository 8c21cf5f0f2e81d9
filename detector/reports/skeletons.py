"""Which names read alike to a person. For warnings only: identity is bytes, and nothing is merged by this.

The idea of a skeleton is of Unicode Technical Standard 39, section 4; its table of confusables is not used. What
compatibility decomposition does not undo is listed here by hand: letters of Cyrillic, Greek, Armenian and Cherokee
that are drawn as Latin ones in common typefaces. So a rarer script can pass unnoticed; bytes in hex always differ.
"""

import unicodedata
from collections import defaultdict

import pyarrow as pa
import pyarrow.compute as pc

from detector.reports.safe import INVISIBLE

#: Letters of other scripts over the Latin ones that they are drawn like.
_DRAWN_ALIKE = {
    "АВЕЅІЈКМНОРСТУХҮԌԜҺ": "ABESIJKMHOPCTYXYGWH",
    "асԁеһіјӏорԛѕуԝхгпѵүь": "acdehijlopqsywxrnvyb",
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ": "ABEZHIKMNOPTYXC",
    "αγικνορυχϲϳ": "ayikvopuxcj",
    "ՍՏՕօսոհցզ": "USOounhgq",
    "ᎪᏟᎠᎬᎻᎫᏦᏞᎷᏢᏚᎢᏙᎳᏃ": "ACDEHJKLMPSTVWZ",
    "ıɑɡƖǀ∣ⅼ‐‑‒–—−": "iagIlll------",
}
_TABLE = {ord(other): latin for some, drawn in _DRAWN_ALIKE.items() for other, latin in zip(some, drawn, strict=True)}
_UNSEEN = frozenset({"Mn", "Me", "Cf", "Cc", "Cs", "Cn", "Co"})

#: Characters of a name beyond which nobody reads it, so that a long one costs nothing (chosen: above any real name).
MOST_CHARACTERS = 200

#: Names that a person cannot take at their face: all but printable ASCII without blanks.
_ODD = r"[^\x21-\x7e]"


def skeleton(name: str) -> str:
    """Give what a name reads like: marks and what is not seen left out, letters replaced by those drawn alike.

    Of a long name its first `MOST_CHARACTERS` count.

    Examples
    --------
    >>> skeleton("p\u0430y"), skeleton("\u202epay\u200b"), skeleton("\U0001d429ay"), skeleton("pay")
    ('pay', 'pay', 'pay', 'pay')
    """
    apart = unicodedata.normalize("NFKD", name[:MOST_CHARACTERS].translate(_TABLE)).translate(_TABLE)
    seen = (letter for letter in apart if unicodedata.category(letter) not in _UNSEEN and letter not in INVISIBLE)
    return " ".join("".join(seen).split())


def read_alike(names: pa.ChunkedArray) -> dict[str, list[str]]:
    """Group names that read alike.

    Parameters
    ----------
    names: distinct texts, shape (n,). Those of printable ASCII without blanks cost no loop; those of more than
        `MOST_CHARACTERS` are left out.

    Returns
    -------
    Names, two at least, by their skeleton.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    names = names.filter(pc.less_equal(pc.utf8_length(names), MOST_CHARACTERS))
    is_odd = pc.match_substring_regex(names, _ODD)
    for name in names.filter(is_odd).to_pylist():
        groups[skeleton(name)].append(name)
    plain = names.filter(pc.invert(is_odd))
    for name in plain.filter(pc.is_in(plain, value_set=pa.array(groups, pa.string()))).to_pylist():
        groups[name].append(name)
    return {read: sorted(some) for read, some in groups.items() if len(some) > 1}
