"""A closing reason may be retired: deals closed for it keep it, none is closed for it any more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0030_health_changes")]

    operations = [
        migrations.AddField(
            model_name="closereason", name="retired_at", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
