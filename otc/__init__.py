"""The ground everyone stands on: tenancy, identity, money, jobs, imports, API plumbing, page shell."""

from otc.celery import app as celery_app

__all__ = ["celery_app"]
