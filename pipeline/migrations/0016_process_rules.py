"""Processes with rules and their versions, and requests for approval; fenced."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence, foreign_key_sql


MOVED_TO = foreign_key_sql("pipeline_stage", "pipeline_stage", "moved_to_id", "SET_NULL")


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0016_own_currency"),
        ("pipeline", "0015_today"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApprovalRequest",
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
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("changes", models.JSONField(default=dict)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("asked_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("granted", "Granted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("overtaken", "Overtaken"),
                        ],
                        default="asked",
                        max_length=12,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="ProcessVersion",
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
                ("number", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("changes", models.JSONField(default=list)),
                ("made_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="milestone",
            name="milestone_place_once",
        ),
        migrations.RemoveConstraint(
            model_name="stage",
            name="stage_once",
        ),
        migrations.RemoveConstraint(
            model_name="stage",
            name="stage_place_once",
        ),
        migrations.AddField(
            model_name="milestone",
            name="retired_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="process",
            name="gates_winning",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="stage",
            name="aids",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="stage",
            name="approval_above_minor",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="stage",
            name="guidance",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="stage",
            name="may_be_skipped",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="stage",
            name="may_go_back",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="stage",
            name="moved_to",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="pipeline.stage",
            ),
        ),
        migrations.AddField(
            model_name="stage",
            name="required_fields",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="stage",
            name="retired_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="stage",
            name="win_percent",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="milestone",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("organization", "stage", "position"),
                name="milestone_place_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("organization", "process", "name"),
                name="stage_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at__isnull", True)),
                fields=("organization", "process", "position"),
                name="stage_place_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.CheckConstraint(
                condition=models.Q(("win_percent__isnull", True), ("win_percent__lte", 100), _connector="OR"),
                name="stage_win_percent",
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approval_above_minor__isnull", True), ("approval_above_minor__gte", 0), _connector="OR"
                ),
                name="stage_approval_above",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="asked_by",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="asked_of",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="decided_by",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="from_stage",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pipeline.stage",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="opportunity",
            field=otc.tenancy.fields.TenantForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="approval_requests",
                to="pipeline.opportunity",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="otc.organization",
            ),
        ),
        migrations.AddField(
            model_name="approvalrequest",
            name="stage",
            field=otc.tenancy.fields.TenantForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="pipeline.stage",
            ),
        ),
        migrations.AddField(
            model_name="processversion",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="otc.organization",
            ),
        ),
        migrations.AddField(
            model_name="processversion",
            name="person",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.AddField(
            model_name="processversion",
            name="process",
            field=otc.tenancy.fields.TenantForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="pipeline.process",
            ),
        ),
        migrations.AddIndex(
            model_name="approvalrequest",
            index=models.Index(fields=["organization", "state", "-asked_at"], name="approval_by_state"),
        ),
        migrations.AddIndex(
            model_name="approvalrequest",
            index=models.Index(fields=["organization", "opportunity"], name="approval_by_deal"),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "asked")),
                fields=("organization", "opportunity"),
                name="approval_asked_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["asked", "granted", "declined", "withdrawn", "overtaken"])),
                name="approval_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="approvalrequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("state", "asked")),
                    models.Q(models.Q(("state", "asked"), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="approval_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="processversion",
            constraint=models.UniqueConstraint(
                fields=("organization", "process", "number"), name="process_version_once"
            ),
        ),
        # What was once said stays: a version is only ever added.
        Fence("ProcessVersion", grants="SELECT, INSERT"),
        Fence("ApprovalRequest", grants="SELECT, INSERT, UPDATE"),
        migrations.RunSQL([(MOVED_TO, None)], migrations.RunSQL.noop),
    ]
