"""`python -m benchmarks.loan_applications FOLDER OUT`: the event log of a lender as files that the importer reads.

FOLDER holds cases.csv (case, REG_DATE, amt) and events.csv.gz (case, ts, act, lc, res); OUT gets people.csv,
opportunities.csv and history.csv, for the mappings in `mappings/loan_applications`. What the log says stays in its
own words: which activity is a stage, a category or an outcome is the mappings' matter. Added here is what takes more
than one row to know: which applications lived long enough, who had one when, and until when it was to close.
"""

import csv
import gzip
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

WON = ("A_APPROVED", "A_REGISTERED", "A_ACTIVATED")
ENDS = (*WON, "A_DECLINED", "A_CANCELLED")
# A_FINALIZED is none: its offer goes out within seconds.
STAGES = ("A_SUBMITTED", "A_PREACCEPTED", "A_ACCEPTED", "O_SENT", "O_SENT_BACK")
# Most declines fall within minutes: what outlives half a day is an opportunity.
SHORTEST = timedelta(hours=12)
# An application without an answer lapses so long after its last offer, or after it came in: most cancellations of the
# log fall on that day. It is the day by which one is expected to close.
TERM = timedelta(days=30)
# The lender's own system, which takes applications in: nobody who could own one.
NOBODY = ("", "112")
ZONE = ZoneInfo("Europe/Amsterdam")
FILES = {
    "people": ("person",),
    "opportunities": ("case", "name", "registered", "amt", "stage", "end", "ended", "expected", "res"),
    "history": ("case", "ts", "act", "amt", "expected", "res"),
}


@dataclass(frozen=True)
class Event:
    at: datetime
    act: str
    person: str


Row = dict[str, str]


def events_by_case(rows: Iterable[Row]) -> dict[str, list[Event]]:
    """The log's rows as each application's events, in order."""
    found: dict[str, list[Event]] = defaultdict(list)
    for row in rows:
        person = "" if row["res"] in NOBODY else f"Agent {row['res']}"
        at = datetime.fromisoformat(row["ts"]).astimezone(UTC)
        found[row["case"]].append(Event(at, row["act"], person))
    for events in found.values():
        events.sort(key=lambda event: event.at)
    return found


def life_of(case: Row, events: list[Event]) -> tuple[Row, list[Row]] | None:
    """An application and its history up to its end; None of one that ended too soon to be worth anybody's while."""
    before = list(takewhile(lambda event: event.act not in ENDS, events))
    end = events[len(before)] if len(before) < len(events) else None
    if not before or (end and end.at - before[0].at < SHORTEST):
        return None
    registered, person, stage = before[0].at, "", ""
    expected, rows = registered + TERM, list[Row]()
    for event in (*before, *((end,) if end else ())):
        person = event.person or person
        if event.act == "O_SENT":
            expected = event.at + TERM
        if event.act in STAGES:
            stage = event.act
        is_taken = bool(rows and person and not rows[-1]["res"])
        if event.act in STAGES or event is end or is_taken:
            day = event.at if event is end else expected
            rows.append(
                {
                    "case": case["case"],
                    "ts": after(event.at, rows),
                    "act": event.act if event.act in STAGES or event is end else "",
                    "amt": case["amt"],
                    "expected": str(day.astimezone(ZONE).date()),
                    "res": person,
                }
            )
    deal = {
        "case": case["case"],
        "name": f"Application {case['case']}",
        "registered": registered.isoformat(),
        "amt": case["amt"],
        "stage": stage,
        "end": end.act if end else "",
        "ended": rows[-1]["ts"] if end else "",
        "expected": rows[-1]["expected"],
        "res": rows[-1]["res"],
    }
    return deal, rows


def after(at: datetime, rows: list[Row]) -> str:
    """The event's instant, or the microsecond after the row before it where both bear the same."""
    if rows:
        at = max(at, datetime.fromisoformat(rows[-1]["ts"]) + timedelta(microseconds=1))
    return at.isoformat(timespec="microseconds")


def lives(folder: Path) -> Iterator[tuple[Row, list[Row]]]:
    """Every application of the log that is an opportunity, with its history."""
    with gzip.open(folder / "events.csv.gz", "rt", newline="") as file:
        events = events_by_case(csv.DictReader(file))
    with (folder / "cases.csv").open(newline="") as file:
        for case in csv.DictReader(file):
            life = life_of(case, events.get(case["case"], []))
            if life:
                yield life


def convert(folder: Path, out: Path) -> dict[str, int]:
    """Write the three files; how many rows each has."""
    found = list(lives(folder))
    history = [row for _, rows in found for row in rows]
    deals = [deal for deal, _ in found]
    people = sorted({row["res"] for row in (*deals, *history) if row["res"]})
    tables: dict[str, list[Row]] = {
        "people": [{"person": person} for person in people],
        "opportunities": deals,
        "history": history,
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with (out / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, FILES[name])
            writer.writeheader()
            writer.writerows(rows)
    return {name: len(rows) for name, rows in tables.items()}


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        sys.exit(__doc__)
    folder, out = (Path(argument) for argument in arguments)
    for name, count in convert(folder, out).items():
        print(f"{out / name}.csv: {count:,} rows")


if __name__ == "__main__":
    main(sys.argv[1:])
