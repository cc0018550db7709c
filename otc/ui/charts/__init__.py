"""The chart kit: frozen dataclasses in, SVG and the table behind it out. Colours are CSS classes."""

from otc.ui.charts.svg import Chart, ChartTable

__all__ = ["Chart", "ChartTable"]
