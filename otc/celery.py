"""The Celery application: a doorbell for the job table, which alone remembers what is to be done."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import before_task_publish, heartbeat_sent
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "otc.settings")

app = Celery("otc")
app.config_from_object("django.conf:settings", namespace="CELERY")
# A worker without --queues serves all; with one for each, short jobs never wait for long ones. The clock's calls
# wait in neither: behind more jobs than five seconds' worth, every sweep would expire unheard.
CLOCK = "clock"
app.conf.task_queues = tuple(Queue(name, routing_key=name) for name in ("celery", "long", CLOCK))
app.conf.task_default_queue = "celery"
# A call nobody has heard expires before the next: a worker that comes back finds one sweep, not a thousand.
app.conf.beat_schedule = {
    "sweep": {"task": "otc.jobs.sweep", "schedule": 5.0, "options": {"expires": 5, "queue": CLOCK}},
    "daily": {
        "task": "otc.jobs.ask_for_daily_work",
        "schedule": 300.0,
        "options": {"expires": 300, "queue": CLOCK},
    },
}
app.autodiscover_tasks(["otc.jobs"])


@heartbeat_sent.connect
@before_task_publish.connect
def show_sign_of_life(**_: Any) -> None:
    """Touch OTC_ALIVE_FILE: a worker at each heartbeat, a scheduler at each call; a health check looks at its age."""
    if path := os.environ.get("OTC_ALIVE_FILE"):
        Path(path).touch()
