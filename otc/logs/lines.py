"""What stands in a log line: JSON, one object a line, with the request, organization, person and job it belongs to."""

import logging
from typing import Any

from otc.logs.context import current_job_id, current_request_id
from otc.tenancy.context import context_or_none


class Surroundings(logging.Filter):
    """Adds request_id, job_id, organization_id and person_id to every record, empty where there is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        tenant = context_or_none()
        found = {
            "request_id": current_request_id(),
            "job_id": current_job_id(),
            "organization_id": str(tenant.organization_id) if tenant else "",
            "person_id": str(tenant.person_id or "") if tenant else "",
        }
        for name, value in found.items():
            # Who logs with `extra` knows better than the context.
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


JSON_FIELDS = "levelname name message request_id job_id organization_id person_id"


def logging_settings(*, style: str, level: str) -> dict[str, Any]:
    """Django's and gunicorn's LOGGING: `style` is json (machines read it) or line (people do)."""
    formatters: dict[str, Any] = {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": ",".join(JSON_FIELDS.split()),
            "style": ",",
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "at",
        },
    }
    if style not in formatters:
        raise ValueError(f"OTC_LOG_STYLE is json or line, not {style!r}")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"surroundings": {"()": Surroundings}},
        "formatters": formatters,
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": style, "filters": ["surroundings"]}
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
            # A page that is not found or refused is the visitor's business; only faults of ours are logged.
            "django.request": {"level": "ERROR"},
            "celery": {"level": "WARNING"},
        },
    }
