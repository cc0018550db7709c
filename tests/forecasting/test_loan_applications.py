"""The history of a lender's event log through the importer: a small log made here, and the real one where it is."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks.loan_applications import STAGES, convert
from forecasting.waterfall.report import waterfall_report
from forecasting.waterfall.rules import Waterfall
from otc.calendar.rules import Period, parse_period
from otc.imports.mapping import read_mapping
from otc.imports.report import ImportReport
from otc.imports.services import run_import
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person
from otc.tenancy.services import organization_create
from pipeline.imports.registry import KINDS
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage
from tests.cluster import SHARED_DATA
from tests.pipeline.chain import check_chain

MAPPINGS = Path(__file__).parents[2] / "benchmarks" / "mappings" / "loan_applications"
DATA = SHARED_DATA / "loan_applications"
FILES = ("people", "opportunities", "history")
Q4, Q1 = parse_period("2011-Q4"), parse_period("2012-Q1")

# Won after a second offer, lost, declined at once, lapsed, three still open, and one without events.
CASES = "1,5000.0 2,2000.0 3,100.0 4,700.0 5,9000.0 6,400.0 7,30.0 8,1.0"
EVENTS = """
1 2011-12-20 08:00:00.100 A_SUBMITTED 112
1 2011-12-20 08:00:00.100 A_PREACCEPTED 112
1 2011-12-21 09:00:00.000 A_ACCEPTED 10
1 2011-12-21 09:00:02.000 A_FINALIZED 10
1 2011-12-21 09:00:04.000 O_SENT 10
1 2012-01-05 10:00:00.000 O_SENT_BACK 11
1 2012-01-06 10:00:00.000 O_SENT 11
1 2012-01-06 10:30:00.000 W_Nabellen 12
1 2012-01-08 10:00:00.000 O_SENT_BACK 11
1 2012-01-09 11:00:00.000 A_REGISTERED 11
1 2012-01-09 11:00:00.000 A_APPROVED 11
2 2011-10-03 08:00:00.000 A_SUBMITTED 112
2 2011-10-05 08:00:00.000 A_DECLINED 10
3 2011-10-03 08:00:00.000 A_SUBMITTED 112
3 2011-10-03 08:02:00.000 A_DECLINED 112
4 2011-11-20 22:30:00.000 A_SUBMITTED 10
4 2011-11-20 22:31:00.000 O_SENT 10
4 2011-12-20 23:30:00.000 A_CANCELLED 112
5 2012-01-30 12:00:00.000 A_SUBMITTED 112
5 2012-01-31 12:00:00.000 W_Completeren 12
6 2012-01-30 12:00:00.000 A_PREACCEPTED 112
7 2012-01-30 12:00:00.000 A_ACCEPTED 12
"""


def write_log(folder: Path) -> None:
    (folder / "cases.csv").write_text(
        "case,REG_DATE,amt\n"
        + "".join(f"{case},,{amt}\n" for case, amt in (one.split(",") for one in CASES.split()))
    )
    with gzip.open(folder / "events.csv.gz", "wt") as file:
        file.write("case,ts,act,lc,res\n")
        for case, day, time, act, person in (line.split() for line in EVENTS.strip().splitlines()):
            file.write(f"{case},{day} {time}+00:00,{act},COMPLETE,{person}\n")


def bring_in(folder: Path) -> tuple[Organization, list[ImportReport]]:
    organization = organization_create(
        slug="loans", name="Loans", currency="EUR", timezone_name="Europe/Amsterdam"
    )
    return organization, again(organization, folder)


def again(organization: Organization, folder: Path) -> list[ImportReport]:
    return [
        run_import(
            organization,
            kind=KINDS[kind],
            path=folder / f"{kind}.csv",
            mapping=read_mapping(MAPPINGS / f"{kind}.json"),
        )
        for kind in FILES
    ]


def fall(
    organization: Organization, period: Period, since: datetime, until: datetime, **asked: Any
) -> Waterfall:
    asked = {"viewer": Person.objects.get(name="Loan desk"), "now": datetime.now(UTC), **asked}
    report = waterfall_report(organization, period=period, since=since, as_of=until, org_chart="now", **asked)
    return report.waterfall


def buckets(waterfall: Waterfall) -> dict[str, int]:
    return {name: step.amount_minor for name, step in waterfall.steps.items()}


def test_a_small_log_comes_in_and_its_waterfall_tells_what_happened(db: None, tmp_path: Path) -> None:
    write_log(tmp_path)
    assert convert(tmp_path, tmp_path) == {"people": 3, "opportunities": 6, "history": 17}
    organization, reports = bring_in(tmp_path)
    assert [(r.created_count, r.refused_count) for r in reports] == [(3, 0), (6, 0), (17, 0)]
    assert [r.unchanged_count for r in again(organization, tmp_path)] == [3, 6, 17]
    with use(organization.id):
        check_lives()
        check_waterfalls(organization)


def check_lives() -> None:
    """Stages in the log's order; a handing over with the next step only, and each offer moves the close date on."""
    stages = Stage.objects.filter(process__name="Loan applications").order_by("position")
    names = ["Submitted", "Preaccepted", "Accepted", "Offer sent", "Offer back"]
    assert list(stages.values_list("name", flat=True)) == names
    won = check_chain(Opportunity.objects.get(external_id="1").id)
    assert [(v.outcome or v.stage.name, v.owner and v.owner.name, f"{v.close_date:%m-%d}") for v in won] == [
        ("Submitted", None, "01-19"),
        ("Preaccepted", None, "01-19"),
        ("Accepted", "Agent 10", "01-19"),
        ("Offer sent", "Agent 10", "01-20"),
        ("Offer back", "Agent 11", "01-20"),
        ("Offer sent", "Agent 11", "02-05"),
        ("Offer back", "Agent 11", "02-05"),
        ("won", "Agent 11", "01-09"),
    ]
    assert (won[1].valid_from - won[0].valid_from) == timedelta(microseconds=1)
    taken = check_chain(Opportunity.objects.get(external_id="5").id)
    assert [(v.stage.name, v.owner and v.owner.name) for v in taken] == [
        ("Submitted", None),
        ("Submitted", "Agent 12"),
    ]
    found = {
        deal.external_id: (deal.outcome, str(deal.close_date))
        for deal in Opportunity.objects.exclude(external_id="1")
    }
    assert found == {
        "2": ("lost", "2011-10-05"),
        "4": ("no_decision", "2011-12-21"),  # by the lender's clock
        **dict.fromkeys("567", (None, "2012-02-29")),
    }


