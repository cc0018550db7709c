"""A process as one document: what an edit proposes, what a version keeps, and in words what differs. No Django.

{"name", "gates_winning", "stages": [{"id", "name", "objective", "guidance", "category", "win_percent",
"expected_days", "may_be_skipped", "may_go_back", "approval_above_minor", "required_fields": [field name],
"aids": [{"title", "url", "text", "competitor_id", "role"}],
"milestones": [{"id", "name", "side", "is_required", "due_days"}]}]}; an id of None is something new.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from otc.tenancy.names import clean_name
from pipeline.process.rules import BUILT_IN

Document = dict[str, Any]

CATEGORIES = ("omitted", "pipeline", "best_case", "most_likely", "commit")
SIDES = ("buyer", "seller")
ROLES = ("champion", "economic_buyer", "decision_maker", "influencer", "user", "blocker")
MOST_STAGES, MOST_MILESTONES, MOST_AIDS = 30, 20, 20
LONGEST_GUIDANCE, LONGEST_TEXT = 5000, 1000
MOST_DAYS = 3650
LARGEST_LIMIT = 10**15


class Unfit(ValueError):
    """A process that can't be: where (`name`, `stages.2.name`), and what to do instead."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(reason)
        self.where, self.reason = where, reason


def checked(document: Any, *, custom_fields: Iterable[str], competitors: Iterable[str]) -> Document:
    """The document with every text cleaned and every member there. Raises Unfit.

    `custom_fields` are the names (`field.region`) that a stage may ask for, `competitors` the ids that an aid may name.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("stages"), list):
        raise Unfit("stages", "A process is a name and its stages")
    known = {name for name, _, _ in BUILT_IN} | set(custom_fields)
    rivals = set(competitors)
    stages = [
        _stage(entry, where=f"stages.{number}", known=known, rivals=rivals)
        for number, entry in enumerate(document["stages"], start=1)
    ]
    if not stages:
        raise Unfit("stages", "A process needs a stage; add one first")
    if len(stages) > MOST_STAGES:
        raise Unfit("stages", f"At most {MOST_STAGES} stages")
    _once([stage["name"].casefold() for stage in stages], "stages", "Two stages can’t have one name")
    _once([stage["id"] for stage in stages if stage["id"]], "stages", "A stage stands there twice")
    ids = [one["id"] for stage in stages for one in stage["milestones"] if one["id"]]
    _once(ids, "milestones", "A milestone stands there twice")
    return {
        "name": _line(document.get("name"), "name", 100, needs="A process needs a name"),
        "gates_winning": document.get("gates_winning") is True,
        "stages": stages,
    }


def _stage(entry: Any, *, where: str, known: set[str], rivals: set[str]) -> Document:
    if not isinstance(entry, Mapping):
        raise Unfit(where, "A stage has a name and rules")
    category = entry.get("category") or None
    if category is not None and category not in CATEGORIES:
        raise Unfit(f"{where}.category", "Choose a category of the list; closing sets closed")
    fields = entry.get("required_fields") or []
    if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
        raise Unfit(f"{where}.required_fields", "A list of field names, please")
    unknown = sorted(set(fields) - known)
    if unknown:
        raise Unfit(f"{where}.required_fields", f"There is no field {unknown[0][:60]} any more; leave it out")
    return {
        "id": _id(entry.get("id"), f"{where}.id"),
        "name": _line(entry.get("name"), f"{where}.name", 100, needs="A stage needs a name"),
        "objective": _line(entry.get("objective"), f"{where}.objective", 300),
        "guidance": _text(entry.get("guidance"), f"{where}.guidance", LONGEST_GUIDANCE),
        "category": category,
        "win_percent": _number(entry.get("win_percent"), f"{where}.win_percent", 100, is_optional=True),
        "expected_days": _number(entry.get("expected_days", 21), f"{where}.expected_days", MOST_DAYS),
        "may_be_skipped": entry.get("may_be_skipped", True) is not False,
        "may_go_back": entry.get("may_go_back", True) is not False,
        "approval_above_minor": _number(
            entry.get("approval_above_minor"), f"{where}.approval_above", LARGEST_LIMIT, is_optional=True
        ),
        "required_fields": list(dict.fromkeys(fields)),
        "aids": _list(entry.get("aids"), MOST_AIDS, f"{where}.aids", lambda one, at: _aid(one, at, rivals)),
        "milestones": _list(entry.get("milestones"), MOST_MILESTONES, f"{where}.milestones", _milestone),
    }


def _milestone(entry: Mapping[str, Any], where: str) -> Document:
    side = entry.get("side") or "seller"
    if side not in SIDES:
        raise Unfit(f"{where}.side", "A milestone is the buyer’s or the seller’s")
    return {
        "id": _id(entry.get("id"), f"{where}.id"),
        "name": _line(entry.get("name"), f"{where}.name", 200, needs="A milestone needs a name"),
        "side": side,
        "is_required": entry.get("is_required") is True,
        "due_days": _number(entry.get("due_days", 14), f"{where}.due_days", MOST_DAYS),
    }


def _aid(entry: Mapping[str, Any], where: str, rivals: set[str]) -> Document:
    url = _line(entry.get("url"), f"{where}.url", 500)
    if url and not url.lower().startswith(("https://", "http://")):
        raise Unfit(f"{where}.url", "A link begins with https://")
    role = entry.get("role") or ""
    if role and role not in ROLES:
        raise Unfit(f"{where}.role", "Choose a buying role of the list")
    competitor = _id(entry.get("competitor_id"), f"{where}.competitor")
    if competitor and competitor not in rivals:
        raise Unfit(f"{where}.competitor", "There is no such competitor")
    return {
        "title": _line(entry.get("title"), f"{where}.title", 200, needs="An aid needs a title"),
        "url": url,
        "text": _text(entry.get("text"), f"{where}.text", LONGEST_TEXT),
        "competitor_id": competitor,
        "role": role,
    }


def _list(value: Any, most: int, where: str, read: Any) -> list[Document]:
    found = value or []
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise Unfit(where, "A list, please")
    if len(found) > most:
        raise Unfit(where, f"At most {most}")
    return [read(one, f"{where}.{number}") for number, one in enumerate(found, start=1)]


def _id(value: Any, where: str) -> str | None:
    if not value:
        return None
    try:
        return str(UUID(str(value)))
    except ValueError:
        raise Unfit(where, "That is no id; leave it out for something new") from None


def _line(value: Any, where: str, longest: int, *, needs: str = "") -> str:
    text = " ".join(clean_name(_storable(value)).split())
    if needs and not text:
        raise Unfit(where, needs)
    if len(text) > longest:
        raise Unfit(where, f"At most {longest} characters; these are {len(text)}")
    return text


def _text(value: Any, where: str, longest: int) -> str:
    lines = _storable(value).replace("\r\n", "\n").split("\n")
    text = "\n".join(clean_name(line) for line in lines).strip()
    if len(text) > longest:
        raise Unfit(where, f"At most {longest} characters; these are {len(text)}")
    return text


def _storable(value: Any) -> str:
    text = "" if value is None else str(value)
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def _number(value: Any, where: str, most: int, *, is_optional: bool = False) -> int | None:
    if value is None and is_optional:
        return None
    if type(value) is not int or not 0 <= value <= most:
        raise Unfit(where, f"A whole number from 0 to {most}")
    return value


def _once(found: list[Any], where: str, reason: str) -> None:
    if len(set(found)) < len(found):
        raise Unfit(where, reason)


# What differs


def removed_stages(before: Document, after: Document) -> list[Document]:
    """The stages that the other document no longer has."""
    kept = {stage["id"] for stage in after["stages"]}
    return [stage for stage in before["stages"] if stage["id"] not in kept]


def changes_between(before: Document, after: Document) -> list[str]:
    """In sentences, the order of the new document first; empty where they say the same."""
    said = []
    if before["name"] != after["name"]:
        said.append(f"Renamed from {before['name']} to {after['name']}")
    if before["gates_winning"] != after["gates_winning"]:
        said.append(
            "A win asks for the rest of the way"
            if after["gates_winning"]
            else "A win no longer asks for the rest of the way"
        )
    known = {stage["id"]: stage for stage in before["stages"]}
    for stage in after["stages"]:
        old = known.get(stage["id"]) if stage["id"] else None
        said += _stage_changes(old, stage) if old else [f"New stage {stage['name']}"]
    said += [f"Removed the stage {stage['name']}" for stage in removed_stages(before, after)]
    return said + _order_changes(before, after)


def _order_changes(before: Document, after: Document) -> list[str]:
    kept = {stage["id"] for stage in before["stages"]} & {stage["id"] for stage in after["stages"]}
    was = [stage["id"] for stage in before["stages"] if stage["id"] in kept]
    now = [stage["id"] for stage in after["stages"] if stage["id"] in kept]
    if was == now:
        return []
    return ["New order: " + ", ".join(stage["name"] for stage in after["stages"])]


LABELS = {
    "objective": "objective",
    "guidance": "guidance",
    "category": "proposed category",
    "win_percent": "proposed probability",
    "expected_days": "expected days",
    "may_be_skipped": "may be skipped",
    "may_go_back": "may go back",
    "approval_above_minor": "amount above which it needs approval",
    "required_fields": "required fields",
    "aids": "aids",
}


def _stage_changes(old: Document, new: Document) -> list[str]:
    name = new["name"]
    said = [f"Renamed the stage {old['name']} to {name}"] if old["name"] != name else []
    different = [label for key, label in LABELS.items() if old[key] != new[key]]
    if different:
        said.append(f"{name}: {', '.join(different)}")
    known = {one["id"]: one for one in old["milestones"]}
    for milestone in new["milestones"]:
        before = known.pop(milestone["id"], None) if milestone["id"] else None
        if before is None:
            said.append(f"{name}: new milestone {milestone['name']}")
        elif before["name"] != milestone["name"]:
            said.append(f"{name}: milestone {before['name']} is called {milestone['name']}")
        elif before["is_required"] != milestone["is_required"]:
            word = "required" if milestone["is_required"] else "optional"
            said.append(f"{name}: {milestone['name']} is {word}")
        elif before != milestone:
            said.append(f"{name}: milestone {milestone['name']} changed")
    return said + [f"{name}: without the milestone {one['name']}" for one in known.values()]


def things_asked(document: Document) -> dict[str, set[str]]:
    """Per stage (by id, or name where it is new) what a deal in it must have: `field:<name>`, `milestone:<id or name>`.

    Fields of the stage and those before it, required milestones of those before it.
    """
    found: dict[str, set[str]] = {}
    fields: set[str] = set()
    milestones: set[str] = set()
    for stage in document["stages"]:
        fields |= {f"field:{name}" for name in stage["required_fields"]}
        found[stage["id"] or stage["name"]] = fields | milestones
        milestones |= {
            f"milestone:{one['id'] or one['name']}" for one in stage["milestones"] if one["is_required"]
        }
    return found
