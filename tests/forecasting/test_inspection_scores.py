"""At risk and upside at the compared instant: what they were then is what the inspection said then."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from forecasting.inspection.report import Asked, inspection_report
from otc.question import ask
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.models import CloseReason
from pipeline.risk.models import Risk, RiskTurn
from pipeline.risk.rules import Risk as Chances
from pipeline.risk.services import ScoredRisk, risks_write
from tests.days import day_in_house


def summary(house, *, since=None, person="eve"):
    question = ask(
        Tenant(house.organization, getattr(house, person), datetime.now(UTC)),
        {"period": str(day_in_house().year)},
    )
    return inspection_report(question, since=since or datetime.now(UTC), asked=Asked()).summary


def score(deal, *, slips, wins):
    """As the refresh after an edit leaves it; a closed deal has no chances."""
    deal.refresh_from_db()
    if deal.outcome is not None:
        Risk.objects.filter(opportunity=deal).delete()
        return
    chances = Chances(p_won=wins, p_lost=0, p_slip=slips, reasons=())
    risks_write({str(deal.id): ScoredRisk(chances, deal.close_date, "[]")}, now=datetime.now(UTC))


@pytest.mark.parametrize("seed", range(3))
def test_what_they_were_is_what_was_said_then(inside, make_deal, seed):
    draw = random.Random(seed)
    today = day_in_house()
    owners = [inside.ana, inside.jon, inside.max]
    deals = [make_deal(f"Deal {n}", owner=draw.choice(owners), amount_minor=1000 + n) for n in range(6)]
    said = []
    for _ in range(12):
        deal = draw.choice(deals)
        deal.refresh_from_db()
        if deal.outcome is None:
            if draw.random() < 0.15:
                reason = CloseReason.objects.first()
                opportunity_close(
                    deal.id, outcome="lost", reason_id=reason.id, now=datetime.now(UTC), today=today
                )
            else:
                days = draw.choice([-5, 1, 3, 500])
                changes = {
                    "amount_minor": draw.randrange(1, 9) * 500,
                    "close_date": today + timedelta(days=days),
                    "category": draw.choice(["commit", "best_case", "best_case", "pipeline", "omitted"]),
                    "owner_id": draw.choice(owners).id,
                }
                opportunity_edit(deal.id, changes=changes)
        score(deal, slips=draw.choice([0, 0.3, 0.51, 0.9]), wins=draw.choice([0, 0.5, 0.7]))
        for person in ("eve", "max", "ana"):
            now = summary(inside, person=person)
            said.append((person, datetime.now(UTC), now.risk, now.upside))
    assert any(risk.minor for *_, risk, _ in said) and any(upside.minor for *_, upside in said)
    kept_from = RiskTurn.objects.order_by("at").first().at
    for person, instant, risk, upside in said:
        then = summary(inside, since=instant, person=person)
        if instant < kept_from:
            assert (then.risk_before, then.upside_before) == (None, None)
        else:
            assert (then.risk_before, then.upside_before) == (risk, upside), (person, instant)


def test_before_chances_were_kept_nothing_is_said_and_a_past_day_says_so(inside, make_deal, signed_in):
    before = datetime.now(UTC)
    deal = make_deal("Kestrel", owner=inside.ana, amount_minor=5000, close_date=day_in_house())
    score(deal, slips=0.8, wins=0.1)
    early, late = summary(inside, since=before), summary(inside)
    assert early.risk.minor == 5000 and early.risk_before is None
    assert late.risk_before == late.risk and late.upside_before.minor == 0
    Risk.objects.update(p_slip=0.1, computed_at=datetime.now(UTC))
    assert summary(inside, since=before).risk.minor == 0
