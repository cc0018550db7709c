"""The one migration operation that fences a tenant table: row-level security, keys, grants."""

from typing import Any

from django.db.migrations.operations.base import Operation

from otc.tenancy.fields import TenantForeignKey

SETTING = "(SELECT current_setting('otc.{}', true)::uuid)"
OWN_ROWS = "organization_id = " + SETTING.format("organization")
DELETE_RULES = {"CASCADE": "CASCADE", "PROTECT": "NO ACTION", "RESTRICT": "NO ACTION"}


def foreign_key_sql(table: str, target: str, column: str, on_delete: str) -> str:
    """A composite key from (organization_id, column) to the target's (organization_id, id)."""
    rule = f"SET NULL ({column})" if on_delete == "SET_NULL" else DELETE_RULES[on_delete]
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_tenant_fk" '
        f'FOREIGN KEY (organization_id, "{column}") REFERENCES "{target}" (organization_id, id) '
        f"ON DELETE {rule} DEFERRABLE INITIALLY IMMEDIATE"
    )


class Fence(Operation):
    """Fence the table of `model_name`: forced row-level security and keys that start with the organization.

    `using` says which rows may be read; anything but the default is a named doorway. `check` says which rows may
    be written: a doorway never writes. `grants` are the application role's rights on the table.
    """

    reduces_to_sql = True
    reversible = False

    def __init__(
        self,
        model_name: str,
        using: str = OWN_ROWS,
        check: str = OWN_ROWS,
        grants: str = "SELECT, INSERT, UPDATE, DELETE",
    ) -> None:
        self.model_name, self.using, self.check, self.grants = model_name, using, check, grants

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.model_name, self.using, self.check, self.grants], {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def describe(self) -> str:
        return f"Fence {self.model_name} by organization"

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        for statement in [*self.key_statements(model, table), *self.policy_statements(table)]:
            schema_editor.execute(statement, params=None)

    def key_statements(self, model: Any, table: str) -> list[str]:
        if not any(field.name == "organization" for field in model._meta.fields):
            return []
        statements = [
            f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey"',
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_pkey" PRIMARY KEY (organization_id, id)',
        ]
        for field in model._meta.local_fields:
            if isinstance(field, TenantForeignKey):
                rule = getattr(field.remote_field.on_delete, "__name__", "PROTECT")
                target = field.related_model._meta.db_table
                statements.append(foreign_key_sql(table, target, field.column, rule))
        return statements

    def policy_statements(self, table: str) -> list[str]:
        policies = self._own_rows() if self.using == self.check else self._own_rows_and_doorway()
        return [
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
            f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
            *(f'CREATE POLICY {name} ON "{table}" AS {terms}' for name, terms in policies.items()),
            f'REVOKE ALL ON "{table}" FROM otc_app',
            f'GRANT {self.grants} ON "{table}" TO otc_app',
        ]

    def _own_rows(self) -> dict[str, str]:
        both = f"USING ({self.check}) WITH CHECK ({self.check})"
        return {
            "tenant_only": f"RESTRICTIVE FOR ALL TO PUBLIC {both}",
            "tenant": f"PERMISSIVE FOR ALL TO PUBLIC {both}",
        }

    def _own_rows_and_doorway(self) -> dict[str, str]:
        """One policy per command: a single one FOR ALL would let the doorway's rows be taken over or deleted."""
        own, read = self.check, self.using
        return {
            "tenant_only": f"RESTRICTIVE FOR SELECT TO PUBLIC USING ({read})",
            "tenant_only_insert": f"RESTRICTIVE FOR INSERT TO PUBLIC WITH CHECK ({own})",
            "tenant_only_update": f"RESTRICTIVE FOR UPDATE TO PUBLIC USING ({own}) WITH CHECK ({own})",
            "tenant_only_delete": f"RESTRICTIVE FOR DELETE TO PUBLIC USING ({own})",
            "tenant": f"PERMISSIVE FOR ALL TO PUBLIC USING ({own}) WITH CHECK ({own})",
            "doorway": f"PERMISSIVE FOR SELECT TO PUBLIC USING ({read})",
        }

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        raise RuntimeError("a fence is not taken down")
