"""Which deals can't be counted in the currency of totals? Told to the ground's page of currencies."""

from typing import Any

from django.db import connection
from django.db.models import Count

from otc.money.missing import MissingRate, tell_currencies, tell_missing_rates
from otc.money.queries import corporate_currency, corporate_minor_sql
from otc.tenancy.context import current_organization_id
from pipeline.opportunities.models import Opportunity


def deals_missing_rates() -> list[MissingRate]:
    """Every deal that isn't deleted, open or closed, whoever owns it: by currency."""
    sql = f"""
        SELECT currency, count(*), sum(amount_minor)::bigint, min(close_date), max(close_date) FROM (
          SELECT o.currency, o.amount_minor, o.close_date, {corporate_minor_sql("o")} AS corporate_minor
          FROM pipeline_opportunity o
          WHERE o.organization_id = %(organization)s AND o.deleted_at IS NULL AND o.amount_minor IS NOT NULL
            AND o.currency <> %(corporate)s
        ) AS foreign_deals WHERE corporate_minor IS NULL GROUP BY currency
    """
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "corporate": corporate_currency(),
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        parameters["known"] = cursor.fetchone()[0]
        cursor.execute(sql, parameters)
        return [MissingRate(*row) for row in cursor.fetchall()]


def amounts_by_currency() -> dict[str, int]:
    rows = Opportunity.objects.filter(deleted_at__isnull=True, amount_minor__isnull=False)
    return dict(rows.values_list("currency").annotate(count=Count("id")).order_by())


tell_missing_rates(deals_missing_rates)
tell_currencies(amounts_by_currency)
