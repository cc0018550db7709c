"""Invented names of accounts, people, products and next steps. None is meant to be real."""

from __future__ import annotations


def words(text: str) -> tuple[str, ...]:
    """The words of a space-separated list."""
    return tuple(text.split())


# -- accounts: curated ones first, then stem + ending + trade ------------------------------------
ACCOUNTS = {
    "Nordics": (
        ("Nordvik Aluminium", "Metals"),
        ("Birka Steelworks", "Metals"),
        ("Møller & Agerskov", "Machinery"),
        ("Fjordline Ferries", "Transport"),
        ("Aurland Hydro", "Energy"),
    ),
    "UK, Ireland": (
        ("Kestrel Rail", "Transport"),
        ("Aldersey Water", "Utilities"),
        ("Hexham Glass", "Glass"),
        ("Tidewell Ports", "Transport"),
        ("Fennimore Labs", "Life science"),
    ),
    "DACH": (
        ("Grünwald Dairy", "Food"),
        ("Helvia Pharma", "Life science"),
        ("Severin Cement", "Building materials"),
        ("Ostrava Castings", "Metals"),
        ("Vesper Chemicals", "Chemicals"),
    ),
    "Iberia, Italy": (
        ("Sorrel Bakeries", "Food"),
        ("Corbel Dairy", "Food"),
        ("Montelupo Ceramics", "Building materials"),
        ("Almazora Tiles", "Building materials"),
    ),
    "East": (("Castellan Brewing", "Food"), ("Pineford Paper", "Paper"), ("Harrow Creek Foundry", "Metals")),
    "Central": (("Prairie Tractor Works", "Machinery"), ("Lakemont Plastics", "Chemicals")),
    "West": (("Sierra Vale Wineries", "Food"), ("Redwater Mining", "Mining")),
    "Latin America": (("Minera Quilpué", "Mining"), ("Papelera Andina Sur", "Paper")),
    "Japan": (("Hamakaze Kikai", "Machinery"), ("Mizuno Ridge Foods", "Food")),
    "Australia": (("Wirrabee Grain", "Food"), ("Coorabin Metals", "Metals")),
    "Benelux": (("Rotterhaven Terminals", "Transport"), ("Zuiderdam Pumps", "Machinery")),
}
TRADES = (
    ("Aluminium", "Metals"),
    ("Steel", "Metals"),
    ("Foundry", "Metals"),
    ("Rail", "Transport"),
    ("Ports", "Transport"),
    ("Logistics", "Transport"),
    ("Water", "Utilities"),
    ("Power", "Energy"),
    ("Wind", "Energy"),
    ("Glass", "Glass"),
    ("Paper", "Paper"),
    ("Packaging", "Paper"),
    ("Pharma", "Life science"),
    ("Labs", "Life science"),
    ("Dairy", "Food"),
    ("Bakeries", "Food"),
    ("Brewing", "Food"),
    ("Grain", "Food"),
    ("Cement", "Building materials"),
    ("Timber", "Building materials"),
    ("Ceramics", "Building materials"),
    ("Chemicals", "Chemicals"),
    ("Coatings", "Chemicals"),
    ("Polymers", "Chemicals"),
    ("Pumps", "Machinery"),
    ("Bearings", "Machinery"),
    ("Drives", "Machinery"),
    ("Tooling", "Machinery"),
    ("Mining", "Mining"),
    ("Minerals", "Mining"),
)
# Stems and endings by language, so that a name sounds of its territory.
STEMS = {
    "north": words(
        "Nord Sund Berg Strand Elv Hav Lund Skog Gran Fors Dal Vest Øst Tor Ulv Hjel Rav Bjerk Malm Ask"
    ),
    "english": words(
        "Ash Thorn Wether Kings Cold Marl Rook Brack Stan Hart Elm Fern Wick Hol Lang Brad Sker Tarn Win Oak"
    ),
    "german": words(
        "Eich Linden Stein Wald Roten Falken Hoch Alten Kalten Lauter Mühl Silber Tannen Weiden Sonn "
        "Eber Birk Adler Har Grün"
    ),
    "latin": words("Mont Ser Val Ara Cal Tor Bel Cas Mir Alc Rib Sol Pal Fon Gran Lor Mar Ver Cam Alb"),
    "american": words(
        "Cedar Maple Stone River Eagle Silver Copper Granite Willow Summit Prairie Canyon Harbor Mesa "
        "Juniper Falcon Iron Amber Timber Bison"
    ),
    "japanese": words(
        "Asa Haru Kita Mina Naka Shira Taka Yama Ishi Kuro Matsu Sumi Waka Hoshi Tsuki Umi Kawa Fuji "
        "Aki Nishi"
    ),
    "dutch": words(
        "Zuider Noorder Oost Wester Haar Linde Broek Duin Veen Polder Gouw Vliet Berg Kamer Rij Zand "
        "Heide Water Molen Kerk"
    ),
}
ENDINGS = {
    "north": words(
        "vik heim stad nes fjell holm vang dal sund borg havn lid moen øy rud ås eid foss by mark"
    ),
    "english": words(
        "ford ham ley bourne wick combe stead dale minster bridge field worth mere thorpe by shaw "
        "well gate combe croft"
    ),
    "german": words(
        "hausen bach feld tal brunn heim rode stedt au berg kirchen see thal moor grund hof burg "
        "leben wang fels"
    ),
    "latin": words(
        "alba ano ella ena era ico iera ina onte ora oso oria uela ares edo ida ín anza uria ente"
    ),
    "american": words(
        "Ridge Falls Point Valley Creek Bend Grove Rock Springs Fork Hill Lake Bluff Gate Crossing "
        "Run Park Pass Shore Field"
    ),
    "japanese": words(
        "gawa yama mura zaki saka da moto hara shima mori no ta bashi ura oka zawa se toku gane mizu"
    ),
    "dutch": words(
        "dam haven kerk wijk dijk meer veld horst loo rade beek burg zijl hoek poort sluis donk vaart "
        "mond duin"
    ),
}
SITES = ("North", "South", "East Works", "West Works", "Harbour", "Works 2", "Logistics", "Services")

