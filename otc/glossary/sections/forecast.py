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
            "share",
            "Share of a deal",
            "What a person has of a split deal’s amount, from the moment of the split: whole minor units by largest "
            "remainder, so that the shares add up to the deal.",
            "pipeline.parts.rules.shared",
            see=("part", "overlay"),
        ),
        Term(
            "overlay",
            "Overlay",
            "A share for somebody who helped: reported beside the forecast, in no sum of it.",
            "forecasting.rollup.overlay.overlays_of",
            see=("share",),
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
        Term(
            "lock",
            "Lock",
            "From a period’s end, or earlier by hand, nobody calls or adjusts it; the forecast as it was shown is "
            "kept. Unlocking asks for a reason, and what was kept stays.",
            see=("lock_difference",),
        ),
        Term(
            "reported",
            "Reported, adjusted, final",
            "Reported is the second of the five amounts: all deals of a branch, unadjusted. Adjusted is what every "
            "adjustment there adds, final their sum. Of oneself one sees the fourth, without the manager’s word.",
            "forecasting.rollup.report.rollup_report",
            see=("adjustment", "rolled_up"),
        ),
        Term(
            "forecast_type",
            "Forecast type",
            "A forecast of its own beside that of all deals, such as renewals: a saved filter of deals, by which a "
            "period that is over stays summed as at its end.",
            "forecasting.types.queries.type_condition",
            see=("adjustment",),
        ),
        Term(
            "deal_judgement",
            "Judged deal",
            "A manager takes a report’s deal into the call or out of it, at an own amount or on an own date. Together "
            "they are an adjustment made of deals: each adds the difference to what the deal counts now.",
            "forecasting.judgements.rules.effect_of",
            see=("adjustment",),
        ),
        Term(
            "stale_adjustment",
            "Stale",
            "The amount that an adjustment was made on has moved since. It still counts, until somebody keeps it on "
            "the new amount or withdraws it.",
            "forecasting.rollup.report.rollup_report",
            see=("adjustment",),
        ),
        Term(
            "call_gap",
            "Gap to quota",
            "The call of the column less the quota; below it the call as a share of the quota.",
            "forecasting.grid.said.calls_said",
            see=("call",),
        ),
        Term(
            "lock_difference",
            "Difference to the lock",
            "An amount now less the amount as it was locked: by deals, the change before any adjustment, and by "
            "adjustments, the rest.",
            "forecasting.locks.report.difference_report",
            see=("lock",),
        ),
        Term(
            "punctuality",
            "On time, late",
            "A call within the week before the deadline is on time; the first one after it, up to the next deadline, "
            "is late.",
            "forecasting.rhythm.rules.punctuality",
            see=("call",),
        ),
        Term(
            "attainment",
            "Attainment",
            "What a person, with everybody below, won in a period as a share of the quota; none without a quota.",
            "forecasting.pay.rules.attainment",
            see=("deal_pay",),
        ),
        Term(
            "deal_pay",
            "What a deal pays",
            "All that was won with the deal paid by the plan, less the same without it: each part at the rate of the "
            "tier of attainment in which it lies, in whole minor units.",
            "forecasting.pay.rules.deal_parts",
            see=("attainment",),
        ),
        Term(
            "landing",
            "Landing",
            "Where a period will end on average: what is won, each open deal at the share of its stage’s past deals "
            "that were won by their period’s end from the same point on, and what is to come.",
            "forecasting.landing.report.landing_report",
            see=("landing_to_come", "swing", "stage_weighted", "run_rate"),
        ),
        Term(
            "landing_to_come",
            "To come",
            "Deals that aren’t open in the period yet: the share of past periods’ wins that came from such deals, of "
            "what the people won in a past period on average.",
            "forecasting.landing.rules.learned",
            see=("landing",),
        ),
        Term(
            "swing",
            "Swing",
            "How far what past periods still won strayed from what the other periods would have said of them: it "
            "widens the landing’s range, because deals of one period rise and fall together.",
            "forecasting.landing.rules.learned",
            see=("landing",),
        ),
        Term(
            "stage_weighted",
            "Stage-weighted",
            "Won so far, and each open deal at the share of its stage’s deals that past periods had won in the end, "
            "counted from their first day.",
            "forecasting.landing.report.landing_report",
            see=("landing",),
        ),
        Term(
            "run_rate",
            "Run rate",
            "Won so far at the pace of the last period from the same point on; none where it had won nothing by then.",
            "forecasting.landing.report.landing_report",
            see=("landing",),
        ),
    ),
)
