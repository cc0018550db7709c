"""The columns of the forecast's grid: which amounts it shows, and in which of them it adjusts."""

from collections.abc import Mapping
from dataclasses import dataclass

from forecasting.calls.models import CallColumn
from otc.question import BadQuestion

VIEWS = {
    "cumulative": (
        ("closed", "Closed"),
        ("commit_cumulative", "Commit"),
        ("most_likely_cumulative", "Most likely"),
        ("best_case_cumulative", "Best case"),
        ("open", "Open pipeline"),
    ),
    "single": (
        ("closed", "Closed"),
        ("commit", "Commit"),
        ("most_likely", "Most likely"),
        ("best_case", "Best case"),
        ("pipeline", "Pipeline"),
    ),
}
NO_CATEGORY = ("no_category", "No category")
FOCUSES = {
    "cumulative": ("commit_cumulative", "most_likely_cumulative", "best_case_cumulative"),
    "single": ("commit", "most_likely", "best_case"),
}
# A call is cumulative in either view.
CALLS = {
    "commit": CallColumn.COMMIT,
    "most_likely": CallColumn.MOST_LIKELY,
    "best_case": CallColumn.BEST_CASE,
}
LABELS = {column: label for columns in VIEWS.values() for column, label in columns}


@dataclass(frozen=True)
class Layout:
    """`columns` as (key, label); the one in `focus` is shown three times: reported, adjusted, final."""

    view: str
    columns: tuple[tuple[str, str], ...]
    focus: str

    @property
    def focus_label(self) -> str:
        return LABELS[self.focus]

    @property
    def call_column(self) -> str:
        return str(CALLS[self.focus.removesuffix("_cumulative")])

    @property
    def width(self) -> int:
        """Columns of the table: person, quota, the amounts with two more for the focus, call, gap, coverage."""
        return len(self.columns) + 7


def layout_of(parameters: Mapping[str, str], *, has_no_category: bool) -> Layout:
    """The grid's columns by `view` and `column`, with "no category" where it holds money. Raises BadQuestion."""
    view = parameters.get("view") or "cumulative"
    if view not in VIEWS:
        raise BadQuestion("view", f"“{view}” is none of: {', '.join(VIEWS)}")
    focus = parameters.get("column") or FOCUSES[view][0]
    if focus not in FOCUSES[view]:
        raise BadQuestion("column", f"“{focus}” is none of: {', '.join(FOCUSES[view])}")
    return Layout(view, (*VIEWS[view], *([NO_CATEGORY] if has_no_category else [])), focus)
