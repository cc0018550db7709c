"""Delegates of absent managers, and visibility by deal team and splits."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0005_identity"),
    ]

    operations = [
        migrations.AlterField(
            model_name="organization",
            name="visibility",
            field=models.CharField(
                choices=[
                    ("line", "By reporting line"),
                    ("team", "By reporting line, deal team and splits"),
                    ("open", "Everyone sees every deal"),
                ],
                default="team",
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="Delegation",
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
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "delegate",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
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
                    "manager",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "named_by",
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
                "indexes": [
                    models.Index(
                        fields=["organization", "delegate", "last_on"], name="delegation_by_delegate"
                    ),
                    models.Index(fields=["organization", "manager", "last_on"], name="delegation_by_manager"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("first_on__lte", models.F("last_on"))), name="delegation_interval"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("manager", models.F("delegate")), _negated=True),
                        name="delegation_not_to_self",
                    ),
                ],
            },
        ),
        Fence("Delegation"),
    ]
