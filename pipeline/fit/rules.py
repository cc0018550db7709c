"""How well does a deal fit? Criteria and values in, points and reasons out. No Django."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

ONE_OF, AT_LEAST, BETWEEN, IS_SET = "one_of", "at_least", "between", "is_set"
RULE_WORDS = {ONE_OF: "is one of", AT_LEAST: "is at least", BETWEEN: "is between", IS_SET: "is set"}
NUMBER, TEXT, CHOICE, OTHER = "number", "text", "choice", "other"
RULES_OF_KIND = {
    NUMBER: (AT_LEAST, BETWEEN, IS_SET),
    TEXT: (ONE_OF, IS_SET),
    CHOICE: (ONE_OF, IS_SET),
    OTHER: (IS_SET,),
}
GOOD, FAIR, POOR = "good", "fair", "poor"
BAND_WORDS = {GOOD: "Good fit", FAIR: "Fair fit", POOR: "Poor fit"}
BANDS = tuple(BAND_WORDS)
MOST_CRITERIA, MOST_POINTS, MOST_VALUES, LONGEST_NAME = 20, 100, 100, 80
_NUMBER = r"[-−]?\d[\d\s'’,]*(?:\.\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s*(?:to|-|–|\.\.|and)\s*({_NUMBER})")


class FitRefused(ValueError):
    """A scorecard that can't be: which field (`criteria.3` is the third), and what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class Offered:
    """An attribute that criteria may ask for. `options` are keys and labels of a choice."""

    key: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Criterion:
    """`values` are compared without regard to case; `low` and `high` are included."""

    name: str
    attribute: str
    rule: str
    points: int
    values: tuple[str, ...] = ()
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True)
class Given:
    """What a deal has: a text, a number or nothing, and how that is shown."""

    value: str | Decimal | None = None
    text: str = ""


@dataclass(frozen=True)
class Result:
    criterion: Criterion
    is_met: bool
    reason: str


@dataclass(frozen=True)
class Fit:
    """`points` of `of`, and each criterion's reason."""

    points: int
    of: int
    results: tuple[Result, ...]

    def band(self, *, fair_percent: int, good_percent: int) -> str:
        return band_of(self.points, self.of, fair_percent=fair_percent, good_percent=good_percent)


@dataclass(frozen=True)
class FitAsked:
    """Which fit a list asks for: one of the bands, if any are named, and a share of the points in whole percent,
    bounds included.
    """

    bands: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None

    def holds(self, points: int, of: int, *, fair_percent: int, good_percent: int) -> bool:
        if (
            self.bands
            and band_of(points, of, fair_percent=fair_percent, good_percent=good_percent) not in self.bands
        ):
            return False
        reached = points * 100
        return (self.low or 0) * of <= reached and (self.high is None or reached <= self.high * of)


def band_of(points: int, of: int, *, fair_percent: int, good_percent: int) -> str:
    """In whole numbers, so that 7 of 10 is 70 %."""
    reached = points * 100
    if reached >= good_percent * of:
        return GOOD
    return FAIR if reached >= fair_percent * of else POOR


def runs_of(asked: FitAsked, *, of: int, fair_percent: int, good_percent: int) -> list[tuple[int, int]]:
    """The points from 0 to `of` that are asked for, as runs with both ends included.

    >>> runs_of(FitAsked(("good", "poor")), of=10, fair_percent=40, good_percent=70)
    [(0, 3), (7, 10)]
    """
    runs: list[tuple[int, int]] = []
    for points in range(of + 1):
        if not asked.holds(points, of, fair_percent=fair_percent, good_percent=good_percent):
            continue
        if runs and runs[-1][1] == points - 1:
            runs[-1] = (runs[-1][0], points)
        else:
            runs.append((points, points))
    return runs


def fit_words(asked: FitAsked) -> str:
    """“Good fit or fair fit, 50 % or more”, for a chip."""
    said = [" or ".join(BAND_WORDS[band].lower() for band in asked.bands)] if asked.bands else []
    if asked.low is not None and asked.high is not None:
        said.append(f"fit {asked.low} to {asked.high} %")
    elif asked.low is not None:
        said.append(f"fit {asked.low} % or more")
    elif asked.high is not None:
        said.append(f"fit {asked.high} % or less")
    words = ", ".join(said)
    return words[:1].upper() + words[1:]


def fit(criteria: Sequence[Criterion], given: Mapping[str, Given]) -> Fit:
    """The points of the criteria that are met. An attribute that isn't given meets nothing."""
    results = tuple(
        Result(one, is_met(one, here.value), here.text or "not set")
        for one in criteria
        for here in (given.get(one.attribute, Given()),)
    )
    return Fit(
        sum(result.criterion.points for result in results if result.is_met),
        sum(criterion.points for criterion in criteria),
        results,
    )


def is_met(criterion: Criterion, value: str | Decimal | None) -> bool:
    """Whether one value meets a criterion; nothing meets none.

    >>> is_met(Criterion("Size", "account.field.staff", "at_least", 3, low=Decimal(500)), Decimal(500))
    True
    """
    if value is None or value == "":
        return False
    if criterion.rule == IS_SET:
        return True
    if criterion.rule == ONE_OF:
        return isinstance(value, str) and folded(value) in {folded(wanted) for wanted in criterion.values}
    if not isinstance(value, Decimal):
        return False
    is_high_enough = criterion.low is None or value >= criterion.low
    return is_high_enough and (criterion.high is None or value <= criterion.high)


