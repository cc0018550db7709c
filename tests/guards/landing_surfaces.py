"""The surfaces of the landing. Numbers by what they are; the page shows the sum and its parts exactly."""

from forecasting.landing.beside import forecasters, rollup_of
from forecasting.landing.report import landing_report
from otc.question import Question, since_instant
from tests.guards.page_numbers import minor_of
from tests.guards.surface import API, PAGE, Looker, Numbers, Surface, text_of

PARTS = ("won", "open", "to_come")
SPREAD = ("p10", "p50", "p90")


def landing_numbers(question: Question, medium: str) -> Numbers:
    found = landing_report(question, since=since_instant(question, "", last_visit=None)[1])
    landing = found.landing
    parts = (landing.won_minor, landing.open_minor, landing.later_minor)
    numbers: Numbers = {(name,): minor for name, minor in zip(PARTS, parts, strict=True)}
    numbers["landing",] = landing.mean_minor
    if medium == PAGE:
        shown = () if found.is_over else ("p10", "p90")
        return numbers | {(name,): getattr(landing, f"{name}_minor") for name in shown}
    numbers |= {(name,): getattr(landing, f"{name}_minor") for name in SPREAD}
    numbers |= {("quota",): found.quota_minor}
    stages = [
        (row.stage_id, row.count, row.minor, row.seen, row.won, row.expected_minor) for row in found.stages
    ]
    if medium == API:
        numbers |= {
            ("stage", str(stage), index): n for stage, *sums in stages for index, n in enumerate(sums)
        }
    else:
        numbers["stages",] = sorted(tuple(sums) for _, *sums in stages)
    numbers |= {("past", key): round(found.strays[key], 6) for key in found.pasts if key in found.strays}
    said = forecasters(found, rollup_of(found))
    return numbers | {("said", one.key): one.minor for one in said if one.key != "landing"}


def landing_page(looker: Looker) -> Numbers:
    response = looker.page("landing/")
    text = text_of(response)
    named = ("landing",) if response.context["found"].is_over else ("landing", "p10", "p90")
    numbers: Numbers = {(name,): minor_of(title) for name, title in zip(named, text.exact, strict=False)}
    return numbers | {(name,): minor_of(text.exact_of(f"landing-{name}")[0]) for name in PARTS}


def landing_csv(looker: Looker) -> Numbers:
    numbers: Numbers = {}
    stages, opened = [], 0
    for row in looker.csv("landing/"):
        part, minor = row["part"], row["expected_minor"]
        if part == "open":
            names = ("deals", "amount_minor", "seen_before", "won_before", "expected_minor")
            stages.append(tuple(int(row[name]) for name in names))
            opened += int(minor)
        elif part == "past":
            numbers["past", row["of"]] = float(row["share"])
        else:
            key = part.replace(" ", "_")
            numbers[(key,) if key in (*PARTS, *SPREAD, "landing", "quota") else ("said", key)] = (
                int(minor) if minor else None
            )
    return numbers | {("open",): opened, ("stages",): sorted(stages)}


def landing_api(looker: Looker) -> Numbers:
    found = looker.api("landing")
    numbers: Numbers = {("landing",): found["amount_minor"], ("quota",): found["quota_minor"]}
    numbers |= {(name,): found[f"{name}_minor"] for name in (*PARTS, *SPREAD)}
    names = ("count", "amount_minor", "seen_before", "won_before", "expected_minor")
    numbers |= {
        ("stage", str(row["stage_id"]), index): row[name]
        for row in found["stages"]
        for index, name in enumerate(names)
    }
    numbers |= {("past", one["period"]): round(one["strayed"], 6) for one in found["strays"]}
    said = {
        ("said", one["key"]): one["amount_minor"] for one in found["forecasters"] if one["key"] != "landing"
    }
    return numbers | said


LANDING = Surface("landing", "api-landing", landing_numbers, landing_page, landing_csv, landing_api)
