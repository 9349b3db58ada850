"""A probe's result as a picture: a square for each pair of samples or steps, red where samples are mixed."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rnnshape_guard.runtime.probing.dependence import Dependence, Seen
from rnnshape_guard.runtime.probing.perturbing import Part

if TYPE_CHECKING:
    from rnnshape_guard.runtime.probing.probed import Probed

OWN, MIXED, AHEAD, RULED_OUT, UNSEEN = "#5b8db8", "#d1383d", "#e9a23b", "#eef0f2", "#cfd4d9"
GOOD, BAD, PLAIN = "#2c7a4b", "#b3261e", "#30363c"
WORDS: Final = {
    OWN: "depends on it",
    MIXED: "depends on another sample",
    AHEAD: "depends on a later step",
    UNSEEN: "no change seen",
    RULED_OUT: "ruled out",
}
WIDTH: Final = 8.6
"""Inches, as are all heights below."""
MOST_OUTPUTS: Final = 4
MOST_LABELS: Final = 16
_COLOR_OF_SIGN: Final = {"✓": GOOD, "✗": BAD, "!": "#8a6100"}


def draw(probed: Probed, path: Path) -> Path:
    """Draw a result into a file.

    Raises ModuleNotFoundError, with the extra to install, where matplotlib is missing.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "a plot needs matplotlib: pip install 'rnnshape-guard[plot]'", name=missing.name
        ) from missing
    panels = _panels(probed)
    lines = [(sign, label, textwrap.wrap(words.replace("`", ""), 96)) for sign, label, words in probed.verdicts()]
    assumed = textwrap.wrap("assumed: " + "; ".join(probed.assumed).replace("`", ""), 108) if probed.assumed else []
    text_height = 0.18 * len(assumed) + 0.22 * sum(len(words) for _, _, words in lines) + 0.3
    panel_height = 3.1
    height = 0.75 + panel_height * len(panels) + text_height + (0.3 if panels else 0)
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.04, 1 - 0.3 / height, f"{probed.title.replace('`', '')}", fontsize=14, fontweight="bold", color=PLAIN)
    ins = ", ".join(str(shown) for shown in probed.inputs)
    outs = ", ".join(str(shown) for shown in probed.outputs)
    figure.text(0.04, 1 - 0.53 / height, _short(f"{ins}  →  {outs}"), fontsize=9, color="#6a737b")
    used: dict[str, str] = {}
    top = height - 0.75
    for row in panels:
        for number, panel in enumerate(row):
            width = 2.7 / WIDTH
            left = 0.1 + 0.49 * number if len(row) > 1 else 0.5 - width / 2
            axes = figure.add_axes((left, (top - panel_height + 0.7) / height, width, 2.0 / height))
            _draw_panel(axes, panel, used)
        top -= panel_height
    if panels:
        _draw_legend(figure, used, (top - 0.15) / height)
    y = text_height
    for sign, label, words in lines:
        color = _COLOR_OF_SIGN.get(sign, PLAIN)
        mark = {"✓": "✔", "✗": "✘"}.get(sign, sign)
        figure.text(0.04, y / height, mark, fontsize=10, color=color, va="top", fontfamily="DejaVu Sans")
        figure.text(0.07, y / height, label, fontsize=9.5, color=color, va="top", fontweight="bold")
        for line in words:
            figure.text(0.165, y / height, line, fontsize=9.5, color=PLAIN, va="top")
            y -= 0.22
    for line in assumed:
        figure.text(0.04, (y - 0.05) / height, line, fontsize=8, color="#6a737b", va="top")
        y -= 0.18
    figure.savefig(path, dpi=150)
    return path


def _panels(probed: Probed) -> list[list[_Panel]]:
    """A row of panels for each output: its samples and its steps."""
    names = [shown.name for shown in probed.outputs]
    rows: list[list[_Panel]] = []
    together = dict(probed.together)
    varied = {"batch": probed.varied, "time": probed.varied_steps}
    for name in names:
        row = [
            _Panel(each, varied[each.axis].strip("`")) for each in (*probed.batch, *probed.time) if each.output == name
        ]
        if name in together and probed.samples > 1:
            row.append(
                _Panel(_as_dependence(name, together[name], probed.samples), probed.varied.strip("`"), pairs=True)
            )
        if row:
            rows.append(row)
    return rows[:MOST_OUTPUTS]


