"""Is this file text in columns at all? What other formats are is said by what they hold, whatever their names say."""

from pathlib import Path

from django.conf import settings

MARKUP = ("<!doctype", "<html", "<?xml", "<table", "<head", "<body", "<meta", "<script", "<svg")
# What other formats start with: what it is, and what to bring instead.
MAGIC = (
    (b"PK\x03\x04", "it is a workbook or another zip file: save the sheet as CSV (UTF-8) first"),
    (b"PK\x05\x06", "it is an empty zip file: export CSV instead"),
    (b"PK\x07\x08", "it is a zip file: unpack it first"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook: save the sheet as CSV (UTF-8) first"),
    (b"\x1f\x8b", "it is compressed: unpack it first"),
    (b"\x1f\x9d", "it is compressed: unpack it first"),
    (b"BZh", "it is compressed: unpack it first"),
    (b"\xfd7zXZ\x00", "it is compressed: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"),
    (b"Rar!\x1a\x07", "it is a rar archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "it is compressed: unpack it first"),
    (b"%PDF", "it is a PDF: export the table as CSV instead"),
    (b"{\\rtf", "it is a text document: save the table as CSV instead"),
    (b"\x89PNG", "it is a picture: export the table as CSV instead"),
    (b"\xff\xd8\xff", "it is a picture: export the table as CSV instead"),
    (b"GIF8", "it is a picture: export the table as CSV instead"),
    (b"SQLite format 3\x00", "it is a database: export the table as CSV instead"),
    (b"PAR1", "it is a Parquet file: export CSV instead"),
    (b"\x7fELF", "it is a program"),
    (b"MZ\x90", "it is a program"),
)
START_BYTES = 8192


def largest_file_bytes() -> int:
    """The size over which a file is refused: OTC_IMPORT_MAX_MB, 200 unless set."""
    return int(settings.IMPORT_MAX_BYTES)


def too_large(name: str) -> str:
    """What is said of a file over the limit."""
    megabytes = largest_file_bytes() // 1024**2
    return f"{name} is larger than {megabytes} MB: split it, each part with the header line"


def not_text(path: Path) -> str:
    """Why a file isn't CSV, in words; empty when its first bytes look like text."""
    with path.open("rb") as stream:
        start = stream.read(START_BYTES)
    for magic, reason in MAGIC:
        if start.startswith(magic):
            return reason
    return _markup(start) or _binary(start)


def _markup(start: bytes) -> str:
    text = start.replace(b"\0", b"").decode("utf-8", "replace").lstrip("\ufeff\ufffd \t\r\n").lower()
    if text.startswith(MARKUP):
        return "it is a web page or XML: export the table as CSV instead"
    if text.startswith(('{"', "[{", "[\n", "{\n")):
        return "it is JSON: export CSV instead"
    return ""


def _binary(start: bytes) -> str:
    """Text in UTF-16 holds NULs too, but in every other byte."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ""
    nuls = start.count(0)
    in_even, in_odd = start[::2].count(0), start[1::2].count(0)
    is_wide = nuls > len(start) // 3 and min(in_even, in_odd) * 5 < max(in_even, in_odd)
    controls = sum(1 for byte in start if byte < 9 or 13 < byte < 32) - nuls
    if (nuls * 10 > len(start) and not is_wide) or controls * 10 > len(start):
        return "it holds binary data: export the table as CSV"
    return ""
