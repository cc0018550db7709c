"""What colleagues say to each other on a deal, and which papers they put there. Drawn from a stream of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from otc.demo.accounts import DemoAccount
from otc.demo.company import DemoCompany
from otc.demo.deals import DemoComment, DemoLink, DemoSeat, DemoState
from otc.demo.draw import between, stream
from otc.demo.hazards import DISCOVER, PROPOSE, VALIDATE
from otc.demo.people import Slot
from otc.demo.surroundings import workday_instant

TALK_SALT = 17_000_000_011
TALKED, ASKED_COLLEAGUE, LINKED = 0.22, 0.6, 0.35
MINUTES_UNTIL_ASKED, MINUTES_UNTIL_ANSWERED = (40, 2400), (25, 600)
ASKED: tuple[str, ...] = (
    "@{boss} {contact} wants to talk about the term. Can you join the next call?",
    "@{boss} 10 % would close this before the quarter ends. Fine with you?",
    "@{boss} procurement asks for a reference in {industry}. Whom do we have?",
    "@{boss} they want the board to see it first. Worth two weeks, or do we push?",
)
ANSWERED: tuple[str, ...] = (
    "@{owner} yes, but against a signature this month, not for a maybe.",
    "@{owner} I am in. Send me your notes the evening before.",
    "@{owner} first find out who signs. Then we talk about terms.",
    "@{owner} good. Let {contact} write the next step down, so that it is theirs.",
)
TO_COLLEAGUE: tuple[str, ...] = (
    "@{colleague} you know their site in {city}: who else should we meet?",
    "@{colleague} could you show {contact} how yours rolled it out?",
)
PLAIN: tuple[str, ...] = (
    "{contact} is out until the start of next week; I write to the others meanwhile.",
    "Spoke with {contact} on the way out: the need is real, the date is not.",
    "Their year ends in a month. What isn’t ordered by then waits for the next budget.",
)
PAPERS = (("Map of the process", DISCOVER), ("Pilot report", VALIDATE), ("Offer", PROPOSE))
EVIDENCE = (
    "Said so in the call, and confirmed by mail the same day",
    "In the minutes, point 4",
    "Written down by the buyer in the shared plan",
    "Signed off on site",
)
NOTED_OF = 9  # of so many milestones a few have a note


def evidence(drawn: int) -> str:
    """What a milestone's note says, by any whole number; mostly nothing."""
    place = drawn % NOTED_OF
    return EVIDENCE[place] if place < len(EVIDENCE) else ""


class TalkDrawer:
    """Draws comments and links of one company's deals."""

    def __init__(self, company: DemoCompany) -> None:
        self.seed, self.days, self.domain = company.seed, company.workdays, company.plan.domain
        self.names = {person.key: person.name for person in company.people}
        self.morning = self.days.opens[self.days.today]
        self.rng = Random()

    def draw(
        self,
        number: int,
        *,
        slot: Slot,
        account: DemoAccount,
        states: Sequence[DemoState],
        seats: Sequence[DemoSeat],
    ) -> tuple[tuple[DemoComment, ...], tuple[DemoLink, ...]]:
        """What was said on the deal of that number, and what was put there; `slot` is the account's."""
        self.rng.seed(stream(self.seed, salt=TALK_SALT + number))
        links = tuple(self.links(number, states=states)) if self.rng.random() < LINKED else ()
        if self.rng.random() >= TALKED:
            return (), links
        boss = slot.boss_on(self.days.today)
        comments = self.comments(boss=boss, account=account, states=states, seats=seats)
        return tuple(comments), links

    def comments(
        self, *, boss: str, account: DemoAccount, states: Sequence[DemoState], seats: Sequence[DemoSeat]
    ) -> Iterator[DemoComment]:
        later = [
            state for state in states if state.stage >= DISCOVER and state.owner and state.outcome is None
        ]
        if not later:
            return
        state = later[int(self.rng.random() * len(later))]
        owner, at = state.owner, self.after(state.at, MINUTES_UNTIL_ASKED)
        people = {"boss": boss, "owner": owner}
        here = [seat.person for seat in seats if seat.at <= at and (seat.until is None or seat.until > at)]
        if here and self.rng.random() < ASKED_COLLEAGUE:
            people["colleague"] = here[0]
            asked = TO_COLLEAGUE
        else:
            asked = ASKED if boss != owner else PLAIN
        words = {
            "contact": account.contacts[int(self.rng.random() * len(account.contacts))].name,
            "industry": account.industry.lower(),
            "city": account.city,
        }
        question, answer = self.one_of(asked), self.one_of(ANSWERED)
        answered_at = self.after(at, MINUTES_UNTIL_ANSWERED)
        if at < self.morning:
            yield self.said(at, owner, question, people=people, words=words)
        if asked is ASKED and answered_at < self.morning:
            yield self.said(answered_at, boss, answer, people=people, words=words)

    def links(self, number: int, *, states: Sequence[DemoState]) -> Iterator[DemoLink]:
        for name, stage in PAPERS:
            place = next((place for place, state in enumerate(states) if state.stage >= stage), None)
            if place is None:
                return
            at = self.after(states[place].at, MINUTES_UNTIL_ASKED)
            folder = name.lower().replace(" ", "-")
            url = f"https://files.{self.domain}/{folder}/D-{number + 1:06}.pdf"
            if self.rng.random() < 0.5 and at < self.morning:
                yield DemoLink(at, name, url, states[place].actor)

    def after(self, at: datetime, minutes: tuple[int, int]) -> datetime:
        then = at + timedelta(minutes=between(self.rng, minutes))
        # What would be after hours is a second of that working day's morning: then it is a later day's.
        tried = (workday_instant(then + timedelta(days=more), days=self.days) for more in range(4))
        return next((found for found in tried if found > at), then)

    def one_of(self, texts: Sequence[str]) -> str:
        return texts[int(self.rng.random() * len(texts))]

    def said(
        self,
        at: datetime,
        author: str | None,
        text: str,
        *,
        people: dict[str, str | None],
        words: dict[str, str],
    ) -> DemoComment:
        """The text with names in it, and where each @Name stands."""
        text = text.format(**words, **{part: "{" + part + "}" for part in ("boss", "owner", "colleague")})
        mentions: tuple[tuple[int, int, str], ...] = ()
        for part, person in people.items():
            before, mark, after = text.partition("@{" + part + "}")
            if mark and person:
                named = f"@{self.names[person]}"
                mentions, text = ((len(before), len(before) + len(named), person),), before + named + after
        return DemoComment(at, author, text, mentions)
