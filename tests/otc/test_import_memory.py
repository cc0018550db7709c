"""What would fill the memory is refused at once: measured in a process of its own, file by file."""

import json
import os
import subprocess
import sys
from pathlib import Path

MEGABYTE = 1024**2
# Reading a million characters of one line and its cells is what may be held; everything beyond is a leak.
MOST_GROWN = 60 * MEGABYTE
MEASURE = """
import json, resource, sys, time
from pathlib import Path
import django
django.setup()
from otc.imports.profile import file_profile
from otc.imports.reader import ImportFileError, open_csv

def grown():
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    # Not ru_maxrss: a process that was just made has its parent's. The peak so far is forgotten each time.
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(peak.split()[1]) * 1024

Path("warm.csv").write_text("a,b\\n" + "1,2\\n" * 1000)
file_profile(Path("warm.csv"), name="warm")
found = {}
for path in sorted(Path(".").glob("*.dat")):
    grown()  # what came before is forgotten
    before, began, said = grown(), time.monotonic(), "read"
    try:
        with open_csv(path) as source:
            for row in source.rows:
                pass
    except ImportFileError as error:
        said = str(error)
    found[path.stem] = [said, grown() - before, time.monotonic() - began]
print(json.dumps(found))
"""


def write_much(path: Path, start: bytes, piece: bytes, *, size: int) -> None:
    with path.open("wb") as file:
        file.write(start)
        for _ in range(size // (len(piece) * 4096)):
            file.write(piece * 4096)


def build(folder: Path) -> None:
    with (folder / "too_large.dat").open("wb") as file:
        file.write(b"a,b\n1,2\n")
        file.truncate(201 * MEGABYTE)
    columns = b",".join(b"c%d" % number for number in range(1_000_000))
    (folder / "million_columns.dat").write_bytes(columns + b"\n" + columns)
    write_much(folder / "one_line.dat", b"a,b\n", b"x", size=70 * MEGABYTE)
    write_much(folder / "one_quoted_row.dat", b'a,b\n"', b'","\n', size=70 * MEGABYTE)
    write_much(folder / "wide_rows.dat", b"a,b\n", b"1," * 400 + b"\n", size=70 * MEGABYTE)
    write_much(folder / "gzip.dat", b"\x1f\x8b\x08\x00", b"\0", size=50 * MEGABYTE)
    write_much(folder / "zip.dat", b"PK\x03\x04", b"\0", size=50 * MEGABYTE)
    write_much(folder / "html.dat", b"<!doctype html>", b"<p>x</p>", size=50 * MEGABYTE)
    write_much(folder / "binary.dat", b"\x00\x01\x02\x03\x00", b"\x00\x07\x10", size=50 * MEGABYTE)
    write_much(folder / "endless_header.dat", b"", b"name,", size=50 * MEGABYTE)


def test_hostile_files_are_refused_with_little_memory_and_little_time(tmp_path: Path) -> None:
    build(tmp_path)
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "otc.settings", "PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    said = {name: text for name, (text, _, _) in found.items()}
    assert "larger than 200 MB" in said["too_large"]
    assert "characters; at most 500 columns" in said["million_columns"]
    assert "characters; at most 500 columns" in said["endless_header"]
    for name in ("one_line", "one_quoted_row"):
        assert "characters" in said[name] or "field larger" in said[name], said[name]
    assert "workbook" in said["zip"] and "compressed" in said["gzip"] and "web page" in said["html"]
    assert "binary data" in said["binary"] and said["wide_rows"] == "read"
    assert {name: grown for name, (_, grown, _) in found.items() if grown > MOST_GROWN} == {}
    # What needs no look at all of it is refused before a second has passed on an idle machine.
    slow = {name: seconds for name, (_, _, seconds) in found.items() if name != "wide_rows" and seconds > 10}
    assert slow == {}
