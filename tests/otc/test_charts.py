"""The chart kit: what is drawn, what it links to, and that nothing escapes its escaping."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otc.ui.charts import activity, bars, interval, line, range, scale, trend, waterfall
from otc.ui.charts.waterfall import Bar

BARS = [
    Bar("1 Oct", 4302, "4,302", kind="total", note="open", href="/from"),
    Bar("New", 836, "+836", kind="in", href="/new"),
    Bar("Currency", 0, "0", kind="in", href="/currency"),
    Bar("Won", -1482, "−1,482", kind="won", href="/won"),
    Bar("Lost", -1, "−1", kind="out", href="/lost"),
    Bar("19 Nov", 3655, "3,655", kind="total", href="/to"),
]


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def links(svg: str) -> list[str]:
    return [element.get("href") for element in parsed(svg).iter("a")]


def test_every_column_opens_its_deals_and_empty_ones_are_left_out():
    chart = waterfall.draw(label="Pipeline", bars=BARS)
    assert links(chart.svg) == ["/from", "/new", "/won", "/lost", "/to"]
    assert links(chart.narrow_svg) == links(chart.svg)


def test_the_table_says_what_the_columns_say():
    table = waterfall.draw(label="Pipeline", bars=BARS).table
    assert table.linked_rows[1] == ("/new", ("New", "–", "+836"))
    assert len(table.rows) == 5


def test_the_smallest_change_is_still_seen():
    svg = parsed(waterfall.draw(label="Pipeline", bars=BARS).svg)
    heights = [float(mark.get("height")) for mark in svg.iter("rect") if mark.get("class") == "bar-out"]
    assert heights == [2.0]


def test_a_shortened_axis_breaks_both_totals():
    svg = waterfall.draw(label="Pipeline", bars=BARS, axis_from=2000).svg
    assert svg.count('class="break"') == 2
    assert 'class="break"' not in waterfall.draw(label="Pipeline", bars=BARS).svg


@given(st.lists(st.integers(-1000, 1000), max_size=8), st.integers(0, 5000))
def test_columns_stay_inside_whatever_happens(changes, start):
    moves = [Bar(f"b{i}", value, str(value), kind="in") for i, value in enumerate(changes)]
    end = Bar("end", max(0, start + sum(changes)), "end", kind="total")
    chart = waterfall.draw(label="x", bars=[Bar("start", start, "start", kind="total"), *moves, end])
    for mark in parsed(chart.svg).iter("rect"):
        assert -0.01 <= float(mark.get("y")) <= waterfall.BASE + 0.01
        assert float(mark.get("height")) >= 2


def test_names_are_escaped_in_every_place():
    chart = waterfall.draw(label='<b>"x"', bars=[Bar("<script>", 1, "a&b", kind="total", href='/x"y')])
    assert "<script" not in chart.svg
    assert links(chart.svg) == ['/x"y']


def test_no_chart_bears_a_style_or_a_script():
    drawings = [
        waterfall.draw(label="x", bars=BARS, axis_from=2000).svg,
        range.draw(label="x", p10=1, p50=2, p90=3, texts=("1", "2", "3")).svg,
        interval.draw(interval.Interval(0.2, 0.3, 0.4), before=0.25),
        activity.bars([1, 2, 3]),
        bars.small_bar(0.5, is_bad=True),
    ]
    assert all("style" not in drawing and "onclick" not in drawing for drawing in drawings)


def test_activity_has_twelve_weeks_and_says_so():
    svg = parsed(activity.bars([0, 3, 1]))
    classes = [mark.get("class") for mark in svg.iter("rect")]
    assert classes == ["stub"] * 10 + ["recent", "recent"]
    assert svg.get("aria-label") == "4 contacts in 12 weeks, 4 in the last 2"


def test_a_small_bar_is_never_wider_than_its_track():
    widths = [float(mark.get("width")) for mark in parsed(bars.small_bar(1.4)).iter("rect")]
    assert widths == [36, 36]


def test_reasons_are_as_long_as_their_values():
    rows = [bars.ReasonBar("Price", 78, "78", "/price", is_subject=True), bars.ReasonBar("Budget", 39, "39")]
    chart = bars.reasons(label="Reasons", rows=rows)
    widths = [float(mark.get("width")[:-1]) for mark in parsed(chart.svg).iter("rect")]
    assert widths[1] == pytest.approx(2 * widths[3])
    assert links(chart.svg) == ["/price"]


def test_a_trend_writes_its_interval_into_the_table():
    chart = trend.draw(label="Win rate", points=[trend.RatePoint("Q3 26", 0.27, 0.35, 0.44, "35 %", "n 123")])
    assert chart.table.rows == (("Q3 26", "35 %", "27 to 44 %", "n 123"),)
    assert "dot-subject" in chart.svg


def test_a_line_of_one_point_is_drawn():
    chart = line.draw(label="Chance", points=[line.LinePoint("now", 0.5, "50 %", "/now")])
    assert links(chart.svg) == ["/now"]


def test_nothing_to_draw_draws_nothing_and_keeps_the_table_head():
    for chart in (
        waterfall.draw(label="x", bars=[]),
        bars.reasons(label="x", rows=[]),
        trend.draw(label="x", points=[]),
        line.draw(label="x", points=[]),
        bars.stacked(label="x", segments=[]),
    ):
        assert chart.svg == ""
        assert chart.table.headings


def test_ticks_are_round_and_inside():
    assert scale.ticks(0.18, 0.44, count=3) == [0.2, 0.3, 0.4]
    assert scale.ticks(0, 0) == [0]


def test_close_labels_are_spread_in_their_order():
    assert scale.spread([10, 12, 40], gap=15, low=0, high=100) == [10, 25, 40]
    assert scale.spread([90, 95, 99], gap=15, low=0, high=100) == [70, 85, 100]


def test_an_axis_is_shortened_only_when_the_low_half_is_empty():
    assert scale.axis_start(2872, 5527) == 2000
    assert scale.axis_start(900, 4302) == 0
    assert waterfall.axis_from(BARS) == 3000
    assert waterfall.axis_from([]) == 0


def test_no_number_of_a_column_stands_among_the_names_below_it():
    bars_ = [
        Bar("1 Oct", 1306, "a", kind="total"),
        Bar("Won", -1306, "b", kind="won"),
        Bar("End", 0, "c", kind="total"),
    ]
    values = [
        one
        for one in parsed(waterfall.draw(label="x", bars=bars_).svg).iter("text")
        if "value" in one.get("class")
    ]
    assert len(values) == 3
    assert all(0 < float(one.get("y")) < waterfall.BASE for one in values)


def test_nothing_has_no_bar():
    chart = bars.reasons(label="x", rows=[bars.ReasonBar("None", 0, "0"), bars.ReasonBar("Some", 4, "4")])
    widths = [one.get("width") for one in parsed(chart.svg).iter("rect") if "bar" in one.get("class")]
    assert widths[0] == "0%" and widths[1] == "53%"
