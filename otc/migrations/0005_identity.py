"""What an organization asks of sign-ins; invitations, whose doorway is the hash of their link."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence

INVITATION_DOORWAY = f"{OWN_ROWS} OR token_hash = (SELECT current_setting('otc.token', true))"


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0004_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
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
                ("email", models.CharField(max_length=254)),
                ("token_hash", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="organization",
            name="second_factor",
            field=models.CharField(
                choices=[
                    ("optional", "Up to each person"),
                    ("any", "Required: an authenticator app or a passkey"),
                    ("passkey", "Required: a passkey"),
                ],
                default="optional",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="session_idle_minutes",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="organization",
            name="session_length_hours",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="organization",
            constraint=models.CheckConstraint(
                condition=models.Q(("session_idle_minutes__gte", 5), ("session_length_hours__gte", 1)),
                name="organization_session_limits",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
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
            model_name="invitation",
            name="person",
            field=otc.tenancy.fields.TenantForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="otc.person"
            ),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["token_hash"], name="invitation_by_hash"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                fields=("organization", "token_hash"), name="invitation_hash_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("accepted_at__isnull", True), ("revoked_at__isnull", True)),
                fields=("organization", "person"),
                name="invitation_open_once",
            ),
        ),
        Fence("Invitation", INVITATION_DOORWAY, OWN_ROWS),
    ]
