"""What a probe takes, what it says, and what it does not claim."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence

from rnnshape_guard.runtime.probe import Probed, probe
from rnnshape_guard.runtime.probing.dependence import Seen


class Tagger(nn.Module):
    """(batch, time, feature) to (batch, time, class); mixes samples unless `batch_first`."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 8, **options)
        self.head = nn.Linear(8 * (2 if self.lstm.bidirectional else 1), 3)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)
        return self.head(out)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(4, 7, 6, generator=torch.Generator().manual_seed(2))


# Verdicts.


def test_right_model(x: Tensor) -> None:
    seen = probe(Tagger(batch_first=True), x)
    assert (seen.independent, seen.causal, seen.unused, seen.half_seen, seen.problems) == (True, True, (), (), ())
    seen.assert_independent()


def test_every_pair_of_samples_is_told(x: Tensor) -> None:
    (samples,) = probe(Tagger(), x).batch
    no, yes = Seen.RULED_OUT, Seen.DEPENDS
    assert samples.cells == ((yes, no, no, no), (yes, yes, no, no), (yes, yes, yes, no), (yes, yes, yes, yes))


def test_assertion_names_the_samples_and_the_layer(x: Tensor) -> None:
    with pytest.raises(AssertionError) as caught:
        probe(Tagger(), x).assert_independent()
    assert str(caught.value) == (
        "the samples of `Tagger` are mixed\n"
        "  sample 1 of `output` depends on sample 0 of `x`\n"
        "  sample 2 of `output` depends on samples 0–1 of `x`\n"
        "  sample 3 of `output` depends on samples 0–2 of `x`\n"
        "  because `lstm` (batch_first=False) walks along them as if they were steps, and no step sees another\n"
        "  assumed: axis 0 of `x` is the batch, as a DataLoader makes it (say batch=… if not)\n"
        "  assumed: axis 1 of `x` is the time, beside the batch (say time=… if not)"
    )


def test_time_major_model_with_its_axes_told(x: Tensor) -> None:
    seen = probe(Tagger(), x, batch=1, time=0)
    assert (seen.independent, seen.causal, seen.assumed) == (True, True, ())


def test_telling_the_time_tells_the_batch(x: Tensor) -> None:
    seen = probe(Tagger(), x, time=0)
    assert seen.independent is True
    assert seen.assumed == ("axis 1 of `x` is the batch, beside the time",)


def test_equal_sizes_hide_nothing() -> None:
    seen = probe(Tagger(), torch.randn(5, 5, 6))
    assert seen.independent is False
    assert probe(Tagger(batch_first=True), torch.randn(5, 5, 6)).independent is True


def test_two_directions_look_ahead_and_that_is_no_problem(x: Tensor) -> None:
    seen = probe(Tagger(batch_first=True, bidirectional=True), x)
    assert (seen.independent, seen.causal, seen.problems) == (True, False, ())
    assert "not causal: step 0 of `output` depends on step 1 of `x`" in str(seen)


def test_batch_norm_in_training_is_named_as_the_cause() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
    rows = torch.randn(5, 6)
    seen = probe(model, rows)
    assert seen.independent is False
    assert (
        seen.cause
        == "`1` (BatchNorm1d) in training mode normalises each sample with the others; in eval mode it does not"
    )
    with pytest.raises(AssertionError, match="because `1` \\(BatchNorm1d\\) in training mode"):
        seen.assert_independent()
    assert probe(model.eval(), rows).independent is True


def test_batch_norm_is_not_blamed_for_what_stays_mixed_without_it(x: Tensor) -> None:
    class Both(Tagger):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(7)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(super().forward(x))

    seen = probe(Both(), x)
    assert seen.independent is False
    assert (
        seen.cause
        == "something mixes them, and not only `norm` (BatchNorm1d) in training mode: they stay mixed without it"
    )


def test_samples_in_another_order() -> None:
    seen = probe(lambda x: 2 * x.flip(0), torch.randn(4, 5))
    assert seen.cause == "they come out in another order than they went in"
    with pytest.raises(AssertionError, match="sample 0 of `output` depends on sample 3 of `x`"):
        seen.assert_independent()


