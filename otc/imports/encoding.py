"""In which encoding is this file written? Told by its mark, else by its bytes; memory doesn't grow with the file."""

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 1_048_576
# Marks of UTF-32 begin with those of UTF-16, so they are looked for first.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes that Windows-1252 leaves undefined: a file that holds one is taken as Latin-1.
_UNDEFINED_IN_1252 = b"\x81\x8d\x8f\x90\x9d"
LABELS = {
    "utf-8-sig": "UTF-8",
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}


class DamagedText(ValueError):
    """Text that is mostly UTF-8 and somewhere isn't: `offset` is the first byte that fits nothing."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"byte {offset:,}")
        self.offset = offset


@dataclass(frozen=True)
class Encoding:
    """`name` is a codec's. `is_guess`: no mark and no proof, so that accents want a look."""

    name: str
    is_guess: bool = False

    @property
    def label(self) -> str:
        return LABELS.get(self.name, self.name)


def encoding_of(path: Path) -> Encoding:
    """The encoding of a text file. Raises DamagedText for UTF-8 with broken characters in it."""
    with path.open("rb") as stream:
        start = stream.read(8192)
        for mark, name in MARKS:
            if start.startswith(mark):
                return Encoding(name)
        if wide := _unmarked_utf_16(start):
            return Encoding(wide, is_guess=True)
        stream.seek(0)
        return _eight_bit(stream)


def _unmarked_utf_16(start: bytes) -> str:
    """Latin text in UTF-16 has a NUL in every other byte."""
    pairs = len(start) // 2
    if pairs < 2:
        return ""
    even, odd = start[: pairs * 2 : 2].count(0), start[1 : pairs * 2 : 2].count(0)
    if odd > pairs * 0.7 and even < pairs * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > pairs * 0.7 and odd < pairs * 0.1 else ""


def _eight_bit(stream: BinaryIO) -> Encoding:
    """UTF-8 where every byte fits, Windows-1252 (or Latin-1) where next to none does."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    read = wrong = right = 0
    first_wrong = -1
    has_undefined = False
    while True:
        chunk = stream.read(CHUNK_BYTES)
        if chunk and chunk.isascii() and not decoder.getstate()[0]:
            read += len(chunk)
            continue
        text = decoder.decode(chunk, final=not chunk)
        if not text.isascii():
            bad = sum(1 for letter in text if "\udc80" <= letter <= "\udcff")
            right += sum(1 for letter in text if letter > "\x7f") - bad
            wrong += bad
            if bad and first_wrong < 0:
                place = next(i for i, letter in enumerate(text) if "\udc80" <= letter <= "\udcff")
                first_wrong = read + len(text[:place].encode("utf-8", "surrogateescape"))
            has_undefined = has_undefined or any(byte in chunk for byte in _UNDEFINED_IN_1252)
        read += len(chunk)
        if not chunk:
            break
    if not wrong:
        return Encoding("utf-8-sig")
    if right > wrong:
        raise DamagedText(first_wrong)
    return Encoding("latin-1" if has_undefined else "cp1252", is_guess=True)
