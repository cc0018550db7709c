"""The application of the survival test's workers, `celery -A tests.otc.survival_worker`: it knows the counting jobs."""

import django

django.setup()

from otc.celery import app  # noqa: E402  models need a set-up Django
from tests.otc.survival import register_kinds  # noqa: E402  as above

__all__ = ["app"]

register_kinds()
