"""The day's check: walk the chain, keep what was found, and hand a signed line to where it is kept elsewhere."""

import json
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import send_mail

from otc.audit.checkpoints import signed_line
from otc.audit.models import AuditCheckpoint
from otc.audit.report import ChainReport, Verification
from otc.audit.services import audit_append
from otc.jobs.lease import Lease
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization

log = logging.getLogger("otc.audit")


def check_chain(lease: Lease, *, now: datetime) -> None:
    """Verify chunk by chunk; the end of what was verified becomes a checkpoint, once it is whole a signed one."""
    with lease.step():
        verification = Verification({})
    is_more = True
    while is_more:
        with lease.step(done=verification.walk.sequence):
            is_more = verification.take_chunk()
    with lease.step(done=verification.walk.sequence):
        report = verification.report()
        organization = Organization.objects.get(id=current_organization_id())
        line = checkpoint_append(organization, report, now=now)
    if report.is_whole:
        hand_over(organization, line)
    else:
        cry(organization, report)


def checkpoint_append(organization: Organization, report: ChainReport, *, now: datetime) -> dict[str, Any]:
    """Keep what a check has found, and return its signed line; what isn't whole is kept unsigned and recorded."""
    line = signed_line(organization.id, sequence=report.sequence, hash_=report.hash, made_at=now)
    AuditCheckpoint(
        sequence=report.sequence,
        hash=report.hash,
        made_at=now,
        findings=[finding.sentence for finding in report.findings],
        public_key=line["public_key"],
        signature=line["signature"] if report.is_whole else "",
    ).save(force_insert=True)
    if not report.is_whole:
        sentences = [finding.sentence for finding in report.findings]
        audit_append(
            "audit.found_broken",
            subject_kind="audit",
            summary=f"The audit is not whole: {sentences[0]}",
            detail={"findings": sentences},
        )
    return line


def hand_over(organization: Organization, line: dict[str, Any]) -> None:
    """Append the line to the organization's file in OTC_AUDIT_FOLDER, and mail it to OTC_AUDIT_MAIL."""
    text = json.dumps(line, ensure_ascii=False)
    if settings.AUDIT_FOLDER:
        folder = Path(settings.AUDIT_FOLDER)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / f"{line['organization_id']}.jsonl").open("a", encoding="utf-8") as kept:
            kept.write(f"{text}\n")
    if settings.AUDIT_MAIL:
        subject = f"Audit checkpoint {organization.slug} #{line['sequence']}"
        send_mail(subject, f"{text}\n", None, settings.AUDIT_MAIL)


def cry(organization: Organization, report: ChainReport) -> None:
    """Say it wherever somebody may hear it."""
    sentences = [finding.sentence for finding in report.findings]
    log.error("the audit of %s is not whole: %s", organization.slug, "; ".join(sentences))
    if settings.AUDIT_MAIL:
        subject = f"The audit of {organization.slug} is NOT whole"
        send_mail(subject, "\n".join(sentences), None, settings.AUDIT_MAIL)
