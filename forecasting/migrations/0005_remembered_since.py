"""What each person chose last to compare with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0004_weekly_sums"),
    ]

    operations = [
        migrations.AddField(
            model_name="lastvisit",
            name="since",
            field=models.CharField(blank=True, default="", max_length=10),
        ),
    ]
