"""Closed deals of an owner by close date, as open ones have it: what was won in a period is found by itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0034_ended_marks")]

    operations = [
        migrations.AddIndex(
            model_name="opportunity",
            index=models.Index(
                condition=models.Q(outcome__isnull=False, deleted_at__isnull=True),
                fields=["organization", "owner", "close_date", "id"],
                name="opportunity_closed_by_owner",
            ),
        ),
    ]
