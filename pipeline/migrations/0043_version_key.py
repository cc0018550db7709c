"""A deal's versions by what is known first: planned with the few look-ups that they take."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pipeline", "0042_risk_by_close"),
    ]

    operations = [
        migrations.RemoveConstraint("opportunityversion", "version_starts_once"),
        migrations.AddConstraint(
            "opportunityversion",
            models.UniqueConstraint(
                fields=["organization", "opportunity", "known_to", "valid_from"], name="version_starts_once"
            ),
        ),
    ]
