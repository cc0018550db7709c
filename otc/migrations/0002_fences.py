"""Fences of the ground's tables; the named doorways are the conditions beside the organization's own rows."""

from django.db import migrations

from otc.tenancy.operations import OWN_ROWS, SETTING, Fence

USER = SETTING.format("user_id")
ORGANIZATION = SETTING.format("organization")
FOR_JOBS = "(SELECT current_setting('otc.doorway', true)) = 'jobs'"

MEMBERSHIP_DOORWAY = f"{OWN_ROWS} OR user_id = {USER}"
TOKEN_DOORWAY = f"{OWN_ROWS} OR token_hash = (SELECT current_setting('otc.token', true))"
JOB_DOORWAY = f"{OWN_ROWS} OR {FOR_JOBS}"
SLUG_DOORWAY = (
    f"id = {ORGANIZATION} OR {FOR_JOBS} OR EXISTS (SELECT 1 FROM otc_person "
    f"WHERE otc_person.organization_id = otc_organization.id AND otc_person.user_id = {USER})"
)

MONEY_FUNCTIONS = """
CREATE FUNCTION otc_decimals(currency text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN currency IN ('BIF','CLP','DJF','GNF','ISK','JPY','KMF','KRW','PYG','RWF','UGX','UYI','VND','VUV','XAF','XOF','XPF') THEN 0
    WHEN currency IN ('BHD','IQD','JOD','KWD','LYD','OMR','TND') THEN 3
    WHEN currency IN ('CLF','UYW') THEN 4
    ELSE 2 END
$$;
-- Half-even to the target's minor unit: numeric's own round() goes away from zero.
CREATE FUNCTION otc_convert(amount bigint, source text, target text, rate numeric) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN exact - floor(exact) > 0.5 OR (exact - floor(exact) = 0.5 AND mod(floor(exact), 2) <> 0)
    THEN floor(exact) + 1 ELSE floor(exact) END::bigint
  FROM (SELECT amount::numeric * rate * power(10::numeric, otc_decimals(target) - otc_decimals(source)) AS exact) AS e
$$;
"""

# The nil uuid is what a connection without a context has as its organization, so nothing may bear it.
NOBODY_IS_NOT_AN_ORGANIZATION = """
ALTER TABLE otc_organization ADD CONSTRAINT organization_not_nobody
  CHECK (id <> '00000000-0000-0000-0000-000000000000'::uuid)
"""


class Migration(migrations.Migration):
    dependencies = [("otc", "0001_initial")]

    operations = [
        Fence("Person", MEMBERSHIP_DOORWAY, OWN_ROWS),
        Fence(
            "Organization",
            SLUG_DOORWAY,
            f"id = {ORGANIZATION}",
            "SELECT, INSERT, UPDATE",
        ),
        migrations.RunSQL([(NOBODY_IS_NOT_AN_ORGANIZATION, None)], migrations.RunSQL.noop),
        Fence("ReportingLine"),
        Fence("ApiToken", TOKEN_DOORWAY, OWN_ROWS),
        Fence("Rate"),
        Fence("Job", JOB_DOORWAY, OWN_ROWS),
        Fence("ImportRun"),
        Fence("ImportRow"),
        Fence("ImportedSource"),
        migrations.RunSQL([(MONEY_FUNCTIONS, None)], migrations.RunSQL.noop),
    ]
