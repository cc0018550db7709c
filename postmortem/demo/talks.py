"""What a manager of the simulated company is told by alerts, and noted of last week's one-to-one."""

from datetime import datetime, timedelta
from uuid import UUID

from forecasting.alerts.firing import around, news_of_step, step_fires
from forecasting.alerts.models import AlertFired, AlertRule
from forecasting.alerts.queries import LIVED, steps
from forecasting.alerts.rules import COVERAGE, LEFT_COMMIT, LOST, PUSHED_OUT
from forecasting.onetoone.models import AgreedAction, OneToOne
from otc.demo.company import DemoCompany
from otc.demo.ids import demo_id
from otc.tenancy.lines import people_by_id
from otc.tenancy.models import FOREVER, Person, ReportingLine
from postmortem.demo.sign_ins import shown_person

LARGE_MINOR = 100_000_00
WATCHED_DAYS, MOST_FIRED = 21, 12
RULES = (
    ("Large deal pushed out", PUSHED_OUT, LARGE_MINOR),
    ("Commit given up", LEFT_COMMIT, None),
    ("Large deal lost", LOST, LARGE_MINOR),
)
NOTES = (
    "Two deals wait for legal; we go through them with Olga on Thursday.\n"
    "Wants to present to the buyer’s board herself: I come along, and say nothing."
)
ACTIONS = (("Ask legal for a day by which it answers", 2), ("Send me the board’s agenda", 5))


class TalkWriter:
    """Writes for one company, whose deals are written. `day` is the instant at which today began."""

    def __init__(self, company: DemoCompany, *, day: datetime) -> None:
        self.company, self.day = company, day
        self.rep = shown_person("rep")
        line = ReportingLine.objects.filter(person=self.rep, valid_to=FOREVER).first() if self.rep else None
        self.manager: Person | None = line.manager if line else None

    def write(self) -> None:
        if self.manager is None or self.rep is None:
            return
        self.alerts(self.manager)
        self.talk(self.rep, self.manager)

    def alerts(self, manager: Person) -> None:
        """Rules of the manager's own, with what they would have told since they were made."""
        since = self.day - timedelta(days=WATCHED_DAYS)
        shared = {
            "owner": manager,
            "made_by": manager,
            "created_at": since,
            "since": since,
            "until": self.day,
        }
        self.rule("Thin coverage", COVERAGE, scope=manager, times_hundredths=300, **shared)
        here = around(self.day)
        for name, kind, amount_minor in RULES:
            rule = self.rule(name, kind, amount_minor=amount_minor, scope=manager, **shared)
            found = steps(kinds={kind}, since=since, until=self.day, provenances=LIVED)
            fired = [step for step in found if step_fires(rule, step, chart=here.chart)][-MOST_FIRED:]
            names = people_by_id({step.actor_id for step in fired if step.actor_id})
            for step in fired:
                actor = names[step.actor_id].name if step.actor_id in names else ""
                news = news_of_step(rule, step, actor=actor, today=here.today)
                AlertFired(
                    id=self.id_of("alert", f"{kind}:{news.key}", at=step.at),
                    rule=rule,
                    key=news.key,
                    subject=step.deal_id,
                    opportunity_id=step.deal_id,
                    text=news.text[:300],
                    facts=news.facts,
                    at=step.at,
                    fired_at=step.at + timedelta(seconds=3),
                    told_ids=[str(manager.id)],
                ).save(force_insert=True)

    def rule(self, name: str, kind: str, **more: object) -> AlertRule:
        rule = AlertRule(id=self.id_of("alert_rule", kind, at=self.day), name=name, kind=kind, **more)
        rule.save(force_insert=True)
        return rule

    def talk(self, rep: Person, manager: Person) -> None:
        """Last week's one-to-one, with what was agreed: one thing overdue, one still ahead."""
        at = self.day - timedelta(days=6, hours=-14)
        OneToOne(
            id=self.id_of("talk", str(rep.id), at=at),
            person=rep,
            held_on=at.date(),
            notes=NOTES,
            written_by=manager,
            written_at=at,
        ).save(force_insert=True)
        for owner, (text, days) in zip((manager, rep), ACTIONS, strict=True):
            AgreedAction(
                id=self.id_of("agreed", text, at=at),
                person=rep,
                owner=owner,
                text=text,
                due_on=(at + timedelta(days=days)).date(),
                agreed_by=manager,
                agreed_at=at,
            ).save(force_insert=True)

    def id_of(self, kind: str, key: str, *, at: datetime) -> UUID:
        return demo_id(self.company.seed, kind=f"talks {kind}", key=key, at=at)
