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

    The first names of `reps` go to the territories in their order; `fiscal_month` is 1..12.
    """

    slug: str
    name: str
    currency: str
    zone: str
    fiscal_month: int
    executive: str
    administrator: str
    managers: tuple[tuple[str, str], ...]
    reps: tuple[str, ...]
    territories: tuple[Territory, ...]
    products: tuple[tuple[str, str, str], ...]
    competitors: tuple[str, str, str, str]
    deals: int

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
    executive="Eve Okafor",
    administrator="Ola Petterson",
    managers=(("Max Brandt", "Europe"), ("Dana Whitlock", "Americas"), ("Kenji Mori", "Asia-Pacific")),
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
        Territory("DACH", "Germany", "EUR", "german", 0, ("Linz", "Kassel", "Chemnitz", "Basel")),
        Territory("Iberia, Italy", "Spain", "EUR", "latin", 0, ("Bilbao", "Porto", "Brescia", "Vigo")),
        Territory("East", "United States", "USD", "american", 1, ("Albany", "Scranton", "Raleigh")),
        Territory("Central", "United States", "USD", "american", 1, ("Toledo", "Peoria", "Tulsa")),
        Territory("Latin America", "Chile", "USD", "latin", 1, ("Valparaíso", "Rosario", "Medellín")),
        Territory("West", "United States", "USD", "american", 1, ("Boise", "Fresno", "Tacoma")),
        Territory("Japan", "Japan", "JPY", "japanese", 2, ("Chiba", "Okayama", "Sendai")),
        Territory("Australia", "Australia", "USD", "english", 2, ("Geelong", "Perth", "Newcastle")),
        Territory("Benelux", "Netherlands", "EUR", "dutch", 0, ("Breda", "Gent", "Zwolle")),
    ),
    products=(
        ("Depot telemetry", "Telemetry", "sites"),
        ("Line balancing", "Operations", "lines"),
        ("Energy metering", "Telemetry", "meters"),
        ("Predictive upkeep", "Upkeep", "assets"),
        ("Batch records", "Quality", "lines"),
        ("Shift planning", "Operations", "sites"),
    ),
    competitors=("Ardent", "Cellwright", "Fieldmark", "Own development"),
    deals=400,
)

KITANO = OrganizationPlan(
    slug="kitano",
    name="Kitano Instruments",
    currency="JPY",
    zone="Asia/Tokyo",
    fiscal_month=4,
    executive="Emi Hoshino",
    administrator="Daichi Ueda",
    managers=(("Shinji Kuroda", "Japan"),),
    reps=("Aya Nishimura", "Takumi Hayashi", "Naoko Endo", "Ryo Ishii"),
    territories=(
        Territory("Kanto", "Japan", "JPY", "japanese", 0, ("Chiba", "Kawagoe", "Mito")),
        Territory("Kansai", "Japan", "JPY", "japanese", 0, ("Himeji", "Nara", "Sakai")),
        Territory("Export", "Singapore", "USD", "english", 0, ("Jurong", "Penang", "Busan")),
    ),
    products=(
        ("Flow meters", "Instruments", "units"),
        ("Vibration sensors", "Instruments", "units"),
        ("Calibration service", "Service", "sites"),
    ),
    competitors=("Orient Gauge", "Sensoria", "Metrix West", "Own development"),
    deals=80,
)

PRAIRIE = OrganizationPlan(
    slug="prairie",
    name="Prairie Robotics",
    currency="USD",
    zone="America/Chicago",
    fiscal_month=2,
    executive="Walt Jessup",
    administrator="Nina Cortez",
    managers=(("Tessa Lowell", "North America"),),
    reps=("Zoe Hale", "Marcus Delgado", "Paige Everett", "Joelle Nash"),
    territories=(
        Territory("Midwest", "United States", "USD", "american", 0, ("Peoria", "Toledo", "Duluth")),
        Territory("South", "United States", "USD", "american", 0, ("Macon", "Tulsa", "Mobile")),
        Territory("Overseas", "United Kingdom", "GBP", "english", 0, ("Derby", "Leeds", "Cork")),
    ),
    products=(
        ("Palletizing cell", "Cells", "cells"),
        ("Case packing cell", "Cells", "cells"),
        ("Remote support", "Service", "sites"),
    ),
    competitors=("Gridarm", "Palletron", "Ironhand", "Own development"),
    deals=80,
)

PLANS = {plan.slug: plan for plan in (HALDEN, KITANO, PRAIRIE)}


def plan_for(slug: str, *, name: str, currency: str, zone: str, fiscal_month: int) -> OrganizationPlan:
    """The plan of a known slug, else Halden's people and markets under its own name and books."""
    plan = PLANS.get(slug, HALDEN)
    return replace(plan, slug=slug, name=name, currency=currency, zone=zone, fiscal_month=fiscal_month)
