"""What the imports pages show of a run."""

from datetime import datetime
from typing import Any

from otc.imports.mapping import MappingError
from otc.imports.models import ImportRow, ImportRun, ImportState
from otc.imports.presets import presets_for
from otc.imports.profile import file_profile
from otc.imports.reader import DELIMITERS, ImportFileError
from otc.imports.runs import FILES_KEPT
from otc.imports.uploads import stored_path
from otc.tenancy.models import Organization
from pipeline.imports.mapping_form import MappingForm, mapping_form
from pipeline.imports.registry import KINDS, PRESETS

RUNS_A_PAGE = 50
SHOWN_REFUSALS = 100
DELIMITER_WORDS = dict(zip(DELIMITERS, ("comma", "semicolon", "tab", "bar"), strict=True))
ENCODINGS = (
    ("utf-8", "UTF-8"),
    ("cp1252", "Windows-1252 (Western Europe)"),
    ("latin-1", "Latin-1"),
    ("cp1250", "Windows-1250 (Central Europe)"),
    ("cp1251", "Windows-1251 (Cyrillic)"),
    ("mac-roman", "Mac Roman"),
    ("cp850", "DOS 850"),
    ("shift_jis", "Shift JIS"),
    ("gb18030", "GB 18030"),
    ("utf-16", "UTF-16"),
)
KIND_WORDS = {
    "people": "People of ours, with reporting lines",
    "accounts": "Accounts",
    "contacts": "Contacts: people at accounts",
    "products": "Products",
    "leads": "Leads: who might buy",
    "opportunities": "Deals",
    "history": "History of deals: what changed when",
    "activities": "Activities",
    "rates": "Exchange rates",
}

# Where the records of a kind are seen, below the organization's own address.
SEEN_AT = {
    "people": ("See the people", "settings/people/"),
    "accounts": ("See the accounts", "accounts/"),
    "contacts": ("See the accounts and their contacts", "accounts/"),
    "leads": ("See the leads", "leads/"),
    "opportunities": ("See the deals", "deals/?scope=everyone"),
    "history": ("See the deals", "deals/?scope=everyone"),
    "activities": ("See the deals", "deals/?scope=everyone"),
    "rates": ("See the rates", "settings/currencies/"),
}


def runs_page(*, before: str = "") -> list[ImportRun]:
    """Runs from the newest on, one more than fit a page."""
    runs = ImportRun.objects.select_related("person").order_by("-started_at", "-id")
    try:
        runs = runs.filter(started_at__lt=datetime.fromisoformat(before)) if before else runs
    except ValueError:
        return []
    return list(runs[: RUNS_A_PAGE + 1])


def kind_choices() -> list[tuple[str, str]]:
    return [(name, KIND_WORDS.get(name, name.replace("_", " ").capitalize())) for name in KINDS]


def run_context(run: ImportRun, *, organization: Organization, may_import: bool) -> dict[str, Any]:
    """Everything that the page of one run shows."""
    context: dict[str, Any] = {
        "run": run,
        "kinds": kind_choices(),
        "kind_words": dict(kind_choices()).get(run.kind, ""),
        "is_done": run.state in (ImportState.APPLIED, ImportState.CHECKED),
        "percent": _percent(run),
        "keeps_until": run.started_at + FILES_KEPT if run.stored_as else None,
        "coming_count": run.created_count + run.updated_count,
        "seen_at": SEEN_AT.get(run.kind),
    }
    if run.state in (ImportState.APPLIED, ImportState.CHECKED) and run.refused_count:
        refused = ImportRow.objects.filter(run_id=run.id).order_by("line")
        context["refused"] = list(refused.values("line", "refused_column", "refused_reason")[:SHOWN_REFUSALS])
    path = stored_path(run.organization_id, run.stored_as) if run.stored_as else None
    if path is not None and path.is_file() and not run.is_running:
        context |= _file_context(run, organization=organization, may_import=may_import)
    return context


def _percent(run: ImportRun) -> int:
    """How much of the file is read; applying it is the last tenth."""
    if run.phase not in ("", "reading"):
        return {"checking": 85, "applying": 90, "finishing": 98}.get(run.phase, 85)
    if not run.row_estimate:
        return 0
    return min(80, round(80 * run.progress_count / run.row_estimate))


def _file_context(run: ImportRun, *, organization: Organization, may_import: bool) -> dict[str, Any]:
    """The first rows of the file, the form of its mapping, and what else the file holds."""
    path = stored_path(run.organization_id, run.stored_as)
    options = {"encoding": run.mapping.get("encoding"), "delimiter": run.mapping.get("delimiter")}
    try:
        profile = file_profile(path, name=run.file_name, **options)
    except ImportFileError as error:
        return {"unreadable": str(error), "encodings": ENCODINGS}
    fitting = presets_for(PRESETS, header=profile.header)
    context: dict[str, Any] = {
        "profile": profile,
        "encodings": ENCODINGS,
        "delimiters": list(DELIMITER_WORDS.items()),
        "delimiter_word": DELIMITER_WORDS.get(profile.delimiter, f"“{profile.delimiter}”"),
        "also": [preset for preset in fitting if preset.kind != run.kind],
    }
    if run.kind in KINDS and run.state != ImportState.APPLIED and may_import:
        context["form"] = _form(run, profile, path, organization)
    return context


def _form(run: ImportRun, profile: Any, path: Any, organization: Organization) -> MappingForm | None:
    try:
        return mapping_form(
            kind=KINDS[run.kind],
            profile=profile,
            path=path,
            document=run.mapping,
            creates_missing=run.creates_missing,
            organization=organization,
        )
    except (MappingError, ImportFileError) as error:
        return MappingForm(KINDS[run.kind], profile, run.mapping, run.creates_missing, [], [], [str(error)])
