"""Which forecast categories a column sums: single ones, and the cumulative ones of DEFINITIONS 5."""

NO_CATEGORY = "no_category"

SINGLE = ("omitted", NO_CATEGORY, "pipeline", "best_case", "most_likely", "commit", "closed")

CUMULATIVE: dict[str, tuple[str, ...]] = {
    "commit_cumulative": ("commit", "closed"),
    "most_likely_cumulative": ("most_likely", "commit", "closed"),
    "best_case_cumulative": ("best_case", "most_likely", "commit", "closed"),
    "open": (NO_CATEGORY, "pipeline", "best_case", "most_likely", "commit"),
}

COLUMNS: dict[str, tuple[str, ...]] = {column: (column,) for column in SINGLE} | CUMULATIVE

LABELS = {
    "omitted": "Omitted",
    NO_CATEGORY: "No category",
    "pipeline": "Pipeline",
    "best_case": "Best case",
    "most_likely": "Most likely",
    "commit": "Commit",
    "closed": "Closed",
    "commit_cumulative": "Commit and closed",
    "most_likely_cumulative": "Most likely and surer",
    "best_case_cumulative": "Best case and surer",
    "open": "Open pipeline",
}