def _as_dependence(name: str, pairs: Sequence[tuple[int, int]], samples: int) -> Dependence:
    count = min(samples, 8)
    places = tuple(Part(number, number + 1) for number in range(count))
    act = {pair for one, other in pairs for pair in ((one, other), (other, one))}
    cells = tuple(
        tuple(Seen.DEPENDS if row == column or (row, column) in act else Seen.UNSEEN for column in range(count))
        for row in range(count)
    )
    return Dependence("batch", name, places, places, cells)


class _Panel:
    """One matrix to draw; `pairs` where it says which samples act on a single number together."""

    def __init__(self, dependence: Dependence, inputs: str, *, pairs: bool = False) -> None:
        self.dependence = dependence
        self.inputs = inputs
        self.pairs = pairs

    @property
    def headline(self) -> tuple[str, str]:
        """What it shows in a word or two, and the color of them."""
        clean = self.dependence.clean
        match self.dependence.axis, clean:
            case "batch", True:
                return ("samples add up" if self.pairs else "samples are independent"), GOOD
            case "batch", False:
                return ("samples act together" if self.pairs else "samples are MIXED"), BAD
            case "time", True if self.dependence.is_alone:
                return "steps do not see each other", PLAIN
            case "time", True:
                return "steps are causal", GOOD
            case "time", False:
                return "steps look ahead", PLAIN
        return ("samples" if self.dependence.axis == "batch" else "steps"), PLAIN

    def color(self, row: int, column: int) -> str:
        """The color of one square."""
        each = self.dependence
        seen = each.cells[row][column]
        if seen is not Seen.DEPENDS:
            return RULED_OUT if seen is Seen.RULED_OUT else UNSEEN
        if not each.is_square or not each.is_crossing(row, column):
            return OWN
        return MIXED if each.axis == "batch" else AHEAD


def _draw_panel(axes: Any, panel: _Panel, used: dict[str, str]) -> None:
    from matplotlib.colors import to_rgb

    each = panel.dependence
    colors = [[panel.color(row, column) for column in range(len(each.columns))] for row in range(len(each.rows))]
    words = WORDS | {MIXED: "act together", OWN: "one sample"} if panel.pairs else WORDS
    used.update({color: words[color] for row in colors for color in row})
    axes.imshow([[to_rgb(color) for color in row] for row in colors], aspect="auto", interpolation="nearest")
    word = "sample" if each.axis == "batch" else "step"
    headline, color = panel.headline
    axes.set_title(headline, fontsize=11.5, color=color, fontweight="bold", pad=8)
    axes.set_xlabel(f"{word} of {panel.inputs} that is changed", fontsize=9, color=PLAIN)
    ylabel = f"{word} beside it" if panel.pairs else f"{word} of {each.output}"
    axes.set_ylabel(_short(ylabel, 30), fontsize=9, color=PLAIN)
    for places, parts, label in (
        (axes.set_xticks, each.columns, axes.set_xticklabels),
        (axes.set_yticks, each.rows, axes.set_yticklabels),
    ):
        stride = -(-len(parts) // MOST_LABELS)
        shown = range(0, len(parts), stride)
        places(list(shown))
        label([str(parts[number].start) for number in shown], fontsize=8)  # the first of each part
    if max(len(each.rows), len(each.columns)) <= 40:
        axes.set_xticks([number - 0.5 for number in range(1, len(each.columns))], minor=True)
        axes.set_yticks([number - 0.5 for number in range(1, len(each.rows))], minor=True)
        axes.grid(which="minor", color="white", linewidth=1.6)
    axes.tick_params(which="both", length=0, colors=PLAIN)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_legend(figure: Any, used: dict[str, str], y: float) -> None:
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=color, label=used[color]) for color in WORDS if color in used]
    figure.legend(
        handles=handles,
        loc="lower center",
        bbox_to_anchor=(0.5, y),
        ncols=len(handles),
        frameon=False,
        fontsize=9,
        handlelength=1.0,
        handleheight=1.0,
    )


def _short(text: str, most: int = 100) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
