"""Deals by when they were created: cohorts, and what a period has created so far."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0035_closed_by_owner"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(fields=["organization", "created_at", "id"], name="opportunity_by_creation"),
        ),
    ]
