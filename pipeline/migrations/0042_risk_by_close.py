"""Scores by close date: those of a period are read at once."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0020_splits_deals"),
        ("pipeline", "0041_splits_known"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="risk",
            index=models.Index(
                fields=["organization", "close_date", "opportunity"],
                include=("p_slip", "p_won"),
                name="risk_by_close",
            ),
        ),
    ]
