"""What every tenant table is made of: a base model, a fail-closed manager, a key that carries the organization."""

from typing import Any

from django.db import models
from django.db.models.functions import UUID7

from otc.tenancy.context import current_organization_id


class TenantForeignKey(models.ForeignKey):
    """A reference inside one organization. The database's key is (organization_id, x_id), made by `Fence`."""

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        kwargs.setdefault("db_index", False)
        super().__init__(to, on_delete, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs


class TenantQuerySet(models.QuerySet):
    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        rows = list(objs)
        for row in rows:
            row.claim_organization()
        return super().bulk_create(rows, *args, **kwargs)


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]  # mypy can't follow from_queryset
    """Rows of the organization in context; without one it raises NoOrganization."""

    use_in_migrations = False

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(organization_id=current_organization_id())


class TenantModel(models.Model):
    """A row that belongs to exactly one organization (the one in context when it is first saved)."""

    id = models.UUIDField(primary_key=True, db_default=UUID7(), editable=False)
    organization = models.ForeignKey(
        "otc.Organization", models.CASCADE, related_name="+", db_index=False, editable=False
    )

    objects: Any = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def claim_organization(self) -> None:
        if self.organization_id is None:
            self.organization_id = current_organization_id()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.claim_organization()
        super().save(*args, **kwargs)
