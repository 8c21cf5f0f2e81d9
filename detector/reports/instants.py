"""Instants and days, as they are read, UTC."""

from datetime import datetime

from detector.reports import words

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def instant(at: datetime | None) -> str:
    """Write an instant to the minute, UTC."""
    return words.NOTHING if at is None else f"{at:%Y-%m-%d %H:%M}"


def day(at: datetime | None) -> str:
    """Write the day of an instant."""
    return words.NOTHING if at is None else f"{at:%Y-%m-%d}"


def period(begin: datetime | str | None, end: datetime | str | None) -> str:
    """Write the days between two instants, given as such or as ISO texts.

    Examples
    --------
    >>> period("2026-10-11T08:00:00Z", "2026-11-04T00:00:00Z")
    '11 Oct – 4 Nov 2026'
    """
    days = [str(at)[:10].split("-") for at in (begin, end) if at]
    if not days or any(len(parts) != 3 or not all(part.isdigit() for part in parts) for parts in days):
        return words.NOTHING
    texts = [f"{int(parts[2])} {MONTHS[int(parts[1]) - 1]} {parts[0]}" for parts in days]
    if len(texts) == 2 and days[0] == days[1]:
        return texts[0]
    first = texts[0].removesuffix(f" {days[-1][0]}") if len(texts) == 2 else texts[0]
    return f" {words.NOTHING} ".join([first, *texts[1:]])
