"""The five kinds of canonical field; everything else about reading a value follows from its kind."""

from typing import Literal

import pyarrow as pa

from detector.tables import EVENTS

Kind = Literal["text", "count", "number", "flag", "instant"]


def kind_of(column: str) -> Kind:
    """Name the kind of a canonical column."""
    arrow_type = EVENTS.field(column).type
    if pa.types.is_timestamp(arrow_type):
        return "instant"
    if pa.types.is_integer(arrow_type):
        return "count"
    if pa.types.is_floating(arrow_type):
        return "number"
    return "flag" if pa.types.is_boolean(arrow_type) else "text"
