"""The push parser: the same verdict for every cut, limits, linear time."""

import re
import time
from collections.abc import Callable, Iterable
from itertools import pairwise

import multipart  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import (
    HTTPInputError,
    MultipartLimits,
    MultipartReceiver,
    PartBegin,
    PartData,
    PartEnd,
)

Part = tuple[str, str | None, str | None, bytes]


def receive(
    chunks: Iterable[bytes],
    limits: MultipartLimits = MultipartLimits(),  # noqa: B008 - frozen
    boundary: str | bytes = "b",
) -> list[Part]:
    """The parts of a body; checks the order of the events on the way."""
    receiver = MultipartReceiver(boundary, limits)
    parts: list[Part] = []
    begin: PartBegin | None = None
    body = b""
    for chunk in chunks:
        for event in receiver.feed(chunk):
            if isinstance(event, PartBegin):
                assert begin is None
                begin, body = event, b""
            elif isinstance(event, PartData):
                assert begin is not None
                assert event.data
                body += event.data
            else:
                assert isinstance(event, PartEnd)
                assert begin is not None
                parts.append((begin.name, begin.filename, begin.content_type, body))
                begin = None
    receiver.finish()
    assert begin is None
    return parts


def each_byte(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


def at_line_ends(data: bytes) -> list[bytes]:
    return re.split(rb"(?<=[\r\n])", data)


CUTS: dict[str, Callable[[bytes], list[bytes]]] = {
    "whole": lambda data: [data],
    "bytes": each_byte,
    "lines": at_line_ends,
    "trailing": lambda data: [data, b"", b"more"],
}


def part(header: str = 'form-data; name="a"', *more: str, body: str = "v") -> bytes:
    lines = [f"Content-Disposition: {header}", *more, "", body, ""]
    return ("--b\r\n" + "\r\n".join(lines)).encode()


END = b"--b--\r\n"
GOOD: dict[str, tuple[bytes, list[Part]]] = {
    "field": (part() + END, [("a", None, None, b"v")]),
    "no-final-line-end": (part() + b"--b--", [("a", None, None, b"v")]),
    "empty-form": (b"--b--\r\n", []),
    "two": (
        part() + part('form-data; name="c"', body="w") + END,
        [("a", None, None, b"v"), ("c", None, None, b"w")],
    ),
    "file": (
        part('form-data; name="f"; filename="x.txt"', "Content-Type: text/plain") + END,
        [("f", "x.txt", "text/plain", b"v")],
    ),
    "unquoted": (
        part("form-data; name=f; filename=x.txt") + END,
        [("f", "x.txt", None, b"v")],
    ),
    "header-case": (
        b"--b\r\ncontent-DISPOSITION:Form-Data;NAME=a\r\n\r\nv\r\n" + END,
        [("a", None, None, b"v")],
    ),
    "empty-filename-is-a-field": (
        part('form-data; name="a"; filename=""') + END,
        [("a", None, None, b"v")],
    ),
    "empty-body": (part(body="") + END, [("a", None, None, b"")]),
    "no-body": (part(body="")[:-2] + END, [("a", None, None, b"")]),
    "no-body-then-another": (
        part(body="")[:-2] + part() + END,
        [("a", None, None, b""), ("a", None, None, b"v")],
    ),
    "line-ends-in-body": (part(body="\r\n\r\n\r\n") + END, [("a", None, None, b"\r\n\r\n\r\n")]),
    "near-delimiters": (
        part(body="\r\n--\r\n-b\r--b\n--b\r\r\n--c--b--") + END,
        [("a", None, None, b"\r\n--\r\n-b\r--b\n--b\r\r\n--c--b--")],
    ),
    "preamble": (b"hello\r\n\r\n" + part() + END, [("a", None, None, b"v")]),
    "epilogue": (part() + END + b"\r\n--b\r\nrubbish", [("a", None, None, b"v")]),
    "utf-8-name": (
        part('form-data; name="\u540d"; filename="\u6d4b\u8bd5.txt"') + END,
        [("\u540d", "\u6d4b\u8bd5.txt", None, b"v")],
    ),
    "part-charset": (
        part('form-data; name="a"', "Content-Type: text/plain; charset=UTF-8") + END,
        [("a", None, "text/plain; charset=UTF-8", b"v")],
    ),
    "file-charset-is-its-own-affair": (
        part('form-data; name="a"; filename="x"', "Content-Type: text/plain; charset=foo") + END,
        [("a", "x", "text/plain; charset=foo", b"v")],
    ),
    "part-length": (
        part('form-data; name="a"', "Content-Length: 1") + END,
        [("a", None, None, b"v")],
    ),
    "BP-07-filename": (
        part('form-data; name="f"; filename="\u0442\u0435\u0441\u0442.txt"') + END,
        [("f", "\u0442\u0435\u0441\u0442.txt", None, b"v")],
    ),
    "BP-08-name": (
        part("form-data; name=\"a\"; name*=utf-8''b") + END,
        [("a", None, None, b"v")],
    ),
    "filename-extended": (
        part('form-data; name="f"; filename="ab"; filename*=UTF-8\'\'%C3%A1b') + END,
        [("f", "\xe1b", None, b"v")],
    ),
    "filename-extended-broken": (
        part('form-data; name="f"; filename="ab"; filename*=nonsense\'\'%C3') + END,
        [("f", "ab", None, b"v")],
    ),
    "BP-09-path": (
        part('form-data; name="f"; filename="../../x"') + END,
        [("f", "x", None, b"v")],
    ),
    "BP-09-extended-path": (
        part("form-data; name=\"f\"; filename*=UTF-8''..%2F..%2Fx") + END,
        [("f", "x", None, b"v")],
    ),
}

BAD: dict[str, bytes] = {
    "BP-14-empty": b"",
    "BP-14-no-final-boundary": part(),
    "BP-14-boundary-only": b"--b\r\n",
    "BP-14-cut-in-headers": b"--b\r\nContent-Disposition: form-data",
    "BP-14-cut-in-delimiter": part() + b"--b-",
    "BP-14-close-within-headers": b"--b\r\nContent-Disposition: form-data; name=a\r\n--b--\r\n",
    "BP-14-nothing": b"nothing of the kind",
    "no-headers": b"--b\r\n\r\nv\r\n--b--\r\n",
    "no-line-end-before-boundary": part(body="v")[:-2] + END,
    "not-form-data": part('attachment; name="a"') + END,
    "no-disposition": b"--b\r\nContent-Type: text/plain\r\n\r\nv\r\n--b--\r\n",
    "no-name": part('form-data; filename="x"') + END,
    "empty-name": part('form-data; name=""') + END,
    "BP-08-only-extended-name": part("form-data; name*=utf-8''b") + END,
    "two-dispositions": part('form-data; name="a"', 'Content-Disposition: form-data; name="b"')
    + END,
    "two-types": part('form-data; name="a"', "Content-Type: a/b", "Content-Type: a/b") + END,
    "BP-07-cr": part('form-data; name="a"; filename="a\rb"') + END,
    "BP-07-nul": part('form-data; name="a"; filename="a\0b"') + END,
    "BP-07-bs": part('form-data; name="a"; filename="a\bb"') + END,
    "BP-07-extended-control": part("form-data; name=\"a\"; filename*=UTF-8''a%0D%0Ab") + END,
    "folded": part('form-data;\r\n name="a"') + END,
    "bare-lf-in-header": part('form-data; name="a"\nX: y') + END,
    "bare-lf-line-ends": (part() + END).replace(b"\r\n", b"\n"),
    "no-colon": part('form-data; name="a"', "rubbish") + END,
    "space-before-colon": part('form-data; name="a"', "X : y") + END,
    "not-utf-8": b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nv\r\n--b--\r\n',
    "boundary-with-junk": b"--bx\r\n" + part() + END,
    "boundary-with-space": b"--b \r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n--b--",
    "boundary-with-lf": b"--b\nContent-Disposition: form-data; name=a\n\nv\n--b--",
    "later-boundary-with-junk": part() + b"--bx\r\n" + part() + END,
    "BP-04-preamble": b"\r\n" * 1000 + part() + END,
    "boundary-not-at-a-line-start": b"x" + part() + END,
    "BP-10-negative-length": part('form-data; name="a"', "Content-Length: -1") + END,
    "BP-10-plus-length": part('form-data; name="a"', "Content-Length: +5") + END,
    "BP-10-underscore-length": part('form-data; name="a"', "Content-Length: 1_0") + END,
    "BP-18-part-charset": part('form-data; name="a"', "Content-Type: a/b; charset=utf-7") + END,
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize(("data", "expected"), GOOD.values(), ids=GOOD)
def test_good_bodies(
    data: bytes, expected: list[Part], cut: Callable[[bytes], list[bytes]]
) -> None:
    assert receive(cut(data)) == expected


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_bad_bodies(data: bytes, cut: Callable[[bytes], list[bytes]]) -> None:
    with pytest.raises(HTTPInputError) as caught:
        receive(cut(data))
    assert caught.value.status_code == 400
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("sent", "boundary"),
    [
        ("1234", b"1234"),
        ('"1234"', b"1234"),
        (b'"a b"', b"a b"),
        ("x" * 70, b"x" * 70),
        ("x" * 256, b"x" * 256),
        ("-", b"-"),
        ("a:b=?/,()+_.'", b"a:b=?/,()+_.'"),
    ],
)
def test_boundaries(sent: str | bytes, boundary: bytes) -> None:
    data = (part() + END).replace(b"--b", b"--" + boundary)
    for chunks in ([data], each_byte(data)):
        assert receive(chunks, boundary=sent) == [("a", None, None, b"v")]


@pytest.mark.parametrize(
    "boundary", ["", '""', "a ", '"a "', "a\r\nb", "a\x00", "\xe9", "x" * 257, b"\xff", "\t"]
)
def test_bad_boundaries(boundary: str | bytes) -> None:
    """BP-14, BP-21."""
    with pytest.raises(HTTPInputError, match="bad boundary"):
        MultipartReceiver(boundary)


def status(data: bytes, limits: MultipartLimits) -> int:
    """200, or the status that refuses the body; the same however it is cut."""
    verdicts = set()
    for cut in (CUTS["whole"], CUTS["bytes"]):
        try:
            receive(cut(data), limits)
        except HTTPInputError as error:
            verdicts.add(error.status_code)
        else:
            verdicts.add(200)
    assert len(verdicts) == 1
    return verdicts.pop()


FILE = part('form-data; name="f"; filename="x"', body="v" * 10)
FIELD = part('form-data; name="f"', body="v" * 10)
HEADER = 'Content-Disposition: form-data; name="f"'


@pytest.mark.parametrize(
    ("data", "limits", "expected"),
    [
        pytest.param(FIELD * 2, MultipartLimits(max_parts=3), 200, id="BP-02-parts-below"),
        pytest.param(FIELD * 3, MultipartLimits(max_parts=3), 200, id="BP-02-parts-at"),
        pytest.param(FIELD * 4, MultipartLimits(max_parts=3), 400, id="BP-02-parts-above"),
        pytest.param(FILE * 2 + FIELD, MultipartLimits(max_files=2), 200, id="BP-02-files-at"),
        pytest.param(FILE * 3, MultipartLimits(max_files=2), 400, id="BP-02-files-above"),
        pytest.param(
            part('form-data; name="f"', "X: y"),
            MultipartLimits(max_headers=2),
            200,
            id="BP-03-count-at",
        ),
        pytest.param(
            part('form-data; name="f"', "X: y", "X: y"),
            MultipartLimits(max_headers=2),
            400,
            id="BP-03-count-above",
        ),
        pytest.param(FIELD, MultipartLimits(max_header_size=len(HEADER)), 200, id="BP-03-size-at"),
        pytest.param(
            FIELD, MultipartLimits(max_header_size=len(HEADER) - 1), 400, id="BP-03-size-above"
        ),
        pytest.param(
            b"x" * 8 + b"\r\n" + FIELD, MultipartLimits(max_preamble=10), 200, id="BP-04-at"
        ),
        pytest.param(
            b"x" * 9 + b"\r\n" + FIELD, MultipartLimits(max_preamble=10), 400, id="BP-04-above"
        ),
        pytest.param(FILE * 2, MultipartLimits(max_part_size=10), 200, id="BP-12-part-at"),
        pytest.param(FILE, MultipartLimits(max_part_size=9), 413, id="BP-12-part-above"),
        pytest.param(FIELD, MultipartLimits(max_part_size=9), 413, id="BP-12-field-above"),
        pytest.param(
            FIELD * 3 + FILE * 9, MultipartLimits(max_field_size=30), 200, id="BP-12-fields-at"
        ),
        pytest.param(FIELD * 3, MultipartLimits(max_field_size=29), 413, id="BP-12-fields-above"),
        pytest.param(FIELD, MultipartLimits(max_size=len(FIELD + END)), 200, id="BP-12-total-at"),
        pytest.param(
            FIELD, MultipartLimits(max_size=len(FIELD + END) - 1), 413, id="BP-12-total-above"
        ),
    ],
)
def test_limits(data: bytes, limits: MultipartLimits, expected: int) -> None:
    assert status(data + END, limits) == expected


def test_the_epilogue_counts_towards_the_total() -> None:
    receiver = MultipartReceiver("b", MultipartLimits(max_size=1000))
    list(receiver.feed(FIELD + END))
    assert receiver.complete
    left = 1000 - len(FIELD + END)
    for _ in range(left):
        assert list(receiver.feed(b"x")) == []
    with pytest.raises(HTTPInputError):
        list(receiver.feed(b"x"))


def test_the_default_limits() -> None:
    """Section 7 of the catalogue."""
    limits = MultipartLimits()
    assert (limits.max_parts, limits.max_files) == (1000, 100)
    assert (limits.max_headers, limits.max_header_size, limits.max_preamble) == (16, 8192, 1024)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"--b\r\n" + b"X: y\r\n" * 100_000, id="BP-03-headers"),
        pytest.param(b"--b\r\nX: " + b"y" * 5_000_000, id="BP-03-header-line"),
        pytest.param(b"--b\r\n" + b"X" * 1_000_000 + b": y\r\n\r\n", id="BP-03-header-name"),
        pytest.param(b"\r\n" * 5_000_000, id="BP-04-preamble"),
        pytest.param(part(body="") * 1_000_000, id="BP-02-a-million-parts"),
    ],
)
def test_hostile_bodies_stop_at_once(data: bytes) -> None:
    """What is kept until then is bounded, however little comes at a time."""

    def feed(receiver: MultipartReceiver, size: int) -> None:
        for start in range(0, len(data), size):
            for _ in receiver.feed(data[start : start + size]):
                pass
            assert len(receiver._buffer) < 70_000

    for size in (1, 65536):
        with pytest.raises(HTTPInputError):
            feed(MultipartReceiver("b"), size)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"--b\r\n\r\nv\r\n", id="no-headers"),
        pytest.param(b"--b\r\nrubbish\r\n\r\nv\r\n", id="no-colon"),
        pytest.param(b"--b\r\nContent-Disposition: x\r\n\r\nv\r\n", id="no-form-data"),
        pytest.param(part("form-data"), id="no-name"),
    ],
)
def test_the_first_bad_part_is_the_last_BP_01(bad: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """BP-01: of 100 000 bad parts one is read, and none is logged here."""
    caplog.set_level(0)
    receiver = MultipartReceiver("b")
    begun = time.process_time()
    with pytest.raises(HTTPInputError) as caught:
        list(receiver.feed(part() + bad * 100_000 + END))
    assert caught.value.status_code == 400
    assert time.process_time() - begun < 0.5
    assert not caplog.records


@pytest.mark.parametrize("size", [7, 65536])
@pytest.mark.parametrize("unit", [b"x", b"\r\n", b"\r\n--b\r\n", b"\r\n--b--\r\n", b"-"])
def test_what_follows_the_end_is_not_read_BP_01(
    unit: bytes, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    """BP-01: 10 MB of it (less in small pieces): nothing kept, nothing logged, in linear time."""
    caplog.set_level(0)
    length = 10_000_000 if size > 1000 else 500_000
    epilogue = (unit * length)[:length]
    receiver = MultipartReceiver("b")
    assert len(list(receiver.feed(part() + END))) == 3
    begun = time.process_time()
    for index in range(0, length, size):
        assert list(receiver.feed(epilogue[index : index + size])) == []
        assert receiver._buffer == b""
    assert time.process_time() - begun < 1
    receiver.finish()
    assert not caplog.records


PAYLOADS = {
    "cr": b"\r",
    "crlf": b"\r\n",
    "lf": b"\n",
    "near": b"\r\n--boundar",
    "dashes": b"-",
    "ordinary": bytes(range(256)),
}


@pytest.mark.parametrize("size", [1, 7, 65536])
@pytest.mark.parametrize("unit", PAYLOADS.values(), ids=PAYLOADS)
def test_boundary_search_is_linear(unit: bytes, size: int) -> None:
    """BP-05: a search from the start each time would take minutes for the small chunks.

    In ordinary ones it is done at 100 MB in a second and more.
    """
    length = 20_000_000 if size > 1000 else 60_000 * size
    payload = (unit * (length // len(unit) + 1))[:length]
    receiver = MultipartReceiver("boundary")
    list(receiver.feed(b"--boundary\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\n"))
    start = time.process_time()
    received = 0
    for index in range(0, length, size):
        for event in receiver.feed(payload[index : index + size]):
            assert isinstance(event, PartData)
            received += len(event.data)
    assert time.process_time() - start < (0.2 if size > 1000 else 2)
    assert received > length - 20
    assert not receiver.complete


BODIES = st.binary(max_size=40) | st.text("\r\n-b", max_size=40).map(str.encode)
FIELDS = st.lists(
    st.tuples(
        st.text("ab\u0142 ;", min_size=1).map(lambda text: f"n{text.strip()}n"),
        st.none() | st.text("ab.\u0142 ;", min_size=1).map(lambda text: f"f{text}f"),
        BODIES,
    ),
    max_size=4,
)


def encode(fields: list[tuple[str, str | None, bytes]]) -> bytes:
    out = []
    for name, filename, body in fields:
        header = f'form-data; name="{name}"'
        if filename is not None:
            header += f'; filename="{filename}"'
        out.append(b"--b\r\nContent-Disposition: " + header.encode() + b"\r\n\r\n" + body + b"\r\n")
    return b"".join(out) + END


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


CUT_PLACES = st.lists(st.integers(0, 10_000), max_size=6)


@given(FIELDS, CUT_PLACES)
def test_any_form_at_any_cut(
    fields: list[tuple[str, str | None, bytes]], places: list[int]
) -> None:
    if any(b"\r\n--b" in b"\r\n" + body + b"\r\n" for _, _, body in fields):
        return
    data = encode(fields)
    expected = [(name, filename, None, body) for name, filename, body in fields]
    assert receive(cut_at(data, places)) == expected
    # The multipart package agrees, on what it reads
    theirs: list[Part] = []
    parser = multipart.PushMultipartParser("b")
    for event in parser.parse(data):
        if event is None:
            continue
        if isinstance(event, bytes | bytearray):
            name, filename, kind, body = theirs[-1]
            theirs[-1] = (name, filename, kind, body + event)
        else:
            theirs.append((event.name, event.filename, None, b""))
    assert theirs == expected


def verdict(chunks: list[bytes]) -> object:
    try:
        return receive(chunks)
    except HTTPInputError as error:
        return error.status_code


DISPOSITION = b"Content-Disposition: form-data; name=a"
NEAR = st.lists(
    st.sampled_from(
        [
            b"--b",
            b"--",
            b"\r\n",
            b"\r",
            b"\n",
            b"b",
            b"Content-Disposition: form-data; name=a",
            b":",
        ]
    ),
    max_size=20,
).map(b"".join)


@given(st.binary() | NEAR, CUT_PLACES)
def test_any_bytes_have_one_verdict(data: bytes, places: list[int]) -> None:
    whole = verdict([data])
    assert verdict(cut_at(data, places)) == whole
    assert verdict(each_byte(data)) == whole
