"""What does a word or a number mean here? One sentence each; the glossary page and every "?" show the same."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """`function` is the dotted name of what computes the number, empty for a plain word. `see` are other keys."""

    key: str
    label: str
    text: str
    function: str = ""
    see: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    title: str
    terms: tuple[Term, ...]


WATERFALL = "forecasting.waterfall.report.waterfall_report"
ROLLUP = "forecasting.rollup.report.rollup_report"
TRENDS = "forecasting.trends.report.trends_report"
FUNNEL = "forecasting.funnel.report.funnel_report"
MAKE_UP = "forecasting.trends.make_up.present_of"
INSPECTION = "forecasting.inspection.report.inspection_report"
WINLOSS = "postmortem.winloss.report.winloss_report"
FIT = "pipeline.fit.rules.fit"
LINES = "pipeline.lines.rules.lines_sums"
HEALTH = "pipeline.health.rules.health"
TODAY = "pipeline.today.report.today_report"
RISK = "pipeline.risk.rules.risk"

WORDS = Section(
    "Words",
    (
        Term(
            "organization",
            "Organization",
            "The tenant: it owns everything else, and nothing of it is seen from another.",
        ),
        Term("account", "Account", "A company that buys."),
        Term("contact", "Contact", "A person at an account.", see=("buying_role",)),
        Term(
            "buying_role",
            "Buying role",
            "A contact’s part in one deal: champion, economic buyer, decision maker, influencer, user or "
            "blocker.",
        ),
        Term("deal", "Deal", "One possible sale, from qualified to signed; an opportunity in the API."),
        Term(
            "part",
            "Part",
            "A deal, a person and a share of its amount: what every sum adds up. One part of 100 % where "
            "a deal isn’t split.",
        ),
        Term(
            "owner",
            "Owner",
            "Who works a deal. A deal without one counts as unassigned.",
            see=("unassigned",),
        ),
        Term(
            "reporting_line",
            "Reporting line",
            "Who reports to whom, from when to when, without cycles, up to declared tops. What one may "
            "see follows today’s line.",
            "otc.tenancy.lines.chart_at",
        ),
        Term(
            "stage",
            "Stage",
            "A step of the sales process with an objective and two to four milestones that say when it is "
            "done.",
            see=("milestone",),
        ),
        Term(
            "milestone",
            "Milestone",
            "An exit criterion of a stage, buyer’s or seller’s, required or optional, with a due day "
            "counted from entering it.",
        ),
        Term(
            "category",
            "Forecast category",
            "Omitted, pipeline, best case, most likely, commit or closed. A stage proposes one; what a "
            "person sets is never silently overwritten.",
        ),
        Term(
            "outcome",
            "Outcome",
            "Won, lost, or no decision: closed without a purchase from anyone. Not won is lost and no "
            "decision, shown apart.",
        ),
        Term(
            "call",
            "Call",
            "The number that a person submits for a period, with a note. It never changes; the latest "
            "counts.",
        ),
        Term("quota", "Quota", "The target of a person or team for a period."),
        Term(
            "push",
            "Push",
            "An edit: the close date moved later. A month push crosses the end of a calendar month.",
            see=("slip",),
        ),
        Term(
            "slip",
            "Slip",
            "A fact: the close date that stood passed and the deal was still open. A push before that day "
            "doesn’t undo it.",
            see=("push",),
        ),
    ),
)

TIME = Section(
    "Time and money",
    (
        Term(
            "version",
            "Version",
            "How a deal stood from one edit to the next, with who and from where. The database writes it, "
            "so nothing can avoid it.",
            "pipeline.history.queries.version_as_of",
        ),
        Term(
            "as_of",
            "As of",
            "The state that was true at an instant and known at that instant. With knowledge = now: as "
            "known today, late corrections included.",
        ),
        Term(
            "period",
            "Period",
            "A week, month, quarter or year of the organization’s fiscal calendar. Deals belong to it by "
            "close date; one without a close date is later than any.",
        ),
        Term(
            "corporate_amount",
            "Corporate amount",
            "An amount in the organization’s currency, at the dated rate in force on the close date, "
            "rounded half-even once; every total is a sum of those integers.",
            "otc.money.rules.convert",
        ),
        Term(
            "unconvertible",
            "Unconvertible",
            "A deal whose currency has no rate for its day: shown beside the total, never counted as zero.",
        ),
    ),
)

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

LEARNING = Section(
    "Win and loss",
    (
        Term(
            "win_rate",
            "Win rate",
            "Won deals of all closed deals, lost and without a decision included, by count.",
            WINLOSS,
        ),
        Term(
            "win_rate_by_amount",
            "Win rate by amount",
            "Won amount of the amount of all closed deals.",
            WINLOSS,
        ),
        Term(
            "no_decision",
            "Ended without a decision",
            "Closed without a purchase from anyone, of all closed deals.",
            WINLOSS,
            ("outcome",),
        ),
        Term(
            "velocity",
            "Velocity",
            "Open deals x win rate x mean won amount / median cycle days: the money won a day at this pace.",
            "forecasting.funnel.report.pace_report",
            ("win_rate", "cycle_time"),
        ),
        Term(
            "stage_conversion",
            "Stage conversion",
            "Of the deals that entered a stage and went on or ended: the share that went on, to any later stage or to "
            "a win. Those still there say nothing yet. Skipped: passed over without entering. Moved back: moves from "
            "it to an earlier stage.",
            FUNNEL,
            ("stage_time",),
        ),
        Term(
            "stage_time",
            "Time per stage",
            "The median days of a stay in a stage, after Kaplan and Meier: deals still there count for as long as they "
            "were seen. The first stay counts from creation.",
            "forecasting.funnel.rules.median_stay",
        ),
        Term(
            "cohort_win_rate",
            "Cohort win rate",
            "The share of the deals created in a period that is won in the end; open ones are censored, not lost.",
            "forecasting.funnel.rules.cohort_of",
        ),
        Term("cycle_time", "Cycle time", "Days from creation to won, the median.", WINLOSS),
        Term(
            "interval",
            "95 % interval",
            "Wilson’s: where the true rate lies in 95 of 100 such samples; wide for few deals.",
            "postmortem.winloss.rules.wilson",
        ),
        Term(
            "reason",
            "Reason",
            "The primary reason that closing asked for; an import without reasons books “not given”.",
        ),
    ),
)

SECTIONS = (WORDS, TIME, PIPELINE, FLOW, FORECAST, LEARNING)
TERMS: dict[str, Term] = {term.key: term for section in SECTIONS for term in section.terms}
