import pytest

from detector.errors import TooManyRejectsError
from detector.logs import resync
from detector.logs.resync import Record, ResyncReader


def read(text: bytes, width: int = 3, *, piece: int = 5, **options: object) -> ResyncReader:
    """A reader whose bytes arrive in pieces."""
    chunks = (text[i : i + piece] for i in range(0, len(text), piece))
    return ResyncReader(chunks, width, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
def test_where_the_bytes_are_cut_does_not_matter(piece: int) -> None:
    """However the file arrives, the records are the same, with the physical line each begins at."""
    text = b'a,"b ""x""\n,y",c\r\n\nd,e,f\n"g","",\n'
    reader = read(text, piece=piece)
    assert list(reader) == [
        Record(1, ("a", 'b "x"\n,y', "c")),
        Record(4, ("d", "e", "f")),
        Record(5, ("g", "", "")),
    ]
    assert reader.n_blank == 1


@pytest.mark.parametrize("piece", [1, 4, 1000])
def test_damage_ends_at_the_next_whole_record(piece: int) -> None:
    """A torn multi-line record is one reject, and what follows is read and counted as recovered where in doubt."""
    text = b'a,b,c\nd,"e\nmore text\nend"x\ng,h,i\nj,"k,l\nm,n,o\n'
    reader = read(text, piece=piece)
    found = [(record.line, record.fields or record.reason) for record in reader]
    assert found == [
        (1, ("a", "b", "c")),
        (2, "text follows a closing quote"),
        (5, ("g", "h", "i")),
        (6, "a quote is opened and never closed"),
        (7, ("m", "n", "o")),
    ]
    assert reader.n_recovered == 1


def test_neighbouring_bad_records_are_counted_each() -> None:
    """A run of damaged lines is not taken for one."""
    assert [record.line for record in read(b"a\nb\nc,d,e,f\ng,h,i\n") if record.reason] == [1, 2, 3]


def test_lines_may_end_with_carriage_returns_alone() -> None:
    """As old spreadsheets write them."""
    reader = read(b"a,b,c\rd,e,f", ending=b"\r", line=2)
    assert list(reader) == [Record(2, ("a", "b", "c")), Record(3, ("d", "e", "f"))]


def test_a_quote_within_a_bare_field_is_a_letter() -> None:
    """Only a quote that opens a field has a meaning; blanks around a quoted field have none."""
    assert list(read(b'5" pipe,x"y, "z" \n')) == [Record(1, ('5" pipe', 'x"y', "z"))]


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_blank_lines_are_counted_each_however_many(piece: int) -> None:
    """Lines that hold blanks or nothing are no records, and line numbers go on."""
    text = b"a,b\n\n \n\r\n" + b"\n" * 500 + b"c,d\n  \n"
    reader = ResyncReader((text[i : i + piece] for i in range(0, len(text), piece)), 2)
    assert [(record.line, record.fields) for record in reader] == [(1, ("a", "b")), (505, ("c", "d"))]
    assert reader.n_blank == 504


def test_lines_of_no_record_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotation marks that open and close at random cost no time without end."""
    monkeypatch.setattr(resync, "MOST_BROKEN", 9)
    with pytest.raises(
        TooManyRejectsError, match="more than 9 lines of a file belong to no whole record, that on line"
    ):
        list(ResyncReader([b'"\n' * 40], 2))
