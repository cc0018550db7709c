"""The surfaces of forecast, flow and inspection. Numbers are minor units and counts by (row, column)."""

from typing import Any

from forecasting.flow.places import name_of
from forecasting.flow.report import flow_report
from forecasting.grid.columns import FOCUSES, NO_CATEGORY, VIEWS
from forecasting.inspection.report import Asked, all_deals, inspection_report
from forecasting.rollup.report import rollup_report
from forecasting.rollup.rules import COLUMNS
from forecasting.waterfall.groups import ordered
from forecasting.waterfall.picture import STEP_LABELS
from forecasting.waterfall.report import waterfall_report
from otc.question import Question, since_instant
from otc.ui import format as fmt
from tests.guards.page_numbers import minor_of
from tests.guards.surface import API, CSV, PAGE, Looker, Numbers, Surface, text_of

GROUP = "group"


def maybe_int(text: str) -> int | None:
    return int(text) if text else None


def forecast_report(question: Question, medium: str) -> Numbers:
    """Final and reported amounts and quotas; the page sums people without a line up and leaves empty columns out."""
    report = rollup_report(question.organization, period=question.period, **question.frame)
    columns = [*COLUMNS, "quota"]
    rows = [(str(row.person_id), row) for row in report.rows if medium != PAGE or not row.is_unassigned]
    if medium != PAGE or report.unassigned.deal_count or report.unassigned.amounts["open"].final:
        rows.append(("unassigned", report.unassigned))
    if medium == PAGE:
        columns = [column for view in VIEWS.values() for column, _ in view]
        columns += [NO_CATEGORY[0]] if report.total.amounts["no_category"].rolled_up else []

    found = {
        (key, column): row.quota_minor if column == "quota" else row.amounts[column].final
        for key, row in [*rows, ("total", report.total)]
        for column in columns
    }
    if medium == PAGE:
        for view in FOCUSES.values():
            found |= {
                (key, view[0], "reported"): row.amounts[view[0]].rolled_up
                for key, row in [*rows, ("total", report.total)]
            }
    return found


