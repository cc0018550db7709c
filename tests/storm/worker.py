"""The application of the storm's workers and schedulers: `celery -A tests.storm.worker`."""

import django

django.setup()

from otc.celery import app  # noqa: E402  models need a set-up Django
from tests.storm import counting  # noqa: E402  as above

__all__ = ["app", "counting"]
