"""Shapes in comments and docstrings: those that are read, and everything else in brackets, which is not."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape_guard.shapes import brackets, notes, vocabulary
from rnnshape_guard.shapes.notes import About, notes_in, notes_of_all

KNOWN = {"x", "out", "hidden", "cell", "h_n", "src", "frames", "lengths", "inputs"}


def read(text: str, known: set[str] | None = KNOWN) -> list[tuple[str | None, str, str]]:
    """Name, what it is about, and the axes in words."""
    return [(note.name, str(note.about), " ".join(map(str, note.axes))) for note in notes_in(text, known_names=known)]


class TestSeveral:
    @pytest.mark.parametrize(
        "text", [" (B, T, F), (B, T)", " (B, T, F) and (B, T)", " x: (B, T, F), y: (B, T)", " x: (B, T, F); y = (B, T)"]
    )
    def test_each_name_has_its_own(self, text: str) -> None:
        found = notes_of_all(text, ["x", "y"]) or notes_in(text, known_names={"x", "y"})
        assert [(note.name, note.axes) for note in found] == [("x", ("B", "T", "F")), ("y", ("B", "T"))]

    @pytest.mark.parametrize("text", [" both (batch, seq)", " both are (batch, seq)", " all of shape (batch, seq)"])
    def test_one_for_all(self, text: str) -> None:
        assert [note.name for note in notes_of_all(text, ["x", "y"])] == ["x", "y"]

    @pytest.mark.parametrize(
        "text", [" (batch, seq)", " not both (batch, seq)", " (B, T), then (B, T)", " both (batch, seq) if padded"]
    )
    def test_nothing_of_all(self, text: str) -> None:
        assert notes_of_all(text, ["x", "y"]) == []


class TestComments:
    @pytest.mark.parametrize(
        ("text", "name", "axes"),
        [
            (" x: (batch, seq, feat)", "x", "batch seq feat"),
            (" x = (batch, seq, feat)", "x", "batch seq feat"),
            (" x (batch, seq, feat)", "x", "batch seq feat"),
            (" x : torch.Tensor, shape (batch, time, feat)", "x", "batch time feat"),
            (" x (Tensor): input of shape (batch_size, seq_len, dim)", "x", "batch_size seq_len dim"),
            (" x.shape = (batch, time)", "x", "batch time"),
            (" x.size() = [batch, time]", "x", "batch time"),
            (" shape of x: (batch, time)", "x", "batch time"),
            (
                " h_n of shape (num_layers * num_directions, batch, hidden)",
                "h_n",
                "num_layers * num_directions batch hidden",
            ),
            (" src = [src len, batch size]", "src", "src len batch size"),
            (" frames: T x N x 16", "frames", "T N 16"),
            (" x: B x (T - 1) x H", "x", "B (T - 1) H"),
            (" x comes from the loader as (batch, time)", "x", "batch time"),
            (" lengths: (B,)", "lengths", "B"),
            (" x: batch, seq, n_words, emb", "x", "batch seq n_words emb"),
            (" 输入x的形状为（batch，seq，feat）", "x", "batch seq feat"),
            (" (T, B, H)", None, "T B H"),
            (" [batch, seq_len, embed_dim]", None, "batch seq_len embed_dim"),
            ("(batch, seq)", None, "batch seq"),
            (" (batch size, seq len, input size)", None, "batch size seq len input size"),
            (" (batch_size, sequence_length, numb_classes)", None, "batch_size sequence_length numb_classes"),
            (" [B*T*H]", None, "B T H"),
            (" B x T x H", None, "B T H"),
            (" batch_size x seq_len x dim", None, "batch_size seq_len dim"),
            (" torch.Size([32, 10, 5])", None, "32 10 5"),
            (" (1, N, 512)", None, "1 N 512"),
            (" shape (N, L, H)", None, "N L H"),
            (" now (B, T, H)", None, "B T H"),
            (" (B, T, H) after the transpose", None, "B T H"),
            (" B, T, C", None, "B T C"),
            (" (B, ..., 2H)", None, "B ... 2H"),
        ],
    )
    def test_a_shape_of_a_value(self, text: str, name: str | None, axes: str) -> None:
        ((found, about, written),) = read(text)
        assert (found, written) == (name, axes)
        assert about in ("value", "result")

    def test_one_shape_for_two_names(self) -> None:
        assert [note[0] for note in read(" hidden, cell = [batch size, dec hid dim]")] == ["hidden", "cell"]

    def test_two_things_side_by_side_each_with_its_name(self) -> None:
        assert [(name, axes) for name, _, axes in read(" hidden: (batch, dim)   lengths: (batch, steps)")] == [
            ("hidden", "batch dim"),
            ("lengths", "batch steps"),
        ]

    @pytest.mark.parametrize("arrow", ["->", "-->", "=>", "→"])
    def test_both_sides_of_an_arrow(self, arrow: str) -> None:
        assert read(f" (T, B, H) {arrow} (B, T, H)") == [(None, "input", "T B H"), (None, "result", "B T H")]

    @pytest.mark.parametrize(
        "text", [" x: (T, B, F) -> y (T, B)", " x: (T, B, F) -> y: (T, B)", " x (T, B, F) => y = (T, B)"]
    )
    def test_what_goes_into_another_thing(self, text: str) -> None:
        assert read(text) == [("x", "input", "T B F")]

    @pytest.mark.parametrize("text", [" x: (batch, words)", " x (words, batch)", " x.shape = (batch, tokens)"])
    def test_words_that_are_the_steps_of_a_batch(self, text: str) -> None:
        assert [note.name for note in notes_in(text, known_names=KNOWN)] == ["x"]

    def test_the_ends_of_a_chain_of_arrows(self) -> None:
        assert read(" x: B x T -> B x 1 x T -> T x B x 3") == [("x", "input", "B T"), ("x", "result", "T B 3")]

    @pytest.mark.parametrize(
        "text", [" -> (batch, out)", " reshape to (batch, out)", " output: (batch, out)", " 转换为 (batch, out)"]
    )
    def test_a_result(self, text: str) -> None:
        assert read(text) == [(None, "result", "batch out")]

    def test_where_it_stands(self) -> None:
        (note,) = notes_in(" x: (batch, seq)")
        assert note.offset == 4
        assert not note.is_result


@pytest.mark.parametrize(
    "text",
    [
        " (see below)",
        " (h, c)",
        " (0, 1)",
        " (1, 2)",
        " (x, y, z)",
        " [0, T]",
        " (batch)",
        " (output, hidden)",
        " returns (output, hidden)",
        " (sequence, label)",
        " (text, length)",
        " (batch, time) mask",
        " the (batch, time) mask",
        " a mask for (batch, time)",
        " batch first, time second, features last",
        " list of (batch, time)",
        " [N x (B, T, D)]",
        " ((N, B, D), (N, B, D))",
        " (L, N, H) or (N, L, H)",
        " (N, L, H) when batch_first",
        " if batch_first: (N, L, H)",
        " packed = pack(x, batch, time)",
        " x = x.view(batch, time, 3)",
        " x[batch, time]",
        " torch.zeros(layers, batch, hidden)",
        " LSTM state is a tuple of (state, memory).",
        " N-best list of (text, token, token_int)",
        " e.g. (batch, time)",
        " (https://example.org/a,b)",
        " noqa: E501",
        " W x + b",
        " mask: (batch, time)",
    ],
)
def test_other_brackets_are_no_shapes(text: str) -> None:
    assert read(text) == []


class TestDocstrings:
    def test_google(self) -> None:
        text = """Encode.

        Args:
            x (Tensor): Batch of padded inputs (B, Tmax, idim).
            lengths (LongTensor): (B,)
            inputs (batch, seq_len, dim): the inputs

        Returns:
            Tensor: what comes out (B, Tmax, odim).
        """
        assert read(text) == [
            ("x", "value", "B Tmax idim"),
            ("lengths", "value", "B"),
            ("inputs", "value", "batch seq_len dim"),
            (None, "result", "B Tmax odim"),
        ]

    def test_numpy(self) -> None:
        text = """
        Parameters
        ----------
        x : torch.Tensor, shape (batch, time, feat)
            the input
        hidden : Tensor of shape (num_layers * num_directions,
            batch, hidden_size)

        Returns
        -------
        out : (batch, classes)
        """
        assert read(text) == [
            ("x", "value", "batch time feat"),
            ("hidden", "value", "num_layers * num_directions batch hidden_size"),
            (None, "result", "batch classes"),
        ]

    def test_sphinx(self) -> None:
        text = ":param x: [batch, time]\n:param torch.Tensor hidden: state (B x D_dec)\n:return: (batch, out)\n"
        assert read(text) == [
            ("x", "value", "batch time"),
            ("hidden", "value", "B D_dec"),
            (None, "result", "batch out"),
        ]

    def test_several_results_are_not_told_apart(self) -> None:
        assert read("Run.\n\nReturns:\n    Tensor: (B, T, H)\n    LongTensor: (B,)\n") == []

    def test_a_tuple_is_not_one_tensor(self) -> None:
        assert read("Run.\n\nArgs:\n    hidden (tuple): the states, (B, H) each\n    x: the input\n") == []

    def test_two_shapes_for_one_parameter_are_none(self) -> None:
        assert read("Run.\n\nArgs:\n    x: (B, T, F), at first (T, B, F)\n    out: no\n") == []

    def test_a_shape_in_a_sentence_is_of_no_parameter(self) -> None:
        assert read("Run.\n\nThe mask is a (batch, time) tensor.\nIt takes (batch, time).\n") == []

    def test_examples_are_not_read(self) -> None:
        assert read("Run.\n\n>>> x: (batch, time)\n\nExample:\n    x: (batch, time)\n") == []


@given(st.text(alphabet="xbBT ,:=()[]*->.\n1h", max_size=40))
def test_any_text_at_all_is_read(text: str) -> None:
    for note in notes_in(text):
        assert note.axes
        assert note.about in About
        assert 0 <= note.offset < len(text)


@pytest.mark.parametrize("module", [notes, brackets, vocabulary])
def test_its_own_examples_hold(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0
