"""Both ends of a version in the indexes by close date and owner: what did not stand then is passed over unread."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0019_logo"),
        ("pipeline", "0038_version_ends"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="opportunityversion",
            name="version_by_close_date",
        ),
        migrations.RemoveIndex(
            model_name="opportunityversion",
            name="version_by_owner",
        ),
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                fields=["organization", "close_date", "valid_from", "valid_to"], name="version_close_span"
            ),
        ),
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                fields=["organization", "owner", "valid_from", "valid_to"], name="version_owner_span"
            ),
        ),
    ]
