from django.db import migrations

# A subquery that names a column of the row around it keeps a whole statement from being worked on in parallel; a
# function that says it is safe doesn't. It reads as whoever calls it, behind the table's fences.
RATE_ON = """
CREATE FUNCTION otc_rate_on(of_organization uuid, code text, on_day date, known timestamptz) RETURNS numeric
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 AS $$
BEGIN
  RETURN (SELECT r.rate FROM otc_rate r WHERE r.organization_id = of_organization AND r.currency = code
    AND r.known_from <= known AND r.known_to > known AND (r.valid_from <= on_day OR on_day IS NULL)
    ORDER BY r.valid_from DESC LIMIT 1);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("otc", "0020_splits_deals")]
    operations = [migrations.RunSQL(RATE_ON, "DROP FUNCTION otc_rate_on(uuid, text, date, timestamptz)")]
