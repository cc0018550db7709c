"""The words that everything else is said in."""

from otc.glossary.term import Section, Term

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
            "ramp", "Ramp", "What part of a quota a new rep is asked for, month by month from the first day."
        ),
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
