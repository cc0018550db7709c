"""Who moved the number since the chosen day?"""

from collections import Counter

from forecasting.grid.report import GridReport

MOVERS = 3


def movers(grid: GridReport) -> list[tuple[str, int]]:
    """Who moved the column in focus: the top's direct reports (or the people shown) and unassigned, largest first."""
    column = grid.layout.focus
    rows = list(grid.people.values())
    tops = [row for row in rows if row.depth == 0]
    depth = 1 if len(tops) == 1 and tops[0].reports else 0
    compared = [row for row in rows if row.depth == depth]
    first_names = Counter(row.name.split()[0] for row in compared)
    found = [
        (first if first_names[first := row.name.split()[0]] == 1 else row.name, grid.change(row, column))
        for row in compared
    ]
    found.append(("unassigned", grid.change(grid.now.unassigned, column)))
    return sorted((mover for mover in found if mover[1]), key=lambda mover: -abs(mover[1]))[:MOVERS]
