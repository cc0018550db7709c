"""Where Django finds the ground's tables."""

from otc.audit.models import AuditChain, AuditCheckpoint, AuditEntry, AuditRefusal
from otc.calendar.models import FiscalCalendar
from otc.delegation.models import Delegation
from otc.fields.models import CustomField
from otc.identity.models import ApiToken, Invitation, User
from otc.imports.models import ImportedSource, ImportRow, ImportRun, SavedMapping
from otc.jobs.models import Job
from otc.logo.models import Logo
from otc.money.models import Rate
from otc.notices.models import MailChoice, Notice, NoticeChoice
from otc.tenancy.models import Organization, Person, ReportingLine
from otc.undo.models import UndoStep

__all__ = [
    "ApiToken",
    "AuditChain",
    "AuditCheckpoint",
    "AuditEntry",
    "AuditRefusal",
    "CustomField",
    "Delegation",
    "FiscalCalendar",
    "ImportRow",
    "ImportRun",
    "ImportedSource",
    "Invitation",
    "Job",
    "Logo",
    "MailChoice",
    "Notice",
    "NoticeChoice",
    "Organization",
    "Person",
    "Rate",
    "ReportingLine",
    "SavedMapping",
    "UndoStep",
    "User",
]
