"""Who works there, who reports to whom, and who holds which territory from when to when."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from otc.demo import market, names
from otc.demo.draw import between, stream
from otc.demo.organizations import OrganizationPlan, Territory
from otc.demo.workdays import Workdays

PEOPLE_SALT = 2
LETTERS = str.maketrans({"ø": "o", "Ø": "O", "æ": "ae", "å": "a", "ß": "ss", "ð": "d", "ł": "l"})
DIRECTOR_TITLE, MANAGER_TITLE, REP_TITLE = "Regional director", "Sales manager", "Account executive"
LEAD_TITLE = "Team lead"
# Which territory of thirty-one: its rep left just now; was handed over a year ago; moved to another manager a year ago,
# or this month; has a lead between the rep and the manager, who left.
LEFT_NOW, HANDED_OVER, MOVED, MOVED_NOW, LED = 10, 3, 6, 17, 20
MOVED_DAYS_AGO, LEAD_LEFT_DAYS_AGO, SUCCESSOR_DAYS_AGO = 19, 16, 4


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """`key` is the external id; `manager` the key of today's manager, None for a top or who left."""

    key: str
    name: str
    email: str
    role: str
    title: str
    territory: str
    manager: str | None
    joined: date
    left: date | None = None


@dataclass(frozen=True, slots=True)
class DemoLine:
    """`person` reports to `manager` (None: a declared top) in [valid_from, valid_to); None is forever."""

    person: str
    manager: str | None
    valid_from: datetime
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A territory and who works it: `tenures` are (person or None, from day, to day), without gap, in order.

    `bosses` are (manager, from day), in order. `skill` moves the logit of winning.
    """

    number: int
    territory: Territory
    label: str
    tenures: tuple[tuple[str | None, int, int], ...]
    bosses: tuple[tuple[str, int], ...]
    skill: float

    def owner_on(self, day: int) -> str | None:
        return next((who for who, start, end in self.tenures if start <= day < end), None)

    def boss_on(self, day: int) -> str:
        return [boss for boss, start in self.bosses if start <= max(day, 0)][-1]


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody, every line, every slot."""

    people: tuple[DemoPerson, ...]
    lines: tuple[DemoLine, ...]
    slots: tuple[Slot, ...]


def slot_count(plan: OrganizationPlan, *, deals: int) -> int:
    """How many territories `deals` keep busy: Halden's 2,400 -> 31, 100,000 -> 290."""
    wanted = round(plan.slots * (deals / plan.deals) ** market.REPS_GROW_WITH)
    return min(max(wanted, market.MIN_REPS), market.MAX_REPS)


def mail_name(name: str) -> str:
    """ "Lucía Ferrer" -> "lucia.ferrer"."""
    plain = unicodedata.normalize("NFKD", name.translate(LETTERS)).encode("ascii", "ignore").decode()
    return ".".join("".join(c for c in word if c.isalnum()) for word in plain.lower().split())


