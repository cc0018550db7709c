"""What somebody is told, and how they want to be told."""

from django.db import models

from otc.notices.kinds import WORK
from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Notice(TenantModel):
    """One sentence for one person with the page that shows more; `path` is below the organization.

    `is_shown` puts it below the bell, `in_digest` into the next digest. `mail_claimed_at` is set before a mail of
    its own leaves, so that none leaves twice.
    """

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20, default=WORK, db_default=WORK)
    text = models.CharField(max_length=300)
    path = models.CharField(max_length=300, blank=True)
    # The deal that it is about, which this package doesn't know.
    deal_id = models.UUIDField(null=True, blank=True)
    is_bad = models.BooleanField(default=False)
    is_shown = models.BooleanField(default=True, db_default=True)
    in_digest = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    mail_claimed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["organization", "person", "-created_at"], name="notice_by_person"),)


class NoticeChoice(TenantModel):
    """How a person wants to be told of one kind; no row: as usual (kinds.py)."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    in_app = models.BooleanField()
    in_digest = models.BooleanField()
    is_mailed = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "person", "kind"], name="notice_choice_once"),
        )


class MailChoice(TenantModel):
    """Whether a person gets mails at all, the daily digest and those at once apart; no row: both."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    gets_digest = models.BooleanField(default=True)
    gets_mails = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "person"], name="mail_choice_once"),)
