"""The three organizations that the demo shows: who they are, what they sell, where and against whom."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Territory:
    """Where a rep sells. `language` names the stems of its account names; `boss` the manager's position."""

    name: str
    country: str
    currency: str
    language: str
    boss: int
    cities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrganizationPlan:
    """What an organization is before anything happens in it.

    `executives` are (name, title), the first is the top; `managers` (name, area, position of their executive).
    The first names of `reps` go to the territories in their order; `fiscal_month` is 1..12. `slots` territories
    are staffed for `deals` deals, more for more. `products` are (name, family, unit, list price, charge).
    """

    slug: str
    name: str
    currency: str
    zone: str
    fiscal_month: int
    executives: tuple[tuple[str, str], ...]
    administrator: str
    operations: str
    managers: tuple[tuple[str, str, int], ...]
    reps: tuple[str, ...]
    territories: tuple[Territory, ...]
    products: tuple[tuple[str, str, str, int, str], ...]
    competitors: tuple[str, str, str, str]
    deals: int
    slots: int

    @property
    def domain(self) -> str:
        """Mail domain under the reserved .example."""
        return f"{self.slug}.example"


HALDEN = OrganizationPlan(
    slug="halden",
    name="Halden Systems",
    currency="EUR",
    zone="Europe/Oslo",
    fiscal_month=1,
    executives=(("Eve Okafor", "Chief revenue officer"), ("Henrik Dahl", "Vice president, Europe")),
    administrator="Ola Petterson",
    operations="Ria Sandoval",
    managers=(
        ("Max Brandt", "Northern Europe", 1),
        ("Sofia Marchetti", "Central and southern Europe", 1),
        ("Dana Whitlock", "North America", 0),
        ("Mateo Ibarra", "Latin America", 0),
        ("Kenji Mori", "Asia-Pacific", 0),
    ),
    reps=(
        "Ana Ruiz",
        "Jonas Feld",
        "Priya Nair",
        "Tomás Leal",
        "Cole Mercer",
        "Imani Brooks",
        "Lucía Ferrer",
        "Grant Osei",
        "Haruka Sato",
        "Liam Doyle",
        "Joel Petersen",
    ),
    territories=(
        Territory("Nordics", "Norway", "SEK", "north", 0, ("Sunndal", "Drammen", "Luleå", "Aarhus")),
        Territory("UK, Ireland", "United Kingdom", "GBP", "english", 0, ("Crewe", "Derby", "Cork", "Hull")),
        Territory("DACH", "Germany", "EUR", "german", 1, ("Linz", "Kassel", "Chemnitz", "Basel")),
        Territory("Iberia", "Spain", "EUR", "latin", 1, ("Bilbao", "Porto", "Vigo")),
        Territory("East", "United States", "USD", "american", 2, ("Albany", "Scranton", "Raleigh")),
        Territory("Central", "United States", "USD", "american", 2, ("Toledo", "Peoria", "Tulsa")),
        Territory("Southern Cone", "Chile", "USD", "latin", 3, ("Valparaíso", "Rosario", "Concepción")),
        Territory("West", "United States", "USD", "american", 2, ("Boise", "Fresno", "Tacoma")),
        Territory("Japan", "Japan", "JPY", "japanese", 4, ("Chiba", "Okayama", "Sendai")),
        Territory("Australia", "Australia", "USD", "english", 4, ("Geelong", "Perth", "Newcastle")),
        Territory("Benelux", "Netherlands", "EUR", "dutch", 0, ("Breda", "Gent", "Zwolle")),
        Territory("Italy", "Italy", "EUR", "latin", 1, ("Brescia", "Parma", "Ancona")),
        Territory("Andes", "Colombia", "USD", "latin", 3, ("Medellín", "Cuenca", "Arequipa")),
        Territory("Mexico", "Mexico", "USD", "latin", 3, ("Puebla", "León", "Saltillo")),
        Territory("Southeast Asia", "Singapore", "USD", "english", 4, ("Jurong", "Penang", "Cebu")),
    ),
    products=(
        ("Depot telemetry", "Telemetry", "sites", 95, "month"),
        ("Line balancing", "Operations", "lines", 1450, "year"),
        ("Energy metering", "Telemetry", "meters", 38, "month"),
        ("Predictive upkeep", "Upkeep", "assets", 620, "year"),
        ("Batch records", "Quality", "lines", 210, "month"),
        ("Shift planning", "Operations", "sites", 54, "month"),
    ),
    competitors=("Ardent", "Cellwright", "Fieldmark", "Own development"),
    deals=2400,
    slots=31,  # thirty reps, and one territory whose rep left last week
)

KITANO = OrganizationPlan(
    slug="kitano",
    name="Kitano Instruments",
    currency="JPY",
    zone="Asia/Tokyo",
    fiscal_month=4,
    executives=(("Emi Hoshino", "Chief revenue officer"),),
    administrator="Daichi Ueda",
    operations="Yui Matsuda",
    managers=(("Shinji Kuroda", "Japan", 0),),
    reps=("Aya Nishimura", "Takumi Hayashi", "Naoko Endo", "Ryo Ishii"),
    territories=(
        Territory("Kanto", "Japan", "JPY", "japanese", 0, ("Chiba", "Kawagoe", "Mito")),
        Territory("Kansai", "Japan", "JPY", "japanese", 0, ("Himeji", "Nara", "Sakai")),
        Territory("Export", "Singapore", "USD", "english", 0, ("Jurong", "Penang", "Busan")),
    ),
    products=(
        ("Flow meters", "Instruments", "units", 48000, "once"),
        ("Vibration sensors", "Instruments", "units", 32000, "once"),
        ("Calibration service", "Service", "sites", 120000, "year"),
    ),
    competitors=("Orient Gauge", "Sensoria", "Metrix West", "Own development"),
    deals=160,
    slots=4,
)

PRAIRIE = OrganizationPlan(
    slug="prairie",
    name="Prairie Robotics",
    currency="USD",
    zone="America/Chicago",
    fiscal_month=2,
    executives=(("Walt Jessup", "Chief revenue officer"),),
    administrator="Nina Cortez",
    operations="Gail Hutchins",
    managers=(("Tessa Lowell", "North America", 0),),
    reps=("Zoe Hale", "Marcus Delgado", "Paige Everett", "Joelle Nash"),
    territories=(
        Territory("Midwest", "United States", "USD", "american", 0, ("Peoria", "Toledo", "Duluth")),
        Territory("South", "United States", "USD", "american", 0, ("Macon", "Tulsa", "Mobile")),
        Territory("Overseas", "United Kingdom", "GBP", "english", 0, ("Derby", "Leeds", "Cork")),
    ),
    products=(
        ("Palletizing cell", "Cells", "cells", 4200, "once"),
        ("Case packing cell", "Cells", "cells", 3600, "once"),
        ("Remote support", "Service", "sites", 180, "month"),
    ),
    competitors=("Gridarm", "Palletron", "Ironhand", "Own development"),
    deals=160,
    slots=4,
)

PLANS = {plan.slug: plan for plan in (HALDEN, KITANO, PRAIRIE)}


def plan_for(slug: str, *, name: str, currency: str, zone: str, fiscal_month: int) -> OrganizationPlan:
    """The plan of a known slug, else Halden's people and markets under its own name and books."""
    plan = PLANS.get(slug, HALDEN)
    return replace(plan, slug=slug, name=name, currency=currency, zone=zone, fiscal_month=fiscal_month)