def new_names(taken: set[str]) -> Iterator[str]:
    """Names that nobody bears yet, always in the same order."""
    for number in range(len(names.GIVEN) * len(names.FAMILY)):
        family = (number * 7 + number // len(names.GIVEN)) % len(names.FAMILY)
        name = f"{names.GIVEN[number % len(names.GIVEN)]} {names.FAMILY[family]}"
        if name not in taken:
            taken.add(name)
            yield name


class StaffBuilder:
    """Hires people in a fixed order and keeps their lines."""

    def __init__(self, plan: OrganizationPlan, *, workdays: Workdays, seed: int) -> None:
        self.plan, self.workdays = plan, workdays
        self.rng = Random(stream(seed, salt=PEOPLE_SALT))
        curated = {plan.administrator, plan.operations, *plan.reps}
        curated |= {name for name, _ in plan.executives} | {name for name, _, _ in plan.managers}
        self.fresh = new_names(curated)
        self.people: list[DemoPerson] = []
        self.lines: list[DemoLine] = []
        self.mails: set[str] = set()

    def hire(
        self, name: str, *, role: str, title: str, territory: str = "", joined: date | None = None
    ) -> str:
        """Add a person and return the key; without `joined` they were there before the window."""
        key = f"P-{len(self.people) + 1:03}"
        local = mail_name(name)
        mail = local if local not in self.mails else f"{local}{len(self.people) + 1}"
        self.mails.add(mail)
        since = joined or self.workdays.first - timedelta(days=between(self.rng, (30, 1900)))
        self.people.append(
            DemoPerson(key, name, f"{mail}@{self.plan.domain}", role, title, territory, None, since)
        )
        return key

    def report(self, person: str, *, to: str | None, from_day: int = 0, to_day: int | None = None) -> None:
        """A line over [from_day, to_day); without `to_day` it stands today."""
        midnight = self.workdays.midnight
        end = None if to_day is None else midnight(to_day)
        self.lines.append(DemoLine(person, to, midnight(from_day), end))
        if end is None:
            self._change(person, manager=to)

    def report_through(self, lead: str, *, person: str) -> None:
        """The person's lines lead to `lead` instead of the manager, whom the lead reports to."""
        through = [replace(line, manager=lead) if line.person == person else line for line in self.lines]
        self.lines[:] = through
        self._change(person, manager=lead)

    def leave(self, person: str, *, day: int) -> None:
        self._change(person, left=self.workdays.dates[day])

    def _change(self, person: str, **fields: object) -> None:
        place = int(person[2:]) - 1
        self.people[place] = replace(self.people[place], **fields)  # type: ignore[arg-type]  # names are given above


def build_staff(plan: OrganizationPlan, *, deals: int, workdays: Workdays, seed: int) -> Staff:
    """Executives, managers under them (directors between, when there are many), and a rep per territory."""
    builder = StaffBuilder(plan, workdays=workdays, seed=seed)
    executives = []
    for name, title in plan.executives:
        executives.append(builder.hire(name, role="executive", title=title))
        builder.report(executives[-1], to=executives[0] if len(executives) > 1 else None)
    count = slot_count(plan, deals=deals)
    bosses = sorted({boss_number(plan, slot) for slot in range(count)})
    managers = hire_managers(builder, numbers=bosses, executives=executives)
    slots = [staff_slot(builder, number=number, managers=managers) for number in range(count)]
    builder.hire(plan.administrator, role="administrator", title="Sales systems")
    builder.hire(plan.operations, role="operations", title="Revenue operations")
    builder.hire("ERP interface", role="integration", title="Integration")
    for slot in slots:
        newest(builder, slot)
    return Staff(tuple(builder.people), tuple(builder.lines), centred(slots))


def newest(builder: StaffBuilder, slot: Slot) -> None:
    """Who came last, so that nobody else's draws change: a lead who has left again, and a leaver's successor."""
    days = builder.workdays
    place, boss = slot.number % market.LEAVERS_EVERY, slot.boss_on(days.today)
    if place == LED:
        lead = builder.hire(
            next(builder.fresh), role="manager", title=LEAD_TITLE, territory=slot.label, joined=days.first
        )
        builder.report(lead, to=boss)
        builder.report_through(lead, person=str(slot.owner_on(days.today)))
        builder.leave(lead, day=days.on_or_before[days.today - LEAD_LEFT_DAYS_AGO])
    if place == LEFT_NOW:
        came = days.on_or_before[days.today - SUCCESSOR_DAYS_AGO]
        title, label = REP_TITLE, slot.label
        person = builder.hire(
            next(builder.fresh), role="rep", title=title, territory=label, joined=days.dates[came]
        )
        builder.report(person, to=boss, from_day=came)


def centred(slots: list[Slot]) -> tuple[Slot, ...]:
    """The slots with skills around 0: good and bad reps, but no organization that is lucky as a whole."""
    mean = sum(slot.skill for slot in slots) / len(slots)
    return tuple(replace(slot, skill=slot.skill - mean) for slot in slots)


def boss_number(plan: OrganizationPlan, slot: int) -> int:
    """Which manager leads a slot: the territory's own, further ones in sixes."""
    if slot < plan.slots:
        return plan.territories[slot % len(plan.territories)].boss
    return len(plan.managers) + (slot - plan.slots) // market.REPS_PER_MANAGER


def hire_managers(builder: StaffBuilder, *, numbers: list[int], executives: list[str]) -> dict[int, str]:
    """The key of each manager that leads a slot, by number; directors above the new ones when they are many."""
    plan = builder.plan
    above = {number: executives[executive] for number, (_, _, executive) in enumerate(plan.managers)}
    fresh = [number for number in numbers if number >= len(plan.managers)]
    for start in range(0, len(fresh), market.MANAGERS_PER_DIRECTOR):
        group = fresh[start : start + market.MANAGERS_PER_DIRECTOR]
        boss = executives[0]
        if len(fresh) > market.MANAGERS_PER_DIRECTOR:
            boss = builder.hire(next(builder.fresh), role="manager", title=DIRECTOR_TITLE)
            builder.report(boss, to=executives[0])
        above |= dict.fromkeys(group, boss)
    managers = {}
    for number in numbers:
        is_curated = number < len(plan.managers)
        name = plan.managers[number][0] if is_curated else next(builder.fresh)
        area = plan.managers[number][1] if is_curated else f"Team {number + 1}"
        managers[number] = builder.hire(name, role="manager", title=MANAGER_TITLE, territory=area)
        builder.report(managers[number], to=above[number])
    return managers


def staff_slot(builder: StaffBuilder, *, number: int, managers: dict[int, str]) -> Slot:
    """Hire who works a territory over the window, with their lines."""
    plan, days, rng = builder.plan, builder.workdays, builder.rng
    territory = plan.territories[number % len(plan.territories)]
    round_number = number // len(plan.territories) + 1
    label = territory.name if round_number == 1 else f"{territory.name} {round_number}"
    boss = managers[boss_number(plan, number)]
    holder = plan.reps[number] if number < len(plan.reps) else next(builder.fresh)
    place, end = number % market.LEAVERS_EVERY, days.last + 1
    bosses: tuple[tuple[str, int], ...] = ((boss, 0),)

    def hire(name: str, joined: date | None = None) -> str:
        return builder.hire(name, role="rep", title=REP_TITLE, territory=label, joined=joined)

    if place == LEFT_NOW:
        gone = days.on_or_before[days.today - between(rng, (6, 9))]
        person = hire(holder)
        builder.report(person, to=boss, to_day=gone)
        builder.leave(person, day=gone)
        tenures: tuple[tuple[str | None, int, int], ...] = ((person, 0, gone), (None, gone, end))
    elif place == HANDED_OVER:
        gone = days.on_or_before[days.today - between(rng, (350, 420))]
        came = days.on_or_after[gone + between(rng, (24, 60))]
        former, person = hire(next(builder.fresh)), hire(holder, days.dates[came])
        builder.report(former, to=boss, to_day=gone)
        builder.leave(former, day=gone)
        builder.report(person, to=boss, from_day=came)
        tenures = ((former, 0, gone), (None, gone, came), (person, came, end))
    elif place in (MOVED, MOVED_NOW) and len(managers) > 1:
        ago = between(rng, (300, 400)) if place == MOVED else MOVED_DAYS_AGO
        moved = (
            days.on_or_before[days.today - ago] if place == MOVED_NOW else days.on_or_after[days.today - ago]
        )
        former_boss = next(key for key in managers.values() if key != boss)
        person = hire(holder)
        builder.report(person, to=former_boss, to_day=moved)
        builder.report(person, to=boss, from_day=moved)
        bosses, tenures = ((former_boss, 0), (boss, moved)), ((person, 0, end),)
    else:
        person = hire(holder)
        builder.report(person, to=boss)
        tenures = ((person, 0, end),)
    return Slot(number, territory, label, tenures, bosses, rng.gauss(0, market.SKILL_SPREAD))
