"""What every record has already, in the words of pages and files: a field of one's own is called otherwise."""

NATIVE = {
    "deal": frozenset(
        {
            *(
                "id",
                "external id",
                "name",
                "deal",
                "opportunity",
                "account",
                "owner",
                "team",
                "process",
                "stage",
            ),
            *("category", "forecast category", "amount", "corporate amount", "currency", "close date", "age"),
            *("created", "created at", "closed", "closed at", "outcome", "reason", "competitor", "product"),
            *("source", "kind", "type", "next step", "next step on", "next step due", "health", "slip risk"),
            "probability",
        }
    ),
    "account": frozenset(
        {"id", "external id", "name", "account", "parent", "industry", "country", "deals", "contacts"}
    ),
    "contact": frozenset({"id", "external id", "name", "contact", "account", "title", "email", "phone"}),
}
