"""When are calls due, periods locked and the forecast mailed?"""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantModel


class Rhythm(TenantModel):
    """An organization's own choice, one row at most; without one the defaults of rules.py hold. Hours and weekdays
    (0 is Monday) are in its zone.
    """

    call_kind = models.CharField(max_length=8)
    call_weekday = models.PositiveSmallIntegerField()
    call_hour = models.PositiveSmallIntegerField()
    reminds = models.BooleanField()
    lock_grace_days = models.PositiveSmallIntegerField()
    locks_weeks = models.BooleanField()
    mails = models.BooleanField()
    mail_weekday = models.PositiveSmallIntegerField()
    mail_hour = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization"], name="rhythm_once"),
            models.CheckConstraint(condition=Q(call_kind__in=["month", "quarter"]), name="rhythm_call_kind"),
            models.CheckConstraint(
                condition=Q(call_weekday__lte=6)
                & Q(mail_weekday__lte=6)
                & Q(call_hour__lte=23)
                & Q(mail_hour__lte=23)
                & Q(lock_grace_days__lte=60),
                name="rhythm_on_the_clock",
            ),
        )
