"""What changed between two days."""

from otc.glossary.term import Section, Term

WATERFALL = "forecasting.waterfall.report.waterfall_report"

FLOW = Section(
    "Flow: the waterfall between two days",
    (
        Term("opening", "Opening", "The period’s open pipeline at the first day.", WATERFALL),
        Term(
            "closing",
            "Closing",
            "The period’s open pipeline at the second day: opening plus every bucket, exactly.",
            WATERFALL,
        ),
        Term("new", "New", "Deals that didn’t exist at the first day.", WATERFALL),
        Term(
            "reopened",
            "Reopened",
            "Deals that were closed or deleted at the first day and are open at the second.",
            WATERFALL,
        ),
        Term(
            "transferred",
            "Transferred in and out",
            "Deals whose owner came into or left the people in question.",
            WATERFALL,
        ),
        Term(
            "pulled",
            "Pulled in and out",
            "Close date moved earlier: into the period from a later one or from none, or out of it into "
            "an earlier one.",
            WATERFALL,
        ),
        Term(
            "pushed",
            "Pushed in and out",
            "Close date moved later, out of the period or into it from an earlier one.",
            WATERFALL,
        ),
        Term(
            "included",
            "Included, omitted",
            "Deals taken into the forecast or out of it by their category.",
            WATERFALL,
        ),
        Term(
            "revalued",
            "Increased, decreased, currency",
            "Of deals that stay: the change of amount, less what the exchange rate alone did, which "
            "stands apart.",
            WATERFALL,
        ),
        Term(
            "moved",
            "Moved in and out",
            "Of a waterfall by stage, category, product, person or team: deals that stay and change their group, "
            "at the amount before. They add up to nothing.",
            WATERFALL,
        ),
        Term(
            "path",
            "Every move between",
            "The waterfall cut at every version, rate change and line change: a deal that was pushed and pulled "
            "back shows in both. Two days compared shows neither.",
            WATERFALL,
        ),
        Term(
            "flow_matrix",
            "Flow from stage to stage",
            "What was open in each stage or category at the first day by where it is at the second, with what entered, "
            "was revalued and left. Its margins are the waterfall’s opening, buckets and closing.",
            "forecasting.flow.report.flow_report",
        ),
        Term(
            "change_of_bookings",
            "Change of bookings",
            "Won, less reversed wins, plus corrections to earlier wins, line by line.",
            WATERFALL,
        ),
    ),
)
