"""What somebody is to be told when long work has ended."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Notice(TenantModel):
    """One sentence for one person with the page that shows the result; `path` is below the organization."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    text = models.CharField(max_length=300)
    path = models.CharField(max_length=300, blank=True)
    is_bad = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["organization", "person", "-created_at"], name="notice_by_person"),)