def test_dropout_in_training_mixes_nothing(x: Tensor) -> None:
    model = nn.Sequential(nn.Dropout(0.4), nn.Linear(6, 3), nn.Dropout(0.4))
    assert probe(model, x).independent is True


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_half_seen_last_step(kind: type[nn.RNNBase]) -> None:
    rnn = kind(3, 4, num_layers=2, bidirectional=True, batch_first=True)
    x = torch.randn(2, 6, 3)
    words = "the reverse direction of `rnn` is read at the last step alone, where it has seen 1 of 6 steps"
    assert probe(lambda x: rnn(x)[0][:, -1], x).half_seen == (words,)
    first = "the forward direction of `rnn` is read at the first step alone, where it has seen 1 of 6 steps"
    assert probe(lambda x: rnn(x)[0][:, 0], x).half_seen == (first,)
    assert probe(lambda x: rnn(x)[0].mean(1), x).half_seen == ()
    assert probe(lambda x: torch.cat([rnn(x)[0][:, -1, :4], rnn(x)[0][:, 0, 4:]], 1), x).half_seen == ()
    assert probe(lambda x: rnn(x[:, :1])[0][:, -1], x).half_seen == ()


def test_half_seen_beside_a_returned_state() -> None:
    rnn = nn.GRU(3, 4, bidirectional=True, batch_first=True)

    def last_and_state(x: Tensor) -> tuple[Tensor, Tensor]:
        out, h_n = rnn(x)
        return out[:, -1], h_n

    assert len(probe(last_and_state, torch.randn(2, 6, 3)).half_seen) == 1


def test_unused_layers_and_directions_are_named() -> None:
    gru = nn.GRU(3, 4, num_layers=3, batch_first=True, bidirectional=True)
    idle = nn.Linear(3, 3)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.idle = gru, idle

        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            _, h_n = self.encoder(x)
            return h_n[2]

    seen = probe(Model(), torch.randn(2, 5, 3), torch.randn(2, 5))
    assert seen.unused == (
        "input `mask`",
        "the reverse direction of `encoder`, layer 1",
        "layer 2 of `encoder`",
        "`idle`",
    )


def test_a_layer_of_one_step_from_a_zero_state_is_used() -> None:
    """Its recurrent weights get no gradient from a state of zeros."""
    gru = nn.GRU(3, 4, batch_first=True)
    assert probe(lambda x: gru(x, torch.zeros(1, 2, 4))[0], torch.randn(2, 1, 3)).unused == ()
    cell = nn.LSTMCell(3, 4)
    assert probe(lambda x: cell(x)[0], torch.randn(2, 3)).unused == ()


def test_a_state_given_by_keyword() -> None:
    gru = nn.GRU(3, 4, bidirectional=True, batch_first=True)
    seen = probe(lambda x: gru(x, hx=torch.zeros(2, 3, 4))[1][0], torch.randn(3, 5, 3))
    assert seen.unused == ("the reverse direction of `gru`",)


def test_frozen_model_says_that_nothing_is_known_of_its_layers(x: Tensor) -> None:
    seen = probe(Tagger(batch_first=True).requires_grad_(False), x)
    assert "of layers nothing is known: no weight asks for a gradient" in str(seen)


def test_loss_that_is_a_mean_over_samples(x: Tensor) -> None:
    net = Tagger(batch_first=True)
    labels = torch.tensor([0, 2, 1, 1])
    seen = probe(lambda x, labels: nn.functional.cross_entropy(net(x)[:, -1], labels), x, labels)
    assert seen.independent is True
    seen.assert_independent()


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_loss_that_compares_all_with_all(x: Tensor) -> None:
    net = Tagger(batch_first=True)
    seen = probe(lambda x, y: nn.functional.mse_loss(net(x)[:, -1, :1], y), x, torch.randn(4))
    with pytest.raises(AssertionError, match="samples 0 and 1 act on `output` together"):
        seen.assert_independent()


# What is no proof is not called one.


