"""What everybody's sums come to stands in the sample itself: who sees everything reads one row of a week."""

from django.db import migrations, models

COLUMNS = (
    "pipeline_minor",
    "best_case_minor",
    "most_likely_minor",
    "commit_minor",
    "no_category_minor",
    "open_count",
    "won_minor",
    "won_count",
    "created_minor",
    "created_count",
    "unconvertible_count",
)
# Organization by organization: the fence binds the owner too.
TOTALLED = f"""
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    UPDATE forecasting_weeklysample s SET {", ".join(f"{column} = w.{column}" for column in COLUMNS)}
    FROM (SELECT first, "end", at, {", ".join(f"sum({column}) AS {column}" for column in COLUMNS)}
      FROM forecasting_weeklysum WHERE organization_id = org GROUP BY first, "end", at) AS w
    WHERE s.organization_id = org AND s.first = w.first AND s."end" = w."end" AND s.at = w.at;
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0016_quotas_known")]

    operations = [
        *(
            migrations.AddField(
                "weeklysample", column, models.BigIntegerField(default=0), preserve_default=False
            )
            for column in COLUMNS
        ),
        migrations.RunSQL(TOTALLED, migrations.RunSQL.noop),
    ]
