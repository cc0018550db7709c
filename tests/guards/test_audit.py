"""Does every service that changes who may do what, or what numbers are measured against, leave an entry? And does
docs/audit.md list what is on record, and nothing else?
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("otc", "pipeline", "forecasting", "postmortem")
ACTION = re.compile(r"[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*")
# Texts in the modules that append which look like actions and are none.
NO_ACTIONS = {"default.json", "otc.audit", "alert.sample"}
WRITES = {"save", "delete", "update", "bulk_create", "update_or_create", "get_or_create"}
# Files beside services.py whose writers are on record too.
BESIDE = (
    "forecasting/quotas/periods.py",
    "otc/imports/runs.py",
)
# Services without an entry, with where what they write is told.
ELSEWHERE = {
    "forecasting/inspection/services.py": "each person's own view",
    "forecasting/mail/services.py": "mails of what is on record elsewhere",
    "forecasting/trends/services.py": "sums of what is on record elsewhere",
    "otc/audit/services.py": "the log itself",
    "otc/backup/services.py": "reads and writes files, under a role of its own",
    "otc/identity/account/services.py": "ends sessions; sign_in.* says when they begin",
    "otc/identity/sessions/services.py": "ends sessions; sign_in.* says when they begin",
    "otc/jobs/services.py": "whoever asks for the job, and what it does",
    "otc/notices/services.py": "notices to a person of what is on record elsewhere",
    "otc/undo/services.py": "the services that it calls",
    "pipeline/accounts/services.py": "records of the business",
    "pipeline/activities/services.py": "the deal's timeline",
    "pipeline/buying/services.py": "the deal's timeline, with dates",
    "pipeline/comments/services.py": "the deal's timeline",
    "pipeline/deal_views/services.py": "each person's own view; a shared one shows whose it is",
    "pipeline/exports/services.py": "export.made says it when the file leaves",
    "pipeline/fields/services.py": "each person's own columns",
    "pipeline/health/services.py": "computed",
    "pipeline/history/services.py": "the versions themselves",
    "pipeline/lines/services.py": "the deal's timeline, with dates",
    "pipeline/links/services.py": "the deal's timeline",
    "pipeline/opportunities/services.py": "the deal's versions",
    "pipeline/risk/services.py": "computed",
    "pipeline/digest/services.py": "mails of what is on record elsewhere",
    "pipeline/telling/services.py": "notices to people of the deal's versions",
    "pipeline/today/services.py": "the deal's versions and timeline; a snooze is each person's own view",
}
# Public functions that write without an entry of their own, with the reason.
SILENT = {
    "otc/fields/services.py:field_convert_later": "pipeline/fields/conversion.py says it with what it does to values",
    "otc/imports/runs.py:forget_old": "what is older than files are kept; the run stays",
    "otc/imports/runs.py:mapping_remember": "a convenience of the page",
    "otc/imports/runs.py:run_again": "brings nothing in",
    "otc/imports/runs.py:run_map": "brings nothing in",
    "otc/imports/runs.py:run_start": "otc/imports/services.py says what came in",
    "otc/imports/runs.py:run_upload": "brings nothing in",
    "otc/money/services.py:shown_currency_set": "each person's own view",
    "forecasting/locks/services.py:grid_keep": "period.locked says it; the grid is kept once and never changed",
    "pipeline/duplicates/services.py:put_pair_back": "what was proposed before is proposed again",
    "pipeline/plans/services.py:put_plan_back": "puts one's own edit back",
    "pipeline/leads/services.py:lead_create": "records of the business",
    "pipeline/leads/services.py:lead_edit": "records of the business",
    "pipeline/leads/services.py:lead_marks_set": "records of the business; each mark says who and when",
    "pipeline/leads/services.py:put_lead_back": "puts one's own edit back",
    "pipeline/approvals/services.py:approvals_overtaken": "the deal's versions show what overtook the request",
    "pipeline/closeplan/services.py:buyer_comment": "the deal's timeline",
    "pipeline/closeplan/services.py:buyer_tick": "the deal's timeline",
    "pipeline/closeplan/services.py:link_opened": "looking changes nothing",
    "pipeline/closeplan/services.py:seller_comment": "the deal's timeline",
    "pipeline/closeplan/services.py:tick_undo": "the deal's timeline",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module that appends to the log."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if re.search(r"audit_append|_audit\(", text) and "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(text)


def actions(tree: ast.Module) -> set[str]:
    """What a module appends under: its texts of the form `noun.past_tense`, SQL and docstrings left out."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in texts if isinstance(text, str) and ACTION.fullmatch(text)} - NO_ACTIONS


def called(function: ast.AST) -> set[str]:
    """The names of the functions and methods that a function calls."""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    return names | {call.attr for call in calls if isinstance(call, ast.Attribute)}


def silent_writers(tree: ast.Module) -> set[str]:
    """Public functions and methods that write, directly or through the module's own, and never append."""
    functions = {node.name: called(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

    def reaches(name: str, wanted: set[str], seen: frozenset[str] = frozenset()) -> bool:
        calls = functions[name]
        return bool(calls & wanted) or any(
            reaches(inner, wanted, seen | {name}) for inner in calls & set(functions) - seen - {name}
        )

    public = [name for name in functions if not name.startswith("_")]
    return {name for name in public if reaches(name, WRITES) and not reaches(name, {"audit_append"})}


def services() -> set[str]:
    """Every file of the house that only services may be in."""
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("services.py"))
    return {str(path.relative_to(ROOT)) for path in paths}


def test_every_public_writer_is_on_record_or_says_why_not() -> None:
    found = {
        f"{path}:{name}"
        for path in (services() - set(ELSEWHERE)) | set(BESIDE)
        for name in silent_writers(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    }
    assert found == set(SILENT), found ^ set(SILENT)
    assert set(ELSEWHERE) <= services()


def test_the_guard_sees_a_writer_that_keeps_silent() -> None:
    text = (
        "def a(x):\n    x.save()\n    _note()\ndef _note():\n    audit_append('a.done')\n"
        "def b(x):\n    _w(x)\ndef _w(x):\n    x.save()\n"
    )
    assert silent_writers(ast.parse(text)) == {"b"}
    assert actions(ast.parse(text)) == {"a.done"}


def test_the_page_lists_every_action_and_no_other() -> None:
    text = (ROOT / "docs/audit.md").read_text(encoding="utf-8")
    part = text.partition("## What is on record")[2].partition("\n## ")[0]
    listed = {word for word in re.findall(r"`([^`]+)`", part) if ACTION.fullmatch(word)}
    written = {action for _, tree in modules() for action in actions(tree)}
    written = {action for action in written if not action.startswith(("s.", "n.", "t."))}
    assert listed == written, listed ^ written