def test_no_change_seen_is_not_called_a_proof() -> None:
    """NaN comes through a product with zero, so that nothing is ruled out."""
    rows = torch.randn(3, 4)
    seen = probe(lambda x: x + 0.0 * x.mean(0), rows)
    assert seen.independent is True
    assert "no change to one sample was seen in another, which is no proof" in str(seen)
    assert Seen.UNSEEN in seen.batch[0].cells[0]


def test_nan_rules_out_what_values_cannot_show() -> None:
    seen = probe(lambda x: 2 * x, torch.randn(3, 4))
    assert "NaN put into one sample reached no other" in str(seen)


def test_a_model_that_swallows_nan_rules_nothing_out() -> None:
    seen = probe(lambda x: torch.nan_to_num(x, 0.0) * 2, torch.randn(3, 4))
    assert seen.independent is True
    assert "no proof" in str(seen)


def test_a_model_that_refuses_nan_rules_nothing_out() -> None:
    def strict(x: Tensor) -> Tensor:
        if x.isnan().any():
            raise ValueError("NaN")
        return 2 * x

    assert "no proof" in str(probe(strict, torch.randn(3, 4)))


def test_nan_can_be_left_out() -> None:
    assert "no proof" in str(probe(lambda x: 2 * x, torch.randn(3, 4), nan=False))


def test_a_range_that_noise_would_leave_is_kept() -> None:
    def roots(x: Tensor) -> Tensor:
        if bool((x < 0).any()):
            raise ValueError("negative")
        return x.sqrt()

    assert probe(roots, torch.rand(4, 5)).independent is True


def test_nothing_is_asserted_where_no_axis_follows_the_batch() -> None:
    seen = probe(lambda x: x.mean(0), torch.randn(4, 5, 3))
    assert seen.independent is None
    with pytest.raises(AssertionError, match=r"cannot be told(.|\n)*no axis of `output` follows the batch"):
        seen.assert_independent()


def test_one_sample_cannot_be_mixed() -> None:
    seen = probe(nn.Linear(3, 2), torch.randn(1, 3))
    assert seen.independent is None
    assert "there is one sample only: give two or more to see whether they are mixed" in seen.notes


# Inputs and outputs.


class Tokens(nn.Module):
    def __init__(self, *, padding_idx: int | None = None, batch_first: bool = True) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, 5, padding_idx=padding_idx)
        self.gru = nn.GRU(5, 6, batch_first=batch_first)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.gru(self.embedding(tokens))[0]


def tokens_given(net: Tokens, tokens: Tensor, *, nan: bool) -> tuple[Probed, list[Tensor]]:
    """The probe of a model, and the tokens that it was given in each run."""
    given: list[Tensor] = []
    net.embedding.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0].clone()))
    return probe(net, tokens, nan=nan), given


def test_tokens_stay_within_those_seen() -> None:
    tokens = torch.tensor([[3, 4, 5], [4, 5, 3], [5, 5, 4]])
    seen, given = tokens_given(Tokens(), tokens, nan=False)
    assert seen.independent is True
    assert len(given) > 10
    assert set(torch.cat([each.flatten() for each in given]).tolist()) == {3, 4, 5}
    assert probe(Tokens(batch_first=False), tokens).independent is False


def test_tokens_are_ruled_out_through_the_embedding() -> None:
    assert "NaN put into one sample reached no other" in str(probe(Tokens(), torch.randint(0, 6, (3, 4))))


def test_tokens_of_one_input_are_ruled_out_though_the_other_holds_their_stand_in() -> None:
    net = Tokens()
    source, target = torch.tensor([[3, 4], [4, 5], [5, 3]]), torch.tensor([[11, 2, 1], [2, 11, 10], [1, 1, 9]])
    seen = probe(lambda source, target: net(source).sum(1) + net(target).sum(1), source, target)
    assert "NaN put into one sample reached no other" in str(seen)


def test_the_padding_index_stays_where_it_is() -> None:
    tokens = torch.tensor([[3, 4, 5], [4, 5, 0], [5, 0, 0]])
    seen, given = tokens_given(Tokens(padding_idx=0), tokens, nan=True)
    whole = [each for each in given if each.shape == tokens.shape]
    assert len(whole) > 10
    assert all(torch.equal(each == 0, tokens == 0) for each in whole)
    assert seen.independent is True


