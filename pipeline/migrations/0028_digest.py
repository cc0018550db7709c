"""Up to when people were told of deals, and which digests left."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0018_notice_kinds"),
        ("pipeline", "0027_close_plan"),
    ]

    operations = [
        migrations.CreateModel(
            name="DealTold",
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
                ("until", models.DateTimeField()),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "opportunity"), name="deal_told_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Digest",
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
                ("day", models.DateField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
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
                    "person",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "person", "day"), name="digest_once_a_day"
                    )
                ],
            },
        ),
        Fence("DealTold"),
        Fence("Digest"),
    ]
