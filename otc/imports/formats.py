"""How does this file write its days and amounts? Every row votes; two readings left open are an error."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from otc.imports.binding import Binding, Getter
from otc.imports.columns import Column
from otc.imports.dates import DAY_FIRST, MONTH_FIRST, day_readings
from otc.imports.mapping import MappingError, UnmappedValue
from otc.imports.numbers import COMMA, POINT, number_readings
from otc.imports.reader import SourceRow

# So many rows are looked at; on goes only who has found a question and no answer yet. A later row that
# contradicts is refused.
SAMPLE_ROWS = 5_000
Readings = Callable[[str], Mapping[str, Any]]


class AmbiguousColumn(MappingError):
    """A column whose cells have two readings: `column` is native or a field, `choices` are what the mapping may say."""

    def __init__(self, column: str, choices: tuple[str, str], message: str) -> None:
        super().__init__(message)
        self.column, self.choices = column, choices


@dataclass
class Evidence:
    """What the cells of one column have told: which readings some cell allows alone, and an open question."""

    readings: Readings
    told: dict[str, tuple[int, str]] = field(default_factory=dict)
    question: tuple[int, str] | None = None

    def look(self, text: str, *, line: int) -> None:
        found = self.readings(text)
        if len(found) == 1:
            self.told.setdefault(next(iter(found)), (line, text))
        elif self.question is None and len({str(value) for value in found.values()}) > 1:
            self.question = line, text

    @property
    def is_open(self) -> bool:
        return self.question is not None and not self.told


def _amount_readings(text: str) -> Mapping[str, str]:
    return {mark: number.plain for mark, number in number_readings(text).items()}


def evidence_for(column: Column) -> Evidence | None:
    """An empty ballot for a column of days or amounts, None for others."""
    if column.is_temporal:
        return Evidence(day_readings)
    return Evidence(_amount_readings) if column.is_amount else None


def settle_formats(
    binding: Binding, *, columns: Sequence[Column], rows: Callable[[], Iterable[SourceRow]]
) -> Binding:
    """The binding with the format of every column of days and amounts that the mapping leaves open.

    `rows` gives the file's rows from the beginning. Raises AmbiguousColumn where all rows leave two readings, and
    where some rows tell one and some the other.
    """
    ballots = {
        column.name: ballot
        for column in columns
        if binding.getter(column.name) is not None
        and binding.formats.get(column.name) is None
        and (ballot := evidence_for(column)) is not None
    }
    if not ballots:
        return binding
    _vote(ballots, binding, rows())
    found = {name: _decide(name, ballot, ballots, binding) for name, ballot in ballots.items()}
    return replace(binding, formats={**binding.formats, **found})


def _vote(ballots: Mapping[str, Evidence], binding: Binding, rows: Iterable[SourceRow]) -> None:
    wanted: list[tuple[Getter, Evidence]] = [
        (get, ballot) for name, ballot in ballots.items() if (get := binding.getter(name)) is not None
    ]
    for number, row in enumerate(_usable(rows, binding)):
        if number >= SAMPLE_ROWS:
            wanted = [(get, ballot) for get, ballot in wanted if ballot.is_open]
            if not wanted:
                return
        for get, ballot in wanted:
            try:
                text = get(row.cells)
            except UnmappedValue:
                continue
            if text:
                ballot.look(text, line=row.line)


def _usable(rows: Iterable[SourceRow], binding: Binding) -> Iterator[SourceRow]:
    for row in rows:
        if not row.fault and (binding.keeps is None or binding.keeps(row.cells)):
            yield row


def _decide(name: str, ballot: Evidence, ballots: Mapping[str, Evidence], binding: Binding) -> str | None:
    if len(ballot.told) == 1:
        return next(iter(ballot.told))
    shown = _shown(name, binding)
    is_date = ballot.readings is day_readings
    choices = (MONTH_FIRST, DAY_FIRST) if is_date else (POINT, COMMA)
    if ballot.told:
        told = ", ".join(f"“{text[:30]}” on line {line:,}" for line, text in ballot.told.values())
        kinds = "days in two orders" if is_date else "amounts in two conventions"
        raise AmbiguousColumn(
            name, choices, f"column {shown} holds {kinds}: {told}. Make them alike, or map it apart"
        )
    if ballot.question is None:
        return None
    line, text = ballot.question
    return _ask(name, shown, choices, f"“{text[:30]}” on line {line:,}", is_date, ballots)


def _ask(
    name: str,
    shown: str,
    choices: tuple[str, str],
    example: str,
    is_date: bool,
    ballots: Mapping[str, Evidence],
) -> str:
    """Raises AmbiguousColumn: what is asked, and what other columns of the file suggest."""
    siblings = {
        next(iter(other.told))
        for other in ballots.values()
        if len(other.told) == 1 and (other.readings is day_readings) == is_date
    }
    if is_date:
        question = f"{example} may be month/day or day/month, and so may every other value"
        answer = "say which: date_format “mdy” (month first) or “dmy” (day first)"
        words = {MONTH_FIRST: "month first", DAY_FIRST: "day first"}
    else:
        question = f"{example} may mean thousands or decimals, and so may every other value"
        answer = "say which mark stands before decimals: decimal_mark “.” or “,”"
        words = {POINT: "a point before decimals", COMMA: "a comma before decimals"}
    hint = f" (other columns of the file have {words[siblings.pop()]})" if len(siblings) == 1 else ""
    raise AmbiguousColumn(name, choices, f"column {shown} is ambiguous: {question}; {answer}{hint}")


def _shown(name: str, binding: Binding) -> str:
    """The native column and, where it is called otherwise, the file's."""
    own = ", ".join(binding.columns.get(name, ()))
    return name if own in ("", name) else f"{name} (“{own[:60]}”)"
