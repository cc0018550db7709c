"""What closed deals teach."""

from otc.glossary.term import Section, Term

FUNNEL = "forecasting.funnel.report.funnel_report"
WINLOSS = "postmortem.winloss.report.winloss_report"

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
