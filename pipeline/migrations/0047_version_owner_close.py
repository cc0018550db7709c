"""The close date in the index by owner: of a branch's versions only those of the period asked for are looked at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0046_risk_turns"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                fields=["organization", "owner", "close_date", "valid_from", "valid_to"],
                name="version_owner_close_span",
            ),
        ),
        migrations.RemoveIndex(
            model_name="opportunityversion",
            name="version_owner_span",
        ),
    ]
