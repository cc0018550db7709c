"""A mark that was taken off a milestone stays on record; one that Undo put back says so."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence, foreign_key_sql

RESTORED_BY = foreign_key_sql("pipeline_opportunitymilestone", "otc_person", "restored_by_id", "SET_NULL")


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0018_notice_kinds"),
        ("pipeline", "0033_mark_evidence"),
    ]

    operations = [
        migrations.AddField(
            model_name="opportunitymilestone",
            name="restored_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="opportunitymilestone",
            name="restored_by",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.CreateModel(
            name="EndedMark",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("met_at", models.DateTimeField(blank=True, null=True)),
                ("waived_at", models.DateTimeField(blank=True, null=True)),
                ("ticked_by", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("note", models.CharField(blank=True, max_length=2000)),
                ("url", models.CharField(blank=True, db_default="", default="", max_length=2000)),
                ("noted_at", models.DateTimeField(blank=True, null=True)),
                ("restored_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField()),
                (
                    "ended_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "marked_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "milestone",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pipeline.milestone",
                    ),
                ),
                (
                    "noted_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "opportunity",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipeline.opportunity",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
                (
                    "restored_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization", "opportunity", "-ended_at"], name="ended_mark_by_deal"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("met_at__isnull", True), ("waived_at__isnull", False)),
                            models.Q(("met_at__isnull", False), ("waived_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="ended_mark_met_or_waived",
                    )
                ],
            },
        ),
        migrations.RunSQL([(RESTORED_BY, None)], migrations.RunSQL.noop),
        Fence("EndedMark"),
    ]
