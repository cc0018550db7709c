"""May a deal enter this stage? The one rule engine behind page, board, API, import and bulk. Pure.

What a stage asks for: its milestones are met or waived before a deal goes on to a later stage; its required fields are
filled in whoever enters it or a later one; a deal doesn't jump over it; a deal in it or beyond doesn't go back to
before it; above an amount the manager approves of entering it or a later one.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

OUTSIDE = 0
"""The position of a deal that stands in no stage of the process: before its first."""

# What of a deal's own a stage may ask for: key, column, label. A custom field is asked for as `field.<key>`.
BUILT_IN = (
    ("account", "account_id", "Account"),
    ("owner", "owner_id", "Owner"),
    ("amount", "amount_minor", "Amount"),
    ("close_date", "close_date", "Close date"),
    ("next_step", "next_step", "Next step"),
    ("next_step_on", "next_step_on", "Next step’s day"),
    ("competitor", "competitor_id", "Competitor"),
    ("product", "product_id", "Product"),
    ("source", "source", "Source"),
    ("kind", "kind", "Kind"),
)


@dataclass(frozen=True, slots=True)
class StageMilestone:
    """An exit criterion of the stage at `position` (1 is the first)."""

    id: UUID
    name: str
    position: int
    stage: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class StageRules:
    """What one stage asks for; amounts in corporate minor units."""

    id: UUID
    name: str
    position: int
    may_be_skipped: bool = True
    may_go_back: bool = True
    approval_above_minor: int | None = None
    required_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProcessRules:
    """A process with its stages in order, and the milestones of all of them."""

    stages: tuple[StageRules, ...] = ()
    milestones: tuple[StageMilestone, ...] = ()
    gates_winning: bool = False

    def stage(self, stage_id: UUID | None) -> StageRules | None:
        return next((stage for stage in self.stages if stage.id == stage_id), None)

    @property
    def end(self) -> int:
        """The position after the last stage: where a won deal stands."""
        return max((stage.position for stage in self.stages), default=OUTSIDE) + 1


@dataclass(frozen=True)
class DealFacts:
    """What a deal brings. `amount_minor` is corporate, None without one; `approved_minor` is what was approved."""

    filled: frozenset[str] = frozenset()
    marked: frozenset[UUID] = frozenset()
    amount_minor: int | None = None
    approved_minor: int | None = None


@dataclass(frozen=True)
class ApprovalAsked:
    """Entering `stage` wants the manager's approval above `above_minor`."""

    stage_id: UUID
    stage: str
    above_minor: int


@dataclass(frozen=True)
class Verdict:
    """Everything that keeps a deal from its target; nothing of it is left out for another part of it.

    `skipped` are stages that may not be jumped over, `kept_by` the one that lets nobody back.
    """

    target: str
    milestones: tuple[StageMilestone, ...] = ()
    met: tuple[StageMilestone, ...] = field(default=(), compare=False)
    fields: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    kept_by: str = ""
    approval: ApprovalAsked | None = None

    @property
    def is_clear(self) -> bool:
        return self.without_approval.is_free and self.approval is None

    @property
    def is_free(self) -> bool:
        """Whether nothing stands against it but, perhaps, an approval."""
        return not (self.milestones or self.fields or self.skipped or self.kept_by)

    @property
    def is_barred(self) -> bool:
        """Whether nothing that could be filled in or approved would help."""
        return bool(self.skipped or self.kept_by)

    @property
    def without_approval(self) -> "Verdict":
        return replace(self, approval=None)


def judge_move(process: ProcessRules, *, leaving: int, target: StageRules, facts: DealFacts) -> Verdict:
    """What keeps a deal in the stage at `leaving` from entering `target` of the same process."""
    if target.position <= leaving:
        return _judge_back(process, leaving=leaving, entering=target.position, name=target.name)
    return _judge_forward(process, leaving=leaving, entering=target.position, name=target.name, facts=facts)


def judge_arrival(
    process: ProcessRules, *, mapped: StageRules | None, target: StageRules, facts: DealFacts
) -> Verdict:
    """What keeps a deal from entering `target` that stood in no stage of this process, or that is new.

    `mapped` is where it would stand here by what it has gone through; None for a new deal, which leaves no stage and so
    can miss no milestone. Fields and approval are asked for as of one that went the whole way.
    """
    leaving = mapped.position if mapped else OUTSIDE
    verdict = judge_move(process, leaving=leaving, target=target, facts=facts)
    entered = [stage for stage in process.stages if stage.position <= target.position]
    missing = tuple(name for name in _fields(entered) if name not in facts.filled)
    return replace(verdict, fields=missing, approval=_approval(entered, facts))


