"""What can be put back, by whom."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class UndoStep(TenantModel):
    """One act of a person with what its kind needs to put it back; kept for UNDO_DAYS."""

    person = TenantForeignKey(Person, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    said = models.CharField(max_length=300)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["organization", "created_at"], name="undo_by_age"),)
