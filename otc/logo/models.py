"""An organization's logo, as it is shown to its buyers: kept with everything else that is the organization's."""

from django.db import models
from django.db.models import Q

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person


class Logo(TenantModel):
    """A picture as the house drew it again, never the file that came; `content_type` is PNG or JPEG.

    The one without `retired_at` is shown. A few earlier ones are kept to be taken again.
    """

    image = models.BinaryField()
    content_type = models.CharField(max_length=20)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    set_by = TenantForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    set_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization"], condition=Q(retired_at__isnull=True), name="logo_once"
            ),
            models.CheckConstraint(
                condition=Q(content_type__in=["image/png", "image/jpeg"]), name="logo_content_type"
            ),
        )