@dataclass(frozen=True)
class Batch:
    x: Tensor
    names: tuple[str, ...]


class Pair(NamedTuple):
    first: Tensor | None
    second: Any


def test_nested_inputs_and_outputs_have_names() -> None:
    gru = nn.GRU(3, 4, num_layers=2, batch_first=True)

    def model(batch: Batch, *rest: Any, state: dict[str, Tensor], other: Pair) -> dict[str, Any]:
        out, h_n = gru(batch.x + other.second, state["h"])
        return {"out": out, "more": [h_n, None, "words"], "pair": Pair(out[:, 0], 1)}

    seen = probe(
        model,
        Batch(torch.randn(3, 5, 3), ("a", "b", "c")),
        torch.randn(3, 2),
        named={"state": {"h": torch.zeros(2, 3, 4)}, "other": Pair(None, torch.randn(3, 1, 3))},
    )
    assert [str(each) for each in seen.inputs] == [
        "batch.x (batch 3, time 5, 3)",
        "rest[0] (batch 3, 2)",
        "state['h'] (2, batch 3, 4)",
        "other.second (batch 3, 1, 3)",
    ]
    assert [str(each) for each in seen.outputs] == [
        "output['out'] (batch 3, time 5, 4)",
        "output['more'][0] (2, batch 3, 4)",
        "output['pair'].first (batch 3, 4)",
    ]
    assert (seen.independent, seen.causal, seen.unused) == (True, True, ("input `rest[0]`",))


def test_a_state_as_deep_as_the_batch_is_long_keeps_its_batch_axis() -> None:
    gru = nn.GRU(3, 4, num_layers=2)
    seen = probe(lambda x, h_0: gru(x, h_0), torch.randn(5, 2, 3), torch.randn(2, 2, 4), batch=1)
    assert [each.batch for each in seen.inputs] == [1, 1]
    assert seen.independent is True


def test_packed_sequences_in_and_out() -> None:
    lstm = nn.LSTM(3, 4, bidirectional=True)
    packed = pack_sequence([torch.randn(length, 3) for length in (3, 5, 2)], enforce_sorted=False)
    seen = probe(lstm, packed)
    assert (seen.independent, seen.causal) == (True, False)
    assert str(seen.inputs[0]) == "input (batch 3, time 5, 3)"

    def shuffled(given: PackedSequence) -> Tensor:
        padded, _ = pad_packed_sequence(lstm(given)[0])
        return padded.transpose(0, 1).roll(1, 0)

    assert probe(shuffled, packed).independent is False


def test_lengths_and_masks_are_left_alone() -> None:
    gru = nn.GRU(3, 4, batch_first=True)

    def model(x: Tensor, seq_lens: Tensor, mask: Tensor) -> Tensor:
        assert seq_lens.tolist()[:1] == [5] or len(seq_lens) < 3
        packed = pack_padded_sequence(x, seq_lens, batch_first=True)
        return gru(packed)[1][-1] * mask

    x, lengths = torch.randn(3, 5, 3), torch.tensor([5, 4, 2])
    seen = probe(model, x, lengths, torch.ones(3, 1, dtype=torch.bool))
    assert seen.notes[:2] == ("`seq_lens` was left alone: it holds lengths", "`mask` was left alone: it is a mask")
    assert (seen.independent, seen.reads_padding, seen.problems) == (True, False, ())


def test_padding_that_is_read() -> None:
    gru = nn.GRU(3, 4, batch_first=True)
    x, lengths = torch.randn(3, 5, 3), torch.tensor([5, 4, 2])
    seen = probe(lambda x, lengths: gru(x)[1][-1], x, lengths)
    assert seen.reads_padding is True
    assert seen.problems == ("the padding changes the result: values past the end of a sample are read",)
    per_step = probe(lambda x, lengths: gru(x)[0], x, lengths)
    assert per_step.problems == ()


