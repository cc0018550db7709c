"""The CSV files of the import benchmark: deals and four rows of history for each."""

import csv
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

ACCOUNTS, OWNERS, CHANGES = 2_000, 50, 4
STAGES = ("Qualify", "Discover", "Propose", "Negotiate", "Sign")
BEGINNING = datetime(2023, 1, 2, 8, tzinfo=UTC)
DEALS_HEADER = (
    *("external_id", "name", "account", "owner", "stage", "amount", "currency", "close_date"),
    *("created_at", "closed_at", "outcome", "source", "next_step", "Region", "Seats"),
)
HISTORY_HEADER = ("external_id", "at", "stage", "amount", "close_date", "owner")


def write_files(folder: Path, *, deals: int) -> tuple[Path, Path]:
    """deals.csv and history.csv in `folder`; the same bytes every time. Two deals in five are closed."""
    draw = Random(7)
    deal_path, history_path = folder / "deals.csv", folder / "history.csv"
    with deal_path.open("w", newline="") as deal_stream, history_path.open("w", newline="") as history_stream:
        deal_file, history_file = csv.writer(deal_stream), csv.writer(history_stream)
        deal_file.writerow(DEALS_HEADER)
        history_file.writerow(HISTORY_HEADER)
        for number in range(deals):
            deal, history = _deal(number, draw)
            deal_file.writerow(deal)
            history_file.writerows(history)
    return deal_path, history_path


def _deal(number: int, draw: Random) -> tuple[list[object], list[list[object]]]:
    created = BEGINNING + timedelta(minutes=draw.randrange(1_000_000), seconds=draw.randrange(60))
    offsets = sorted(draw.sample(range(1, 200_000), CHANGES - 1))
    instants = [created, *(created + timedelta(minutes=offset) for offset in offsets)]
    assert all(earlier < later for earlier, later in pairwise(instants))
    amount, close = draw.randrange(10, 5_000) * 100, created.date() + timedelta(days=60)
    owner = f"Person {draw.randrange(OWNERS)}"
    rows: list[list[object]] = []
    for place, at in enumerate(instants):
        stage = STAGES[min(place, len(STAGES) - 1)]
        if place and draw.random() < 0.5:
            close += timedelta(days=draw.randrange(1, 45))
        if place and draw.random() < 0.4:
            amount += draw.randrange(-5, 6) * 100
        amount = max(amount, 0)
        rows.append([f"D-{number}", at.isoformat(), stage, f"{amount}.00", close, owner])
    outcome = draw.choices(("", "won", "lost"), weights=(3, 1, 1))[0]
    closed = instants[-1] + timedelta(minutes=draw.randrange(1, 40_000)) if outcome else None
    day: date = closed.date() if closed else close
    deal = [
        *(
            f"D-{number}",
            f"Deal {number} of {draw.randrange(ACCOUNTS)}",
            f"Account {number % ACCOUNTS}",
            owner,
        ),
        *(rows[-1][2], rows[-1][3], "EUR", day, created.isoformat(), closed.isoformat() if closed else ""),
        *(outcome, "Partner", "Call them back", "North", draw.randrange(500)),
    ]
    return deal, rows
