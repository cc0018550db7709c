"""Uploads and their progress; mappings that are kept."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence, foreign_key_sql

RUN_PERSON = foreign_key_sql("otc_importrun", "otc_person", "person_id", "SET_NULL")


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0006_delegation"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedMapping",
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
                ("kind", models.CharField(max_length=16)),
                ("signature", models.CharField(db_collation="C", max_length=64)),
                ("system", models.CharField(blank=True, max_length=40)),
                ("mapping", models.JSONField(default=dict)),
                ("creates_missing", models.BooleanField(default=False)),
                ("used_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="importrun",
            name="creates_missing",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="importrun",
            name="differences",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="importrun",
            name="encoding",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="importrun",
            name="error",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="importrun",
            name="is_cancel_asked",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="importrun",
            name="left_out_count",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importrun",
            name="mapping",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="importrun",
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
            model_name="importrun",
            name="phase",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name="importrun",
            name="progress_count",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importrun",
            name="row_estimate",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importrun",
            name="signature",
            field=models.CharField(blank=True, db_collation="C", max_length=64),
        ),
        migrations.AddField(
            model_name="importrun",
            name="size_bytes",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importrun",
            name="state",
            field=models.CharField(
                choices=[
                    ("uploaded", "Waiting for its mapping"),
                    ("checking", "Being checked"),
                    ("checked", "Checked, not applied"),
                    ("applying", "Being applied"),
                    ("applied", "Applied"),
                    ("failed", "Not usable"),
                    ("cancelled", "Cancelled"),
                ],
                default="applied",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="importrun",
            name="stored_as",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AddField(
            model_name="importrun",
            name="system",
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AlterField(
            model_name="importrun",
            name="kind",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(fields=["organization", "-started_at"], name="import_run_by_time"),
        ),
        migrations.AddField(
            model_name="savedmapping",
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
            model_name="savedmapping",
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
        migrations.AddConstraint(
            model_name="savedmapping",
            constraint=models.UniqueConstraint(
                fields=("organization", "signature"), name="saved_mapping_once"
            ),
        ),
        migrations.RunSQL([(RUN_PERSON, None)], migrations.RunSQL.noop),
        Fence("SavedMapping"),
    ]