def forecast_page(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for view, columns in VIEWS.items():
        focus = FOCUSES[view][0]
        names: list[str | None] = []
        for column, _ in columns:
            names += [f"{focus} reported", None, column] if column == focus else [column]
        for row in text_of(looker.page("forecast/", view=view)).rows:
            if (
                row.section == "thead"
                or {"is-own", "is-deal"} & row.classes
                or len(row.cells) < len(names) + 5
            ):
                continue
            key = row.row_id.removeprefix("person-") or "total"
            shown = [*names, NO_CATEGORY[0]][: len(row.cells) - 5]
            for name, cell in zip(shown, row.cells[2 : 2 + len(shown)], strict=True):
                if name == f"{focus} reported":
                    numbers[key, focus, "reported"] = minor_of(cell.titles[0])
                elif name is not None:
                    numbers[key, name] = minor_of(cell.titles[0])
    return numbers


def forecast_csv(looker: Looker) -> Numbers:
    return {
        (row["person_id"] or row["person"].lower(), column): maybe_int(row[f"{column}_minor"])
        for row in looker.csv("forecast/")
        for column in (*COLUMNS, "quota")
    }


def forecast_api(looker: Looker) -> Numbers:
    found = looker.api("forecast/rollup")
    rows = [(row["person_id"], row) for row in found["rows"]]
    rows += [("unassigned", found["unassigned"]), ("total", found["total"])]
    numbers: Numbers = {(key, "quota"): row["quota_minor"] for key, row in rows}
    for key, row in rows:
        numbers |= {(key, column): row["amounts"][column]["final_minor"] for column in COLUMNS}
    return numbers


def flow_numbers(question: Question, medium: str) -> Numbers:
    """Sum, count and deals of both ends and of every bucket and booking that isn't empty."""
    _, since = since_instant(question, "period", last_visit=None)
    report = waterfall_report(question.organization, period=question.period, since=since, **question.frame)
    numbers: Numbers = {}
    for name, total in report.waterfall.steps.items():
        if total.count:
            numbers[name, "count"] = total.count
            numbers[name, "minor"] = total.amount_minor
            if medium != PAGE:
                numbers[name, "deals"] = sorted(
                    (str(line.deal_id) if line.is_visible else "", line.amount_minor)
                    for line in report.lines(name)
                )
    if medium != CSV:
        falls = report.waterfall
        numbers["opening",] = falls.opening.amount_minor
        numbers["closing",] = falls.closing.amount_minor
        numbers["bookings",] = falls.change_of_bookings_minor
        numbers["unconvertible",] = len(report.unconvertible)
    return numbers


def flow_page(looker: Looker) -> Numbers:
    """The balance's lines, and the exact ends from the sentence above."""
    numbers: Numbers = {}
    response = looker.page("flow/")
    text = text_of(response)
    labels = {label: name for name, label in STEP_LABELS.items()}
    for row in text.rows:
        label = row.cells[0].text.strip() if row.cells else ""
        if row.section == "tbody" and label in labels and len(row.cells) == 3 and row.cells[2].titles:
            count, name = int(row.cells[1].text.replace(",", "")), labels[label]
            if count:
                numbers |= {(name, "count"): count, (name, "minor"): minor_of(row.cells[2].titles[0])}
    opening, closing = [minor_of(title) for title in text.exact[:2]]
    numbers |= {("opening",): opening, ("closing",): closing}
    numbers["bookings",] = response.context["bookings_minor"]
    numbers["unconvertible",] = response.context["unconvertible"]
    return numbers


def flow_csv(looker: Looker) -> Numbers:
    lines: dict[str, list[tuple[str, int]]] = {}
    for row in looker.csv("flow/"):
        lines.setdefault(row["bucket"], []).append((row["deal_id"], int(row["amount_minor"])))
    return _summed(lines)


def flow_api(looker: Looker) -> Numbers:
    found = looker.api("waterfall", since="period")
    named = [("opening", found["opening"]), ("closing", found["closing"])]
    named += [(item["name"], item) for item in (*found["buckets"], *found["bookings"])]
    lines: dict[str, list[tuple[str, int]]] = {}
    for name, item in named:
        if item["count"]:
            opened = looker.api("waterfall", since="period", bucket=name)["opened"]
            assert (opened["count"], opened["amount_minor"]) == (item["count"], item["amount_minor"])
            lines[name] = [(deal["deal_id"] or "", deal["amount_minor"]) for deal in opened["deals"]]
    return _summed(lines) | {
        ("opening",): found["opening"]["amount_minor"],
        ("closing",): found["closing"]["amount_minor"],
        ("bookings",): found["change_of_bookings_minor"],
        ("unconvertible",): len(found["unconvertible"]),
    }


def _summed(lines: dict[str, list[tuple[str, int]]]) -> Numbers:
    numbers: Numbers = {}
    for name, deals in lines.items():
        numbers[name, "count"] = len(deals)
        numbers[name, "minor"] = sum(amount for _, amount in deals)
        numbers[name, "deals"] = sorted(deals)
    return numbers


def matrix_numbers(question: Question, medium: str) -> Numbers:
    """Every cell of the flow from stage to stage, and the margins."""
    _, since = since_instant(question, "period", last_visit=None)
    report = flow_report(question.organization, period=question.period, since=since, **question.frame)
    names = dict(ordered(report.groups, by=report.by, today=question.day))
    numbers: Numbers = {}
    for (start, end), cell in report.cells.items():
        numbers[name_of(start, names), name_of(end, names)] = (cell.amount_minor, cell.count)
    if medium != CSV:
        for place in {start for start, _ in report.cells}:
            numbers["row", name_of(place, names)] = report.row(place).amount_minor
        for place in {end for _, end in report.cells}:
            numbers["column", name_of(place, names)] = report.column(place).amount_minor
    return numbers


def matrix_page(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    heads: list[str] = []
    for row in text_of(looker.page("flow/matrix/")).rows:
        cells = [cell.text.strip() for cell in row.cells]
        if row.section == "thead":
            heads = cells[1:-1]
        elif row.section == "tbody":
            for head, cell in zip(heads, row.cells[1:-1], strict=True):
                if cell.titles:
                    count = int(cell.text.split()[-1].replace(",", ""))
                    numbers[cells[0], head] = (minor_of(cell.titles[0]), count)
            numbers["row", cells[0]] = minor_of(row.cells[-1].titles[0])
        elif row.section == "tfoot":
            for head, cell in zip(heads, row.cells[1:-1], strict=True):
                # A group where nothing is any more stays as a column, because it is a row.
                if any(end == head for start, end in numbers if start not in ("row", "column")):
                    numbers["column", head] = minor_of(cell.titles[0])
    return {key: value for key, value in numbers.items() if key[0] != "row" or _is_row(key[1], numbers)}


def _is_row(name: str, numbers: Numbers) -> bool:
    return any(start == name for start, _ in numbers if start not in ("row", "column"))


def matrix_csv(looker: Looker) -> Numbers:
    return {
        (row["from"], row["to"]): (int(row["amount_minor"]), int(row["count"]))
        for row in looker.csv("flow/matrix/")
    }


def matrix_api(looker: Looker) -> Numbers:
    found = looker.api("flow", since="period")
    numbers: Numbers = {}
    for cell in found["cells"]:
        start, end = cell["start"]["name"], cell["end"]["name"]
        numbers[start, end] = (cell["amount_minor"], cell["count"])
    starts, ends = {start for start, _ in numbers}, {end for _, end in numbers}
    numbers |= {("row", row["name"]): row["amount_minor"] for row in found["rows"] if row["name"] in starts}
    columns = found["columns"]
    return numbers | {("column", one["name"]): one["amount_minor"] for one in columns if one["name"] in ends}


def inspection_numbers(question: Question, medium: str) -> Numbers:
    """The groups' sums, the period's figures, and every deal with its amount."""
    _, since = since_instant(question, "", last_visit=None)
    report = inspection_report(question, since=since, asked=Asked())
    currency = question.organization.currency
    numbers: Numbers = {}
    for group in report.groups:
        numbers[GROUP, group.group_key, "count"] = group.count
        numbers[GROUP, group.group_key, "sum"] = (
            fmt.money_full(group.total_minor, currency=currency) if medium == PAGE else group.total_minor
        )
    for deal in all_deals(question, since=since, asked=Asked()):
        numbers["deal", str(deal.opportunity_id)] = (
            _written(deal.corporate_minor, currency) if medium == PAGE else deal.corporate_minor
        )
    if medium != CSV:
        summary = report.summary
        numbers |= {(name,): amount for name, amount in summary_amounts(summary).items()}
        numbers["gap",] = (
            abs(summary.gap_minor) if medium == PAGE and summary.gap_minor else summary.gap_minor
        )
        numbers |= {("tab", tab): count for tab, count in report.counts.items()}
    if medium == API:
        numbers["was", "won"] = summary.before.won_minor
        for name, part in (("risk", summary.risk_before), ("upside", summary.upside_before)):
            numbers["was", name] = None if part is None else part.minor
        numbers |= {("quota",): summary.quota_minor, ("total",): report.total_minor}
    return numbers


# The amounts of the page's figures, in its order; the gap follows them where there is a quota.
AMOUNTS = ("won", "not_won", "commit", "most_likely", "best_case", "open")
SCORED = ("risk", "upside", "overdue")


def summary_amounts(summary: Any) -> dict[str, int]:
    now = summary.now
    return {
        "won": now.won_minor,
        "not_won": now.not_won_minor,
        "commit": now.won_minor + now.commit_minor,
        "most_likely": now.won_minor + now.commit_minor + now.most_likely_minor,
        "best_case": now.won_minor + now.commit_minor + now.most_likely_minor + now.best_case_minor,
        "open": now.open_minor,
        "risk": summary.risk.minor,
        "upside": summary.upside.minor,
        "overdue": now.overdue_minor,
    }


def _written(corporate_minor: int | None, currency: str) -> str:
    return "" if corporate_minor is None else fmt.money_full(corporate_minor, currency=currency)


def inspection_page(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    number, more = 0, True
    while more:
        response = looker.page("inspection/", page=str(number))
        found, text = response.context["found"], text_of(response)
        keys = iter([entry["group"].group_key for entry in response.context["groups"]])
        for row in text.rows:
            if GROUP in row.classes:
                key, count = next(keys), int(row.cells[0].text.strip().rsplit(" ", 1)[1])
                numbers[GROUP, key, "count"] = count
                numbers[GROUP, key, "sum"] = row.cells[1].text.split()[0]
            elif row.row_id.startswith("deal-"):
                numbers["deal", row.row_id.removeprefix("deal-")] = _deal_amount(row.cells[2].text)
        more, number = found.has_more, number + 1
    exact = [minor_of(title) for title in text.exact_of("metric-value")]
    has_gap = response.context["summary"].quota_minor is not None
    names = [*AMOUNTS, *(["gap"] if has_gap else []), *SCORED]
    numbers |= {(name,): amount for name, amount in zip(names, exact, strict=True)} | (
        {} if has_gap else {("gap",): None}
    )
    tabs = response.context["tabs"]
    return numbers | {("tab", name): tab.count for name, tab in zip(found.counts, tabs, strict=True)}


def _deal_amount(text: str) -> str:
    """The corporate amount in a cell: a foreign currency's code stands before it, a change behind it."""
    words = [word for word in text.split() if not word.isalpha() or word == "no"]
    is_foreign = len(text.split()[0]) == 3 and text.split()[0].isupper()
    if words[0] == "no" or (is_foreign and text.split()[0] == "NOK"):
        return ""
    return words[0]


def inspection_csv(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for row in looker.csv("inspection/"):
        minor, key = maybe_int(row["corporate_minor"]), row["category"]
        numbers["deal", row["id"]] = minor
        numbers[GROUP, key, "count"] = numbers.get((GROUP, key, "count"), 0) + 1
        numbers[GROUP, key, "sum"] = numbers.get((GROUP, key, "sum"), 0) + (minor or 0)
    return numbers


def inspection_api(looker: Looker) -> Numbers:
    found = looker.api("inspection")
    summary = found["summary"]
    numbers: Numbers = {
        ("won",): summary["now"]["won_minor"],
        ("not_won",): summary["now"]["not_won_minor"],
        ("commit",): summary["commit_with_won_minor"],
        ("most_likely",): summary["most_likely_with_won_minor"],
        ("best_case",): summary["best_case_with_won_minor"],
        ("open",): summary["now"]["open_minor"],
        ("gap",): summary["gap_minor"],
        ("risk",): summary["risk"]["minor"],
        ("upside",): summary["upside"]["minor"],
        ("overdue",): summary["now"]["overdue_minor"],
        ("was", "won"): summary["before"]["won_minor"],
        ("was", "risk"): summary["risk_before"] and summary["risk_before"]["minor"],
        ("was", "upside"): summary["upside_before"] and summary["upside_before"]["minor"],
        ("quota",): summary["quota_minor"],
        ("total",): found["total_minor"],
    }
    numbers |= {("tab", tab): count for tab, count in found["tabs"].items()}
    for group in found["groups"]:
        numbers |= {
            (GROUP, group["key"], "count"): group["count"],
            (GROUP, group["key"], "sum"): group["total_minor"],
        }
    deals: list[Any] = found["deals"]
    while found["next"]:
        found = looker.api(found["next"])
        deals += found["deals"]
    assert len({deal["deal_id"] for deal in deals}) == len(deals) == found["count"]
    return numbers | {("deal", deal["deal_id"]): deal["corporate_minor"] for deal in deals}


FORECAST = Surface(
    "forecast", "api-forecast-rollup", forecast_report, forecast_page, forecast_csv, forecast_api
)
FLOW = Surface("flow", "api-waterfall", flow_numbers, flow_page, flow_csv, flow_api)
MATRIX = Surface("flow_matrix", "api-flow", matrix_numbers, matrix_page, matrix_csv, matrix_api)
INSPECTION = Surface(
    "inspection", "api-inspection", inspection_numbers, inspection_page, inspection_csv, inspection_api
)
