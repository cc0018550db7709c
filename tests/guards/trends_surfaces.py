"""The surfaces of trends. Numbers by (period, week, whether it is the question's own instant, what)."""

from forecasting.trends.picture import text_of as written
from forecasting.trends.report import trends_report
from forecasting.trends.rules import COLUMNS
from otc.question import Question
from otc.ui import format as fmt
from tests.guards.surface import API, CSV, PAGE, Looker, Numbers, Surface, text_of

SHOWN = ("open", "won", "created")
NAMES = ("quota_minor", "open_minor", *COLUMNS)


def trends_numbers(question: Question, medium: str) -> Numbers:
    trends = trends_report(question, knowledge=question.frame["knowledge"])
    numbers: Numbers = {}
    for trend in (trends.current, *trends.pasts):
        for point in trend.points:
            key = (
                trend.period.label if medium == PAGE else trend.period.key,
                point.sample.week,
                point.is_present,
            )
            if medium == PAGE:
                for measure in SHOWN:
                    numbers[*key, measure] = written(measure, point, currency=question.currency)
                continue
            values = {"quota_minor": trend.quota_minor, "open_minor": point.sums.open_minor}
            numbers |= {(*key, name): value for name, value in (values | point.sums.by_column).items()}
    if medium == API:
        numbers["needed",] = list(trends.needed)
    if medium != CSV:
        made = trends.make_up
        numbers |= {
            ("age", number): fmt.money_full(age.amount_minor, currency=question.currency)
            if medium == PAGE
            else age.amount_minor
            for number, age in enumerate(made.ages)
        }
        numbers["deals",] = [str(deal.id) for deal in made.deals if deal.id][:5]
    return numbers


def trends_page(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for measure in SHOWN:
        response = looker.page("trends/", measure=measure)
        trends = response.context["trends"]
        labels = [trend.period.label for trend in (trends.current, *trends.pasts)]
        present = trends.current.last
        rows = [row for row in text_of(response).rows if len(row.cells) == 2 + len(labels) == 7]
        for row in rows:
            name, *cells = [cell.text.strip() for cell in row.cells[:-1]]
            for label, cell in zip(labels, cells, strict=True):
                if row.section == "tbody" and cell not in ("", "–"):
                    is_present = name in ("Now", "That day")
                    week = present.sample.week if is_present else int(name.replace("Start", "0").split()[-1])
                    numbers[label, week, is_present, measure] = cell
    ages = [row.cells[2].text.strip() for row in text_of(response).rows if "days" in row.cells[0].text]
    numbers |= {("age", number): amount for number, amount in enumerate(ages)}
    numbers["deals",] = [str(deal.id) for deal in response.context["largest"] if deal.id]
    return numbers


def trends_csv(looker: Looker) -> Numbers:
    return {
        (row["period"], int(row["week"]), row["is_present"] == "True", name): int(row[name])
        if row[name]
        else None
        for row in looker.csv("trends/")
        for name in NAMES
    }


def trends_api(looker: Looker) -> Numbers:
    found = looker.api("trends")
    numbers: Numbers = {("needed",): found["needed_minor"]}
    for trend in (found["current"], *found["pasts"]):
        for point in trend["points"]:
            key = (trend["period"]["key"], point["week"], point["is_present"])
            numbers |= {(*key, name): point[name] for name in NAMES[1:]}
            numbers[*key, "quota_minor"] = trend["quota_minor"]
    numbers |= {("age", number): age["amount_minor"] for number, age in enumerate(found["ages"])}
    return numbers | {("deals",): [deal["id"] for deal in found["largest_deals"] if deal["id"]][:5]}


TRENDS = Surface("trends", "api-trends", trends_numbers, trends_page, trends_csv, trends_api)
