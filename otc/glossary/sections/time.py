"""Days, instants and what was known when."""

from otc.glossary.term import Section, Term

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