# -- people ------------------------------------------------------------------------------------
GIVEN = words(
    "Ingrid Lars Sofie Henrik Maja Anders Nora Emil Klara Oskar Freya Jakob Elin Tobias Astrid Felix "
    "Hanna Leon Marta Paul Lea Simon Clara Julian Greta Matteo Chiara Luca Elena Diego Carmen Pablo "
    "Inês Rui Beatriz Owen Fiona Callum Maeve Rhys Harriet Dev Anjali Rohan Meera Kofi Ama Tunde "
    "Zainab Hiro Yuki Aiko Ren Sora Mei Grace Nolan Ruby Marcus Tessa Wyatt Paige Andre Joelle Mateo "
    "Camila Rafael Valentina Nils Petra Bram Femke Joost Sanne Piet Noor"
)
FAMILY = words(
    "Aasen Berglund Carlsen Dahlberg Ekman Fossum Grøndahl Holte Iversen Johnsrud Kvamme Lindqvist "
    "Moen Nygård Oftedal Albrecht Baumann Degen Ebner Franke Gruber Hartwig Imhof Junker Kessler "
    "Lorenz Merz Neubauer Pohl Reiter Seidel Abbott Barlow Carver Dunmore Ellery Fairley Gantry "
    "Hollis Ingham Kirkby Larkin Mayhew Norcott Penrose Quill Rudge Alonso Barreto Costa Duarte "
    "Esteves Ferri Galli Herrero Ibarra Lombardi Marchetti Navarro Orsini Pereira Rossetti Asante "
    "Bello Chandra Desai Eze Ghosh Iyer Kapoor Mensah Okoye Rao Sethi Tanaka Ueda Wada Yamamoto "
    "Hoshino Kimura Avery Blake Cortez Delgado Everett Foster Griggs Hale Jessup Kendrick Lowell "
    "Maddox Nash Ortega Price Ramsey Sloan"
)
# Buying roles with the titles their holders bear.
CONTACT_ROLES = (
    ("champion", "Head of operations"),
    ("economic buyer", "CFO"),
    ("decision maker", "Plant director"),
    ("influencer", "Head of procurement"),
    ("user", "Production planner"),
    ("influencer", "IT architect"),
    ("user", "Maintenance lead"),
    ("blocker", "Security officer"),
)

# -- what is said and planned ------------------------------------------------------------------
SUBJECTS = {
    "mail": (
        ("Notes from our first talk", "Intro to the operations team", "Budget range"),
        ("Site list and line counts", "Process map, draft", "Questions from IT"),
        ("Pilot report", "Success criteria, second draft", "Meter list"),
        ("Proposal", "Revised scope", "Commercial terms"),
        ("Redlines from legal", "Security questionnaire", "Signing date"),
    ),
    "call": (
        ("First call, 30 minutes", "Qualification call"),
        ("Discovery call", "Call with the plant manager"),
        ("Pilot check-in", "Reference call"),
        ("Proposal walk-through", "Pricing call"),
        ("Terms call, 45 minutes", "Procurement call"),
    ),
    "meeting": (
        ("Introduction on site",),
        ("Workshop: today's process", "Plant tour"),
        ("Pilot kick-off", "Pilot review"),
        ("Proposal presentation", "Business case review"),
        ("Meeting with the board", "Contract meeting"),
    ),
}
NEXT_STEPS = (
    ("Confirm the problem with the plant", "Name the budget range", "Book the discovery call"),
    ("Survey the lines", "Find the champion's boss", "Map the buying process"),
    ("Agree on success criteria", "Confirm test window", "Meter list from the plant"),
    ("Present the proposal", "Revised scope to procurement", "Pilot results to board"),
    ("Board date from procurement", "Countersigned terms", "Signature call with CFO"),
    ("Send the contract for signature", "Purchase order from procurement", "Agree on the kick-off date"),
)
