"""Close plans; the doorway of their links is the hash of their token."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence

LINK_DOORWAY = f"{OWN_ROWS} OR token_hash = (SELECT current_setting('otc.token', true))"


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0018_notice_kinds"),
        ("pipeline", "0026_leads"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClosePlanLink",
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
                ("recipient", models.CharField(max_length=200)),
                ("token_hash", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_opened_at", models.DateTimeField(blank=True, null=True)),
                (
                    "made_by",
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
            ],
        ),
        migrations.CreateModel(
            name="ClosePlanEvent",
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
                (
                    "act",
                    models.CharField(
                        choices=[("met", "Met"), ("open", "Open"), ("comment", "Comment")], max_length=8
                    ),
                ),
                ("text", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                (
                    "milestone",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pipeline.milestone",
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
                    "person",
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
                    "undoes",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="pipeline.closeplanevent",
                    ),
                ),
                (
                    "link",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipeline.closeplanlink",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ClosePlan",
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
                ("title", models.CharField(max_length=200)),
                ("person_ids", models.JSONField(default=list)),
                ("milestone_ids", models.JSONField(default=list)),
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
                    models.UniqueConstraint(fields=("organization", "opportunity"), name="close_plan_once")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="closeplanlink",
            index=models.Index(fields=["token_hash"], name="close_plan_by_hash"),
        ),
        migrations.AddIndex(
            model_name="closeplanlink",
            index=models.Index(fields=["organization", "opportunity"], name="close_plan_link_by_deal"),
        ),
        migrations.AddConstraint(
            model_name="closeplanlink",
            constraint=models.UniqueConstraint(
                fields=("organization", "token_hash"), name="close_plan_hash_once"
            ),
        ),
        migrations.AddIndex(
            model_name="closeplanevent",
            index=models.Index(
                fields=["organization", "opportunity", "-at"], name="close_plan_event_by_deal"
            ),
        ),
        migrations.AddConstraint(
            model_name="closeplanevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("act", "comment"), models.Q(("text", ""), _negated=True)),
                    models.Q(("act__in", ["met", "open"]), ("milestone__isnull", False)),
                    _connector="OR",
                ),
                name="close_plan_event_whole",
            ),
        ),
        Fence("ClosePlan"),
        Fence("ClosePlanLink", LINK_DOORWAY, OWN_ROWS),
        Fence("ClosePlanEvent"),
    ]
