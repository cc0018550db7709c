"""The choices of the top bar (scope, period, since, as of) as data: labels and links. Pure.

A query is any mapping of names to lists of values with `lists()` (QueryDict) or a plain dict of strings.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from otc.ui import format as fmt

# A changed choice starts again at the first page.
PAGING_KEYS = ("page", "after", "before")


@dataclass(frozen=True)
class Choice:
    """One link of a menu, switch or chip list. depth indents (people below a manager)."""

    label: str
    href: str
    is_current: bool = False
    hint: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Control:
    """A menu in the top bar. `form_key`, when set, adds a text field that sends that parameter."""

    key: str
    label: str
    value: str
    choices: tuple[Choice, ...]
    prefix: str = ""
    form_key: str = ""
    form_label: str = ""
    path: str = ""
    kept: tuple[tuple[str, str], ...] = ()

    @property
    def is_long(self) -> bool:
        """Long menus get a field that narrows them."""
        return len(self.choices) > 12


@dataclass(frozen=True)
class AsOf:
    """The as-of control: what moment is shown and where one day back and forth lead."""

    label: str
    short_label: str
    is_past: bool
    path: str
    previous_href: str
    next_href: str
    now_href: str
    day_iso: str
    today_iso: str
    kept: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Tab:
    """One tab: a saved view or a section, with how many rows are in it."""

    label: str
    href: str
    count: int | None = None
    is_current: bool = False


@dataclass(frozen=True)
class PathMilestone:
    """A milestone below a stage: met, open or waived."""

    label: str
    state: str = "open"


@dataclass(frozen=True)
class PathStage:
    """A node of the stage path: done, now or ahead; note says the days ('20 d, usual 24')."""

    name: str
    state: str
    note: str = ""
    milestones: tuple[PathMilestone, ...] = field(default=())


def query_pairs(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    """All (name, value) of a query, in order, repeated names kept."""
    if hasattr(query, "lists"):
        return [(name, value) for name, values in query.lists() for value in values]
    return [(name, str(value)) for name, value in query.items()]


def kept_pairs(query: Mapping[str, Any], *, without: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What a GET form must repeat as hidden fields."""
    dropped = {*without, *PAGING_KEYS}
    return tuple((name, value) for name, value in query_pairs(query) if name not in dropped)


def href_with(path: str, query: Mapping[str, Any], **changes: str | int | None) -> str:
    """The same page with some parameters set; None removes one. Pages start again unless one is named."""
    dropped = {*changes, *(() if set(PAGING_KEYS) & set(changes) else PAGING_KEYS)}
    pairs = [(name, value) for name, value in query_pairs(query) if name not in dropped]
    pairs += [(name, str(value)) for name, value in changes.items() if value is not None]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def choice_control(
    *,
    path: str,
    query: Mapping[str, Any],
    key: str,
    current: str,
    options: Sequence[tuple[str, str]],
    label: str,
    prefix: str = "",
) -> Control:
    """Any menu: options are (value, label); an empty value removes the parameter."""
    choices = tuple(
        Choice(label=text, href=href_with(path, query, **{key: value or None}), is_current=value == current)
        for value, text in options
    )
    shown = next((text for value, text in options if value == current), current)
    return Control(key=key, label=label, value=shown, choices=choices, prefix=prefix)


def scope_control(
    *, path: str, query: Mapping[str, Any], current: str, scopes: Sequence[tuple[str, str, int]]
) -> Control:
    """Whose deals: scopes are (key, label, depth in the line)."""
    choices = tuple(
        Choice(label=text, href=href_with(path, query, scope=key), is_current=key == current, depth=depth)
        for key, text, depth in scopes
    )
    shown = next((text for key, text, _ in scopes if key == current), "Everyone")
    return Control(key="scope", label="Whose deals", value=shown, choices=choices)


def period_control(
    *, path: str, query: Mapping[str, Any], current: str, periods: Sequence[tuple[str, str]]
) -> Control:
    """Which period: periods are (key, label), e.g. ('2026-Q4', 'Q4 2026')."""
    return choice_control(
        path=path, query=query, key="period", current=current, options=periods, label="Period"
    )


def since_control(
    *, path: str, query: Mapping[str, Any], current: str, since_day: dt.date, today: dt.date
) -> Control:
    """Compared with when: Monday, the period's start, the last visit, or a typed day."""
    options = (("monday", "Monday"), ("period", "the period began"), ("visit", "my last visit"))
    choices = tuple(
        Choice(label=text, href=href_with(path, query, since=key), is_current=key == current)
        for key, text in options
    )
    return Control(
        key="since",
        label="Changes since",
        value=fmt.day_near(since_day, today=today) if current != "visit" else "my last visit",
        choices=choices,
        prefix="Changes since",
        form_key="since",
        form_label="Another day",
        path=path,
        kept=kept_pairs(query, without=["since"]),
    )


def as_of_control(
    *, path: str, query: Mapping[str, Any], shown: dt.datetime, is_past: bool, now: dt.datetime
) -> AsOf:
    """Which moment is shown; both instants in the organization's zone. Tomorrow can't be chosen."""
    today = now.date()
    text = fmt.moment(shown, today=today)
    before, after = shown.date() - dt.timedelta(days=1), shown.date() + dt.timedelta(days=1)
    now_href = href_with(path, query, as_of=None)
    next_href = ""
    if is_past:
        next_href = now_href if after >= today else href_with(path, query, as_of=after.isoformat())
    past = f"{fmt.day_with_weekday(shown.date(), today=today)}, {shown:%H:%M}"
    return AsOf(
        label=past if is_past else f"now, {text}",
        short_label=fmt.day(shown.date(), today=today) if is_past else "now",
        is_past=is_past,
        path=path,
        previous_href=href_with(path, query, as_of=before.isoformat()),
        next_href=next_href,
        now_href=now_href,
        day_iso=shown.date().isoformat(),
        today_iso=today.isoformat(),
        kept=kept_pairs(query, without=["as_of"]),
    )