def judge_removal(process: ProcessRules, *, leaving: int) -> Verdict:
    """What keeps a deal from standing in no stage at all: that is before the first one."""
    return _judge_back(process, leaving=leaving, entering=OUTSIDE, name="no stage")


def judge_winning(process: ProcessRules, *, leaving: int, facts: DealFacts) -> Verdict:
    """What keeps a deal from being won: nothing, unless the process says that a win asks for the rest of the way."""
    if not process.gates_winning:
        return Verdict("Won")
    return _judge_forward(process, leaving=leaving, entering=process.end, name="Won", facts=facts)


def judge_amount(process: ProcessRules, *, standing: int, facts: DealFacts) -> Verdict:
    """What keeps the deal at `standing` from being worth more than before: what was approved, for less."""
    here = next((stage.name for stage in process.stages if stage.position == standing), "")
    reached = [stage for stage in process.stages if stage.position <= standing]
    return Verdict(here, approval=_approval(reached, facts))


def judge_emptying(process: ProcessRules, *, standing: int, emptied: Collection[str]) -> tuple[str, ...]:
    """Those of the emptied fields that the deal's stage, or one before it, asks for."""
    asked = _fields(stage for stage in process.stages if stage.position <= standing)
    return tuple(name for name in asked if name in emptied)


def _judge_back(process: ProcessRules, *, leaving: int, entering: int, name: str) -> Verdict:
    crossed = [
        stage for stage in process.stages if entering < stage.position <= leaving and not stage.may_go_back
    ]
    return Verdict(name, kept_by=crossed[-1].name if crossed else "")


def _judge_forward(
    process: ProcessRules, *, leaving: int, entering: int, name: str, facts: DealFacts
) -> Verdict:
    left = [one for one in process.milestones if leaving <= one.position < entering] if leaving else []
    between = [stage for stage in process.stages if leaving < stage.position < entering]
    entered = [stage for stage in process.stages if leaving < stage.position <= entering]
    return Verdict(
        name,
        milestones=tuple(one for one in left if one.is_required and one.id not in facts.marked),
        met=tuple(one for one in left if one.id in facts.marked),
        fields=tuple(field for field in _fields(entered) if field not in facts.filled),
        skipped=tuple(stage.name for stage in between if not stage.may_be_skipped),
        approval=_approval(entered, facts),
    )


def _approval(entered: Iterable[StageRules], facts: DealFacts) -> ApprovalAsked | None:
    """The last of the entered stages that asks for an approval of this amount, if it isn't given."""
    if facts.amount_minor is None:
        return None
    if facts.approved_minor is not None and facts.approved_minor >= facts.amount_minor:
        return None
    found = None
    for stage in entered:
        above = stage.approval_above_minor
        if above is not None and facts.amount_minor > above:
            found = ApprovalAsked(stage.id, stage.name, above)
    return found


def _fields(stages: Iterable[StageRules]) -> tuple[str, ...]:
    """The required fields of the stages, each once, in their order."""
    return tuple(dict.fromkeys(name for stage in stages for name in stage.required_fields))


@dataclass(frozen=True, slots=True)
class Place:
    """A stage as far as another process can recognize it."""

    id: UUID
    name: str
    position: int
    category: str | None


def mapped_stage(here: Place | None, *, stages: Iterable[Place]) -> Place | None:
    """Where a deal at `here` stands in another process: in the stage of the same name, else the first that proposes the
    same category, else the one as far along, counted in places from the first; the first for a deal without a stage.
    """
    others = sorted(stages, key=lambda place: place.position)
    if not others or here is None:
        return others[0] if others else None
    alike = [place for place in others if place.name.casefold() == here.name.casefold()]
    alike += [place for place in others if here.category is not None and place.category == here.category]
    return alike[0] if alike else others[min(max(here.position, 1), len(others)) - 1]


def due_on(entered: datetime | None, due_days: int, *, zone: ZoneInfo) -> date | None:
    """The day a milestone is due: `due_days` of the organization's calendar after its stage was entered.

    None while its stage lies ahead.
    """
    return entered.astimezone(zone).date() + timedelta(days=due_days) if entered else None
