"""The surfaces of the funnel. Numbers by (row, key, what)."""

from typing import Any

from forecasting.funnel.report import funnel_report, pace_report
from forecasting.funnel.views import NUMBERS
from otc.question import Question
from otc.ui import format as fmt
from tests.guards.surface import PAGE, Looker, Numbers, Surface, text_of

VELOCITY = ("won", "won_minor", "open_deals", "cycle_days", "velocity_minor_a_day")


def funnel_numbers(question: Question, medium: str) -> Numbers:
    funnel, pace = funnel_report(question), pace_report(question)
    numbers: Numbers = {}
    for stage in funnel.stages:
        key = stage.name if medium == PAGE else str(stage.stage_id)
        numbers |= {("stage", key, name): getattr(stage, name) for name in NUMBERS}
        if medium != PAGE:
            numbers["stage", key, "median_days"] = stage.stay.days
    if medium == PAGE:
        for one in pace.segments:
            numbers["segment", one.name or "None", "won"] = one.velocity.closed.won
            numbers["segment", one.name or "None", "a day"] = fmt.money_short(
                one.velocity.a_day_minor, currency=question.currency
            )
        return numbers
    named = [("segment", one.key or "", one.velocity) for one in pace.segments]
    named += [("period", period.key, velocity) for period, velocity in pace.over_time]
    for row, key, velocity in named:
        values = (velocity.closed.won, velocity.closed.won_minor, velocity.open_count, velocity.cycle_days)
        pairs = zip(VELOCITY, (*values, velocity.a_day_minor), strict=True)
        numbers |= {(row, key, name): value for name, value in pairs}
    return numbers


def funnel_page(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for row in text_of(looker.page("funnel/")).rows:
        cells = [cell.text.strip() for cell in row.cells]
        if row.section == "tbody" and len(cells) == 11:
            counts = [cells[1], cells[2], *cells[4:8]]
            numbers |= {
                ("stage", cells[0], name): int(count.replace(",", ""))
                for name, count in zip(NUMBERS, counts, strict=True)
            }
        elif row.section == "tbody" and len(cells) == 10:
            numbers["segment", cells[0], "won"] = int(cells[2])
            numbers["segment", cells[0], "a day"] = cells[8]
    return numbers


def number_of(text: str) -> Any:
    return None if text == "" else float(text) if "." in text else int(text)


def funnel_csv(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    for row in looker.csv("funnel/"):
        names = (*NUMBERS, "median_days") if row["row"] == "stage" else VELOCITY
        numbers |= {(row["row"], row["key"], name): number_of(row[name]) for name in names}
    return numbers


def funnel_api(looker: Looker) -> Numbers:
    found = looker.api("funnel")
    numbers: Numbers = {}
    for stage in found["stages"]:
        numbers |= {("stage", stage["stage_id"], name): stage[name] for name in NUMBERS}
        numbers["stage", stage["stage_id"], "median_days"] = stage["stay"]["median_days"]
    named = [("segment", one["key"] or "", one["velocity"]) for one in found["segments"]]
    named += [("period", one["period"]["key"], one["velocity"]) for one in found["over_time"]]
    for row, key, velocity in named:
        values = ("won", "won_minor", "open_count", "cycle_days", "a_day_minor")
        pairs = zip(VELOCITY, (velocity[name] for name in values), strict=True)
        numbers |= {(row, key, name): value for name, value in pairs}
    return numbers


FUNNEL = Surface("funnel", "api-funnel", funnel_numbers, funnel_page, funnel_csv, funnel_api)
