"""The surfaces of the deals list and of win/loss, and the table of all reports."""

from typing import Any

from otc.money.rules import decimal_text
from otc.question import Question, since_instant
from pipeline.opportunities.asked import read
from pipeline.opportunities.report import all_deal_rows, deals_report
from postmortem.winloss.report import winloss_report
from tests.guards.forecasting_surfaces import FLOW, FORECAST, INSPECTION, MATRIX, maybe_int
from tests.guards.funnel_surfaces import FUNNEL
from tests.guards.landing_surfaces import LANDING
from tests.guards.page_numbers import minor_of
from tests.guards.surface import API, PAGE, Looker, Numbers, Surface, text_of
from tests.guards.trends_surfaces import TRENDS

COUNTS = ("won", "lost", "no_decision")
SUMS = ("won_minor", "lost_minor", "no_decision_minor")
RATES = ("win_rate", "low", "high", "win_rate_by_amount", "cycle_days")
GROUPINGS = ("person", "manager", "quarter")


def winloss_numbers(question: Question, medium: str) -> Numbers:
    """Counts, sums and rates by grouping and group; the page shows counts and won amounts, by name."""
    numbers: Numbers = {}
    for group_by in GROUPINGS:
        report = winloss_report(
            question.organization, group_by=group_by, period=question.period, **question.frame
        )
        rows = [(_text(group.name if medium == PAGE else group.key), group.row) for group in report.groups]
        for key, row in [*rows, ("total", report.total)]:
            low, high = row.interval or (None, None)
            rates = (row.win_rate, low, high, row.win_rate_by_amount, row.cycle_days)
            numbers |= {(group_by, key, name): getattr(row.closed, name) for name in (*COUNTS, *SUMS)}
            numbers |= {
                (group_by, key, name): None if rate is None else round(float(rate), 9)
                for name, rate in zip(RATES, rates, strict=True)
            }
    if medium == PAGE:
        return {key: value for key, value in numbers.items() if key[2] in (*COUNTS, "won_minor")}
    return numbers


def _text(key: Any) -> str:
    return "" if key is None else str(key)


def winloss_page(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for group_by in GROUPINGS:
        response = looker.page("winloss/", group=group_by)
        text = text_of(response)
        total = response.context["total"].closed
        named = {entry["name"]: entry for entry in response.context["rows"]}
        shown = [row for row in text.rows if row.section != "thead" and len(row.cells) == 10]
        assert len(shown) == (len(named) + 1 if total.count else 0)
        for row in shown:
            cells = [cell.text.strip() for cell in row.cells]
            is_total = row.section == "tfoot"
            key = "total" if is_total else cells[0] if named[cells[0]]["key"] is not None else ""
            counts = [int(cell.split()[0].replace(",", "")) for cell in cells[1:4]]
            numbers |= {(group_by, key, name): count for name, count in zip(COUNTS, counts, strict=True)}
            title = row.cells[7].titles[0] if not is_total else text.exact[0]
            numbers[group_by, key, "won_minor"] = minor_of(title)
        if not shown:
            numbers |= {(group_by, "total", name): getattr(total, name) for name in (*COUNTS, "won_minor")}
    return numbers


def winloss_csv(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for group_by in GROUPINGS:
        rows = looker.csv("winloss/", group=group_by)
        for index, row in enumerate(rows):
            key = "total" if index == len(rows) - 1 else row["id"]
            numbers |= {(group_by, key, name): int(row[name]) for name in (*COUNTS, *SUMS)}
            numbers |= {
                (group_by, key, name): round(float(row[name]), 9) if row[name] else None for name in RATES
            }
    return numbers


def winloss_api(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for group_by in GROUPINGS:
        found = looker.api("winloss", group_by=group_by)
        rows = [(_text(group["key"]), group) for group in found["groups"]]
        for key, row in [*rows, ("total", found["total"])]:
            numbers |= {(group_by, key, name): row[name] for name in (*COUNTS, *SUMS)}
            numbers |= {
                (group_by, key, name): None if row[name] is None else round(row[name], 9) for name in RATES
            }
    return numbers


def deals_numbers(question: Question, medium: str) -> Numbers:
    """Every open deal with its amount, and the count; page and CSV also say the corporate sum."""
    parameters = {"period": question.period.key}
    asked = read(parameters, question)
    _, since = since_instant(question, "", last_visit=None)
    report = deals_report(question, asked, since=since)
    rows = list(all_deal_rows(question, asked, since=since))
    numbers: Numbers = {("deal", str(row.id)): _amount(row.amount_minor, row.currency) for row in rows}
    numbers["count",] = report.sums.count
    if medium != API:
        numbers["sum",] = report.sums.total_minor
    if medium == PAGE:
        numbers |= {("tab", tab): count for tab, count in report.tab_counts.items()}
    return numbers


def _amount(amount_minor: int | None, currency: str) -> str:
    return "" if amount_minor is None else f"{decimal_text(amount_minor, currency=currency)} {currency}"


def deals_page(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    after = ""
    while after is not None:
        response = looker.page("deals/", after=after)
        report, text = response.context["report"], text_of(response)
        listed = {row.row_id.removeprefix("deal-") for row in text.rows if row.row_id.startswith("deal-")}
        assert listed == {str(row.id) for row in report.rows}
        numbers |= {("deal", str(row.id)): _amount(row.amount_minor, row.currency) for row in report.rows}
        after = report.next_cursor
    numbers["count",] = report.sums.count
    numbers["sum",] = minor_of(text.exact[0]) if report.sums.count else 0
    return numbers | {("tab", tab): count for tab, count in report.tab_counts.items()}


def deals_csv(looker: Looker) -> Numbers:
    rows = looker.csv("deals/")
    numbers: Numbers = {
        ("deal", row["id"]): f"{row['amount']} {row['currency']}" if row["amount"] else "" for row in rows
    }
    numbers["count",] = len(rows)
    numbers["sum",] = sum(maybe_int(row["corporate_amount"].replace(".", "")) or 0 for row in rows)
    return numbers


def deals_api(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    found = looker.api("opportunities", state="open", limit="20")
    while True:
        numbers |= {
            ("deal", deal["id"]): _amount(deal["amount_minor"], deal["currency"]) for deal in found["results"]
        }
        if not found["next"]:
            break
        found = looker.api(found["next"])
    numbers["count",] = len(numbers)
    return numbers


WINLOSS = Surface("winloss", "api-winloss", winloss_numbers, winloss_page, winloss_csv, winloss_api)
DEALS = Surface("deals", "api-opportunities", deals_numbers, deals_page, deals_csv, deals_api)

# Every report of the house. The guard finds the ones that aren't here.
SURFACES = [DEALS, INSPECTION, FLOW, MATRIX, TRENDS, FUNNEL, FORECAST, LANDING, WINLOSS]
