import django.db.models.deletion
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import foreign_key_sql


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0010_adjustments"),
        ("otc", "0020_splits_deals"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="call",
            name="call_once",
        ),
        migrations.RemoveConstraint(
            model_name="lock",
            name="lock_once",
        ),
        migrations.RemoveConstraint(
            model_name="lockedrow",
            name="locked_row_once",
        ),
        migrations.AddField(
            model_name="call",
            name="type",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="forecasting.forecasttype",
            ),
        ),
        migrations.AddField(
            model_name="lock",
            name="type",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="forecasting.forecasttype",
            ),
        ),
        migrations.AddField(
            model_name="lockedrow",
            name="type",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="forecasting.forecasttype",
            ),
        ),
        migrations.AddConstraint(
            model_name="call",
            constraint=models.UniqueConstraint(
                fields=("organization", "period", "person", "type", "column", "submitted_at"),
                name="call_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="lock",
            constraint=models.UniqueConstraint(
                fields=("organization", "period", "type", "locked_at"), name="lock_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="lockedrow",
            constraint=models.UniqueConstraint(
                fields=("organization", "lock", "type", "place"), name="locked_row_once", nulls_distinct=False
            ),
        ),
        *(
            migrations.RunSQL(
                [(foreign_key_sql(table, "forecasting_forecasttype", "type_id", "PROTECT"), None)],
                migrations.RunSQL.noop,
            )
            for table in ("forecasting_call", "forecasting_lock", "forecasting_lockedrow")
        ),
    ]
