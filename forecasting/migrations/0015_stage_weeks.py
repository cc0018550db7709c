"""What became of each week's open deals by stage, kept for the landing."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0014_judgements"),
        ("otc", "0020_splits_deals"),
        ("pipeline", "0045_part_quickly"),
    ]

    operations = [
        migrations.CreateModel(
            name="StageWeek",
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
                ("first", models.DateField()),
                ("end", models.DateField()),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("open_count", models.BigIntegerField(default=0)),
                ("open_minor", models.BigIntegerField(default=0)),
                ("won_count", models.BigIntegerField(default=0)),
                ("won_minor", models.BigIntegerField(default=0)),
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
                    "stage",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipeline.stage",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization", "until"], name="stage_week_by_end")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "first", "end", "at", "stage"),
                        name="stage_week_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        Fence("StageWeek"),
    ]
