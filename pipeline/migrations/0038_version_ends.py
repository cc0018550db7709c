"""What stands of deals, and what ended: the rows that a comparison of two instants reads."""

import datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0019_logo"),
        ("pipeline", "0037_health_kept"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                condition=models.Q(
                    ("known_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
                    ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
                ),
                fields=["organization", "close_date"],
                name="version_now_by_close",
            ),
        ),
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                condition=models.Q(
                    ("known_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
                    ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
                ),
                fields=["organization", "owner", "close_date"],
                name="version_now_by_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                condition=models.Q(
                    ("valid_to__lt", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                ),
                fields=["organization", "valid_to", "close_date"],
                name="version_by_end",
            ),
        ),
        migrations.AddIndex(
            model_name="opportunityversion",
            index=models.Index(
                condition=models.Q(
                    ("known_to__lt", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                ),
                fields=["organization", "known_to"],
                name="version_by_correction",
            ),
        ),
    ]
