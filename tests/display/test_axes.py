"""Axes of node counts have whole numbers, and bands the colour of their line."""

import pytest

from skspectral._display.axes import draw_band, scale_counts_from_zero, single_axes, stacked_axes
from skspectral._training.counts import count_of

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


@pytest.mark.parametrize(("n_nodes", "text"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes")])
def test_nodes_are_counted_in_words(n_nodes, text):
    assert count_of(n_nodes, "node") == text


def test_axis_from_zero_shows_no_node_and_many(ax):
    ax.plot([1, 2, 3], [0, 1, 300])
    scale_counts_from_zero(ax.yaxis)
    ax.set_ylim(0, 300)
    ax.figure.canvas.draw()
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert {"0", "1", "10", "100"} <= set(labels)
    assert all(label.isdecimal() for label in labels if label)


def test_band_has_the_colour_of_its_line_unless_told(ax):
    (line,) = ax.plot([1, 2], [1, 2], color="green")
    for style, expected in [({}, ("green", 0.25)), ({"facecolor": "red"}, ("red", 0.25))]:
        band = draw_band(ax, line, [1, 2], [0, 1], [2, 3], **style)
        assert tuple(band.get_facecolor()[0]) == matplotlib.colors.to_rgba(*expected)


@pytest.mark.parametrize("wrong", [3, "ax", [1, 2]])
def test_axes_are_axes(wrong):
    with pytest.raises(TypeError, match="`ax` must be Axes of matplotlib"):
        single_axes(wrong, "test")
    with pytest.raises(TypeError, match="`ax` must be Axes of matplotlib"):
        stacked_axes(wrong, ("one", "other"), "test")
