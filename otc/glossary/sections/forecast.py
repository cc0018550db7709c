"""What is called, rolled up and owed."""

from otc.glossary.term import Section, Term

ROLLUP = "forecasting.rollup.report.rollup_report"

FORECAST = Section(
    "Forecast",
    (
        Term(
            "own_amount",
            "Own amount",
            "A person’s parts of open deals in a category that close in the period (closed: won deals).",
            ROLLUP,
        ),
        Term(
            "rolled_up",
            "With reports",
            "Own amount and the final amounts of everybody who reports directly, each with theirs below.",
            ROLLUP,
        ),
        Term(
            "cumulative",
            "Cumulative column",
            "Commit holds closed; most likely holds commit and closed; best case holds most likely, "
            "commit and closed.",
            ROLLUP,
        ),
        Term(
            "unassigned",
            "Unassigned",
            "Deals without an owner, owners without a line, and a vacant manager’s branch: no money is "
            "dropped.",
            ROLLUP,
        ),
        Term(
            "adjustment",
            "Adjustment",
            "A manager’s change on top of a report’s number or one’s own, never written into the deal.",
            ROLLUP,
        ),
    ),
)