def asked_words(criterion: Criterion, offered: Offered | None = None) -> str:
    """“is one of Rail, Ports”, as the criterion asks for it; choices by their labels."""
    words = RULE_WORDS[criterion.rule]
    if criterion.rule == ONE_OF:
        labels = dict(offered.options) if offered else {}
        return f"{words} {', '.join(labels.get(value, value) for value in criterion.values)}"
    if criterion.rule == AT_LEAST:
        return f"{words} {_written(criterion.low)}"
    if criterion.rule == BETWEEN:
        return f"{words} {_written(criterion.low)} and {_written(criterion.high)}"
    return words


def values_text(criterion: Criterion, offered: Offered | None = None) -> str:
    """What the editor of a criterion begins with: it reads back as the same."""
    if criterion.rule == ONE_OF:
        labels = dict(offered.options) if offered else {}
        return ", ".join(labels.get(value, value) for value in criterion.values)
    if criterion.rule == BETWEEN:
        return f"{_written(criterion.low)} to {_written(criterion.high)}"
    return _written(criterion.low) if criterion.rule == AT_LEAST else ""


def read_criterion(
    *, field: str, name: str, offered: Offered | None, rule: str, typed: str, points: Any
) -> Criterion:
    """A criterion as it was typed. Raises FitRefused for `field`."""
    if offered is None:
        raise FitRefused(field, "Choose an attribute of the list; a field that is retired can’t be asked for")
    name = " ".join(name.split()) or offered.label
    if len(name) > LONGEST_NAME:
        raise FitRefused(field, f"A name has at most {LONGEST_NAME} characters")
    if rule not in RULES_OF_KIND[offered.kind]:
        fitting = ", ".join(RULE_WORDS[one] for one in RULES_OF_KIND[offered.kind])
        raise FitRefused(field, f"{offered.label} can be asked for by: {fitting}")
    worth = int(points) if str(points).isascii() and str(points).isdecimal() else 0
    if not 1 <= worth <= MOST_POINTS:
        raise FitRefused(field, f"“{name}” is worth from 1 to {MOST_POINTS} points")
    return Criterion(name, offered.key, rule, worth, **_wanted(field, offered, rule, typed))


def check_scorecard(criteria: Sequence[Criterion], *, fair_percent: int, good_percent: int) -> None:
    if len(criteria) > MOST_CRITERIA:
        raise FitRefused("criteria", f"A scorecard has at most {MOST_CRITERIA} criteria")
    if not 1 <= fair_percent < good_percent <= 100:
        raise FitRefused("good_percent", "A fair fit begins below a good one; both between 1 and 100 %")


def document_of(criterion: Criterion) -> dict[str, Any]:
    """As JSON; numbers as texts, so that they stay exact."""
    return {
        "name": criterion.name,
        "attribute": criterion.attribute,
        "rule": criterion.rule,
        "points": criterion.points,
        "values": list(criterion.values),
        "low": None if criterion.low is None else str(criterion.low),
        "high": None if criterion.high is None else str(criterion.high),
    }


def criterion_of(document: Mapping[str, Any]) -> Criterion:
    """The inverse of `document_of`."""
    low, high = document["low"], document["high"]
    return Criterion(
        document["name"],
        document["attribute"],
        document["rule"],
        document["points"],
        tuple(document["values"]),
        None if low is None else Decimal(low),
        None if high is None else Decimal(high),
    )


def _wanted(field: str, offered: Offered, rule: str, typed: str) -> dict[str, Any]:
    if rule == IS_SET:
        return {}
    if rule == ONE_OF:
        return {"values": _values(field, offered, typed)}
    if rule == AT_LEAST:
        return {"low": _decimal(field, typed)}
    match = _RANGE.fullmatch(typed.strip())
    if match is None:
        raise FitRefused(field, f"Say from where to where {offered.label} lies, like 500 to 5,000")
    low, high = _decimal(field, match[1]), _decimal(field, match[2])
    if low > high:
        raise FitRefused(field, f"Say the smaller number of {offered.label} first")
    return {"low": low, "high": high}


def _values(field: str, offered: Offered, typed: str) -> tuple[str, ...]:
    told = [" ".join(value.split()) for value in re.split(r"[,;\n]", typed)]
    values = tuple(dict.fromkeys(value for value in told if value))
    if not 0 < len(values) <= MOST_VALUES:
        raise FitRefused(field, f"Say which values of {offered.label} fit, with commas between; at most 100")
    if offered.kind != CHOICE:
        return values
    keys = {folded(name): key for key, label in offered.options for name in (key, label)}
    unknown = [value for value in values if folded(value) not in keys]
    if unknown:
        raise FitRefused(field, f"“{unknown[0]}” is no choice of {offered.label}")
    return tuple(dict.fromkeys(keys[folded(value)] for value in values))


def _decimal(field: str, typed: str) -> Decimal:
    plain = re.sub(r"[\s'’,]", "", typed).replace("−", "-")
    try:
        number = Decimal(plain)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise FitRefused(field, f"“{typed.strip()[:30]}” is not a number like 500 or 1,250.5")
    return number


def _written(number: Decimal | None) -> str:
    return "" if number is None else f"{number:,f}"


def folded(text: str) -> str:
    """A text as criteria compare it: neither case nor the number of spaces matters."""
    return " ".join(text.casefold().split())
