"""What a deal and a pipeline say of themselves."""

from otc.glossary.term import Section, Term

WATERFALL = "forecasting.waterfall.report.waterfall_report"
TRENDS = "forecasting.trends.report.trends_report"
MAKE_UP = "forecasting.trends.make_up.present_of"
INSPECTION = "forecasting.inspection.report.inspection_report"
FIT = "pipeline.fit.rules.fit"
LINES = "pipeline.lines.rules.lines_sums"
HEALTH = "pipeline.health.rules.health"
TODAY = "pipeline.today.report.today_report"
RISK = "pipeline.risk.rules.risk"

PIPELINE = Section(
    "Pipeline",
    (
        Term(
            "open_pipeline", "Open pipeline", "All open deals of the period that aren’t omitted.", INSPECTION
        ),
        Term(
            "won_so_far",
            "Won so far",
            "Won deals whose close date lies in the period, at corporate currency.",
            INSPECTION,
        ),
        Term(
            "pipeline_created",
            "Pipeline created",
            "Deals created in the period so far that aren’t omitted, whenever they close, at what they are worth at "
            "that instant.",
            TRENDS,
            ("created_needed",),
        ),
        Term(
            "created_needed",
            "Created, needed",
            "What would have to be created by the end of a week for wins of the quota, at the pace of past periods: "
            "quota times what they had created by then, divided by what they won in the end.",
            "forecasting.trends.rules.created_needed",
        ),
        Term(
            "deal_age",
            "Age of a deal",
            "Days from its creation to the day that is looked at.",
            MAKE_UP,
        ),
        Term(
            "concentration",
            "Concentration",
            "What the largest deals, or accounts, are of the open pipeline.",
            MAKE_UP,
        ),
        Term(
            "commit_with_won",
            "Commit, with won",
            "Open deals in category commit, plus what is won.",
            INSPECTION,
        ),
        Term(
            "most_likely_with_won",
            "Most likely, with won",
            "Open deals in category commit or most likely, plus what is won.",
            INSPECTION,
            ("commit_with_won",),
        ),
        Term(
            "best_case_with_won",
            "Best case, with won",
            "Open deals in category commit, most likely or best case, plus what is won.",
            INSPECTION,
            ("most_likely_with_won",),
        ),
        Term(
            "not_won",
            "Not won",
            "Deals of the period that were lost, or ended without a purchase from anyone.",
            INSPECTION,
        ),
        Term(
            "coverage_remaining",
            "Coverage, remaining",
            "Open pipeline divided by quota less won. “Met” when quota is reached, “no quota” without one.",
            "forecasting.quotas.rules.coverage",
        ),
        Term(
            "coverage_of_quota",
            "Coverage of quota",
            "Open pipeline divided by the whole quota.",
            "forecasting.quotas.rules.coverage",
            ("coverage_remaining",),
        ),
        Term(
            "gap",
            "Gap",
            "Quota less what is won: what is missing. Over quota, what is won beyond it.",
            INSPECTION,
        ),
        Term(
            "at_risk",
            "At risk",
            "Open deals that are more likely still open after their close date than not, or whose close date passed.",
            INSPECTION,
            ("risk", "slip"),
        ),
        Term(
            "upside",
            "Upside",
            "Open deals in category pipeline or best case that are at least as likely won by their close date as not.",
            INSPECTION,
            ("risk",),
        ),
        Term("overdue", "Overdue", "Open deals whose close date passed.", INSPECTION, ("slip",)),
        Term(
            "hygiene",
            "Hygiene",
            "The share of the open deals that have an owner, an amount and a next step, and where neither the close "
            "date nor the day of the next step has passed.",
            INSPECTION,
            ("overdue",),
        ),
        Term(
            "pushed_out",
            "Pushed out",
            "Deals of the period whose close date moved behind its end.",
            WATERFALL,
        ),
        Term(
            "days_in_stage",
            "Days in stage",
            "Days since the stage last changed; a deal that never changed stage counts from its creation.",
        ),
        Term(
            "total_contract_value",
            "Total contract value",
            "What a deal’s products come to: one-off lines, and recurring lines over their terms. A price is rounded "
            "once where a discount makes it, a line’s sum once; the total is the sum of those.",
            LINES,
            ("annual_recurring",),
        ),
        Term(
            "annual_recurring",
            "Annual recurring part",
            "What the recurring products cost in a full year, however long or short their terms are.",
            LINES,
            ("total_contract_value",),
        ),
        Term(
            "fit",
            "Fit",
            "The points that a deal and its account get from the organization’s scorecard, of all points there are. "
            "An attribute that isn’t set meets nothing. It says whether a deal suits us, not whether it will be won.",
            FIT,
        ),
        Term("push_count", "Push count", "Every later move of the close date.", see=("push",)),
        Term(
            "health",
            "Health",
            "100 minus the published penalty of each failed check, not below 0. Rules, readable at once; "
            "thresholds come from the organization’s own won deals.",
            HEALTH,
            ("risk",),
        ),
        Term(
            "integrity",
            "Integrity",
            "What can’t be right in an open deal: no owner, amount, close date or mapped stage, an owner or "
            "manager who left, no rate, a commit past its date. And signals to ask about: pushes within a "
            "month, edits on the eve of a call, a category that comes and goes.",
            "forecasting.integrity.report.integrity_report",
            ("health", "push"),
        ),
        Term(
            "risk",
            "Risk",
            "Learned: how likely the deal is won by its close date, lost or without a decision by then, "
            "or still open after it. The three sum to 1.",
            RISK,
            ("health", "slip"),
        ),
        Term(
            "today",
            "Today",
            "The open deals that need a decision now: a day has come, something is missing, or a check of health "
            "failed. An answer settles the reasons that stood for a week, what is due for the rest of the day.",
            TODAY,
            ("today_worth", "snooze", "health"),
        ),
        Term(
            "today_worth",
            "Order of worth",
            "Amount × chance × urgency: the corporate amount, the chance to be won by the close date (30 % where "
            "none is known), and the urgency of the most urgent reason, from 40 % (stands still) to 100 % (close "
            "date passed).",
            "pipeline.today.rules.worth",
            ("today", "risk"),
        ),
        Term(
            "snooze",
            "Snooze",
            "A deal put away from one’s own Today until a day. It comes back earlier when somebody else changes it "
            "or the buyer writes.",
            see=("today",),
        ),
        Term(
            "next_step",
            "Next step",
            "What happens next on an open deal, with its day. Finishing one asks for the one after it.",
            see=("today",),
        ),
    ),
)
