from django.db import migrations

# A function in its own language is planned once a session; as a subquery the policies of the organization's table
# were planned anew in every statement that converts money, twice for each amount.
OWN_CURRENCY = """
CREATE FUNCTION otc_own_currency() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  RETURN (SELECT currency FROM otc_organization WHERE id = (SELECT current_setting('otc.organization')::uuid));
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("otc", "0015_calendar_stamp")]
    operations = [migrations.RunSQL(OWN_CURRENCY, "DROP FUNCTION otc_own_currency()")]