def test_what_is_fixed_is_not_changed(x: Tensor) -> None:
    table = torch.randn(4, 3)
    seen = probe(lambda x, table: x @ torch.randn(6, 3) + table[:, None], x, table, fixed=["table"])
    assert "`table` was left alone: told to be fixed" in seen.notes


def test_annotations_tell_the_axes() -> None:
    class TimeMajor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(3, 4)

        def forward(self, x: Float[Tensor, "time batch feature"]) -> Float[Tensor, "batch hidden"]:
            return self.rnn(x)[1][0]

    seen = probe(TimeMajor(), torch.randn(5, 2, 3))
    assert (seen.independent, seen.assumed) == (True, ())


def test_a_number_for_the_time_is_that_of_the_sequence() -> None:
    gru = nn.GRU(3, 4, batch_first=True)
    seen = probe(
        lambda rest, x: gru(x)[0] + rest.sum(1)[:, None, None], torch.randn(3, 6), torch.randn(3, 5, 3), time=1
    )
    assert [str(each) for each in seen.inputs] == ["rest (batch 3, 6)", "x (batch 3, time 5, 3)"]
    assert seen.causal is True


def test_axes_of_single_tensors_can_be_told() -> None:
    seen = probe(
        lambda x, y: (x + y.T, y.sum(1)),
        torch.randn(3, 4),
        torch.randn(4, 3),
        batch={"x": 0, "y": 1},
        time=None,
        batch_out={"output[0]": 0, "output[1]": None},
    )
    assert [each.batch for each in seen.outputs] == [0, None]
    assert seen.independent is True


@pytest.mark.parametrize("batch", [0, 1])
def test_samples_and_steps_on_one_axis_are_told_apart(batch: int) -> None:
    """What `view(-1, classes)` makes for a loss."""
    right, wrong = (Tagger(batch_first=flag) for flag in (batch == 0, batch == 1))
    rows = torch.randn(4, 7, 6) if batch == 0 else torch.randn(7, 4, 6)
    seen = probe(lambda x: right(x).reshape(-1, 3), rows, batch=batch)
    assert (seen.independent, seen.causal) == (True, True)
    assert str(seen.outputs[0]) == ("output (batch 4, time 7, 3)" if batch == 0 else "output (time 7, batch 4, 3)")
    assert f"axis 0 of `output` holds the batch with 7 others: {'4 × 7' if batch == 0 else '7 × 4'}" in seen.assumed
    assert probe(lambda x: wrong(x).reshape(-1, 3), rows, batch=batch).independent is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch": 3}, "`x` has 3 axes, so its batch cannot be axis 3"),
        (
            {"named": {"y": torch.zeros(3)}, "batch": {"x": 0, "y": 0}},
            "the batch has size 4 elsewhere, and axis 0 of `y` has size 3",
        ),
        ({"batch": {"z": 0}}, "batch names `z`, and the tensors here are `x`"),
        ({"batch": 1, "time": 1}, "axis 1 of `x` is said to be the batch and the time"),
        ({"fixed": ["lengths"]}, "fixed names `lengths`, and the tensors here are `x`"),
        ({"parts": 1}, "parts is to be 2 or more, and is 1"),
        ({"fixed": ["x"]}, "no input can be changed: `x`: told to be fixed"),
        ({"batch_out": {"h": 0}}, "batch_out names `h`, and the tensors here are `output`"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], words: str, x: Tensor) -> None:
    with pytest.raises(ValueError, match=words.replace("[", r"\[")):
        probe(Tagger(), x, **options)


def test_a_model_without_tensors_is_refused(x: Tensor) -> None:
    with pytest.raises(ValueError, match="no tensor among the inputs"):
        probe(lambda word: torch.zeros(2), "word")
    with pytest.raises(ValueError, match="no tensor among the outputs"):
        probe(lambda x: None, x)
    with pytest.raises(ValueError, match="lazy layers"):
        probe(nn.LazyLinear(3), x)