def check_waterfalls(organization: Organization) -> None:
    start, mid, end = (
        datetime(2011, 12, 10, tzinfo=UTC),
        datetime(2012, 1, 1, tzinfo=UTC),
        datetime(2012, 2, 1, tzinfo=UTC),
    )
    assert buckets(fall(organization, Q4, start, mid)) == {
        "opening": 700_00,
        "no_decision": -700_00,
        "closing": 0,
    }
    assert buckets(fall(organization, Q1, mid, end)) == {
        "opening": 5_000_00,
        "new": 9_430_00,
        "won": -5_000_00,
        "closing": 9_430_00,
        "booked_won": 5_000_00,
    }
    assert buckets(fall(organization, Q1, start, end, mode="path"))["new"] == 14_430_00


@pytest.mark.nightly
@pytest.mark.skipif(
    not DATA.exists(), reason="../shared/data is absent: the loan applications can't be imported"
)
def test_the_whole_log_reconciles_with_its_own_rows(db: None, tmp_path: Path) -> None:
    """Open and won of a quarter on many days are what the rows add up to, and both modes balance between them."""
    counts = convert(DATA, tmp_path)
    organization, reports = bring_in(tmp_path)
    assert [(r.created_count, r.refused_count) for r in reports] == [(count, 0) for count in counts.values()]
    with (tmp_path / "history.csv").open() as file:
        rows = [
            (datetime.fromisoformat(row["ts"]), row["case"], row["act"], row["expected"], row["amt"])
            for row in csv.DictReader(file)
        ]
    days = [datetime(2011, 10, 1, 12, tzinfo=UTC) + timedelta(days=10 * n) for n in range(13)]
    seen = 0
    with use(organization.id):
        for since, until in pairwise(days):
            for period in (Q4, Q1):
                for mode in ("endpoint", "path"):
                    found = buckets(fall(organization, period, since, until, mode=mode))
                    opening, closing = sums_at(rows, since, period), sums_at(rows, until, period)
                    assert found["opening"] == opening["open"]
                    assert found["closing"] == closing["open"]
                    assert found.get("booked_won", 0) == closing["won"] - opening["won"]
                    seen += bool(found["opening"])
    assert seen > 30


def sums_at(rows: list[tuple[datetime, str, str, str, str]], at: datetime, period: Period) -> Counter[str]:
    """What stood open in the period and what was won of it, in cents: each application by its last row until then."""
    last = {case: (act or STAGES[0], expected, amt) for ts, case, act, expected, amt in rows if ts <= at}
    sums: Counter[str] = Counter()
    for act, expected, amt in last.values():
        if not str(period.first) <= expected < str(period.end):
            continue
        if act in STAGES:
            sums["open"] += round(100 * float(amt))
        elif act not in ("A_DECLINED", "A_CANCELLED"):
            sums["won"] += round(100 * float(amt))
    return sums
