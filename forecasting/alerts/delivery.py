"""The only writer of deliveries: a post is asked for, claimed, made outside of every transaction, and booked."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from forecasting.alerts.models import AlertDelivery, AlertHook
from forecasting.alerts.posting import Answer, Post, signature
from forecasting.alerts.rules import next_wait
from otc.jobs.services import enqueue
from otc.sealing import unseal

DELIVERY_JOB = "alert_delivery"
PURPOSE = "otc alert hooks"
KEPT = timedelta(days=90)


def delivery_ask(
    hook: AlertHook, *, content: dict[str, Any], fired_id: UUID | None, now: datetime
) -> AlertDelivery:
    """Have `content` posted to the hook once the transaction commits."""
    delivery = AlertDelivery(hook_id=hook.id, fired_id=fired_id, content=content, created_at=now, next_at=now)
    delivery.save(force_insert=True)
    enqueue(DELIVERY_JOB, subject=delivery.id)
    return delivery


def delivery_claim(delivery_id: UUID | None, *, now: datetime) -> Post | None:
    """The post that is to be made; None where it was made, given up, or its hook is gone."""
    found = AlertDelivery.objects.select_for_update(of=("self",)).select_related("hook")
    delivery: AlertDelivery | None = found.filter(id=delivery_id, state="waiting").first()
    if delivery is None:
        return None
    if delivery.hook.deleted_at is not None:
        AlertDelivery.objects.filter(id=delivery.id).update(
            state="failed", next_at=None, answer="The webhook was removed"
        )
        return None
    body = json.dumps(delivery.content, ensure_ascii=False).encode()
    secret = unseal(delivery.hook.sealed_secret, purpose=PURPOSE)
    return Post(
        url=delivery.hook.url,
        body=body,
        headers={
            "Content-Type": "application/json",
            "User-Agent": "OTC-alerts/1",
            **signature(body, secret=secret, message_id=str(delivery.id), at=now),
        },
    )


def delivery_book(delivery_id: UUID | None, answer: Answer, *, now: datetime) -> None:
    """Note what came of an attempt, and ask for the next one where it failed and there are any left."""
    delivery: AlertDelivery | None = AlertDelivery.objects.select_for_update().filter(id=delivery_id).first()
    if delivery is None or delivery.state != "waiting":
        return
    delivery.attempts += 1
    delivery.status, delivery.answer, delivery.tried_at = answer.status, answer.text[:500], now
    wait = None if answer.is_final else next_wait(delivery.attempts)
    if answer.is_taken:
        delivery.state, delivery.next_at = "sent", None
    elif wait is None:
        delivery.state, delivery.next_at = "failed", None
    else:
        delivery.next_at = now + wait
        enqueue(DELIVERY_JOB, subject=delivery.id, due_at=delivery.next_at)
    delivery.save(update_fields=["attempts", "status", "answer", "tried_at", "state", "next_at"])


def deliveries_forget(*, now: datetime) -> None:
    """Delete deliveries older than KEPT."""
    AlertDelivery.objects.filter(created_at__lt=now - KEPT).delete()