def test_many_samples_are_changed_together_at_the_end() -> None:
    seen = probe(lambda x: x * 2, torch.randn(50, 3), parts=8)
    assert [str(part) for part in seen.batch[0].rows] == ["0", "1", "2", "3", "4", "5", "6", "7–49"]
    assert "samples 7–49 were changed together" in seen.notes


def test_many_steps_are_changed_in_runs(x: Tensor) -> None:
    seen = probe(Tagger(batch_first=True), torch.randn(2, 40, 6), parts=10)
    assert [str(part) for part in seen.time[0].rows][:2] == ["0–3", "4–7"]
    assert seen.causal is True


# What is shown.

PICTURE = """\
probe of `Tagger`: x (batch 4, time 7, 6) → output (batch 4, time 7, 3)

samples: output ↓  x →    steps: output ↓  x →
   0 1 2 3                   0 1 2 3 4 5 6
0  ■ · · ·                0  ■ · · · · · ·
1  ✗ ■ · ·                1  · ■ · · · · ·
2  ✗ ✗ ■ ·                2  · · ■ · · · ·
3  ✗ ✗ ✗ ■                3  · · · ■ · · ·
                          4  · · · · ■ · ·
                          5  · · · · · ■ ·
                          6  · · · · · · ■

■ depends on it   ✗ depends on another sample   · ruled out

✗ samples   mixed: sample 1 of `output` depends on sample 0 of `x`, because `lstm`
            (batch_first=False) walks along them as if they were steps, and no step sees another
! steps     each depends on the same step alone: nothing is carried from step to step
✓ unused    nothing: every input and every layer was seen to matter
  assumed   axis 0 of `x` is the batch, as a DataLoader makes it (say batch=… if not)
            axis 1 of `x` is the time, beside the batch (say time=… if not)"""


def test_printed_picture(x: Tensor) -> None:
    assert str(probe(Tagger(), x)) == PICTURE


def test_long_results_fit_a_terminal() -> None:
    seen = probe(Tagger(batch_first=True), torch.randn(30, 90, 6), parts=30)
    lines = str(seen).splitlines()
    assert max(map(len, lines)) <= 101
    assert len(lines) < 60


def is_png(path: Path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG")


def test_picture_in_a_file(x: Tensor, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = probe(Tagger(), x).plot(tmp_path / "probe.png")
    assert is_png(path)
    vector = probe(Tagger(), x).plot(str(tmp_path / "probe.svg"))
    assert vector.read_text(encoding="utf-8").startswith("<?xml")


def test_picture_shows_red_only_where_samples_are_mixed(x: Tensor, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("matplotlib.image")

    def red(seen: Probed) -> int:
        pixels = image.imread(seen.plot(tmp_path / "probe.png"))
        return int(((pixels[..., 0] > 0.75) & (pixels[..., 1] < 0.3) & (pixels[..., 2] < 0.3)).sum())

    assert red(probe(Tagger(), x)) > 20_000
    assert red(probe(Tagger(batch_first=True), x)) == 0


def test_picture_of_a_loss_and_of_nothing_to_draw(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    loss = probe(lambda x: (x.sum(1) ** 2).mean(), torch.randn(4, 3))
    assert is_png(loss.plot(tmp_path / "loss.png"))
    nothing = probe(lambda x: x.sum(), torch.randn(4, 3), batch=None, time=None)
    assert is_png(nothing.plot(tmp_path / "nothing.png"))


def test_plot_without_matplotlib_names_the_extra(x: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'rnnshape-guard\[plot\]'"):
        probe(Tagger(), x).plot(tmp_path / "probe.png")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "is_shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_progress_is_for_terminals(
    stream: io.StringIO, is_shown: bool, x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnshape_guard.runtime.probing.waiting.PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", stream)
    probe(Tagger(), x)
    assert ("probing" in stream.getvalue()) is is_shown


def test_the_probe_does_not_import_matplotlib_or_rich() -> None:
    program = (
        "import sys, torch; from rnnshape_guard.runtime.probe import probe; print(probe(torch.nn.Linear(2, 2),"
        " torch.randn(3, 2)).independent, [name for name in ('matplotlib', 'rich', 'libcst') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "True []"
