"""Contracts of layers and shapes stated inside a forward."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnshape_guard import Recurrent, ShapeContractError, guard, shaped, unguard
from rnnshape_guard.shapes.annotations import NotationError


@guard
class Tagger(nn.Module):
    lstm: Recurrent[nn.LSTM, "batch time word -> batch time 2*hidden, 2*layers batch hidden"]

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 4, batch_first=True, **{"bidirectional": True, "num_layers": 2} | options)

    def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch time 2*hidden"]:
        out, _ = self.lstm(x)
        return out


def test_a_contract_that_holds_is_silent() -> None:
    model = Tagger()
    for sizes in ((2, 3), (4, 5), (3, 3), (1, 7), (7, 1)):
        assert model(torch.randn(*sizes, 6)).shape == (*sizes, 8)


def test_the_options_of_the_layer_are_held_to_the_contract() -> None:
    with pytest.raises(ShapeContractError) as caught:
        Tagger(bidirectional=False)(torch.randn(2, 5, 6))
    error = caught.value
    assert error.layer == "lstm"
    assert error.message == "axis 2 of `lstm: output` is 4, but `2*hidden` is 8"
    assert error.place.text == "self.lstm(x)"


def test_a_count_that_no_number_makes() -> None:
    class Model(Tagger):
        lstm: Recurrent[nn.LSTM, "batch time word -> batch time _, 2*layers batch hidden"]

    with pytest.raises(ShapeContractError, match=r"axis 0 of `lstm: h_n` is 3, but `2\*layers` is stated"):
        guard(Model)(bidirectional=False, num_layers=3)(torch.randn(2, 5, 6))


def test_names_bind_between_arguments_contracts_and_results() -> None:
    class Model(nn.Module):
        rnn: Recurrent[nn.GRU, "batch time word -> batch time hidden"]

        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4, batch_first=True)
            self.head = nn.Linear(4, 5)

        def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch hidden"]:
            return self.head(self.rnn(x)[0][:, -1])

    with pytest.raises(ShapeContractError, match="axis 1 of the result is 5, but `hidden` is 4") as caught:
        guard(Model)()(torch.randn(2, 3, 6))
    assert "axis 2 of `rnn: output`" in caught.value.bindings["hidden"].origin


def test_a_size_that_a_contract_bound_is_compared_at_later_calls() -> None:
    class Model(nn.Module):
        rnn: Recurrent[nn.GRU, "batch time word -> batch time hidden"]

        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4, batch_first=True)
            self.cut = 4

        def forward(self, x: Float[Tensor, "batch time word"]) -> Float[Tensor, "batch hidden"]:
            return self.rnn(x)[0][:, -1, : self.cut]

    model = guard(Model)()
    model(torch.randn(2, 3, 6)), model(torch.randn(4, 5, 6))
    model.cut = 3
    with pytest.raises(ShapeContractError, match="axis 1 of the result is 3, but `hidden` is 4"):
        model(torch.randn(2, 3, 6))


def test_a_contract_that_contradicts_batch_first() -> None:
    class Model(nn.Module):
        lstm: Recurrent[nn.LSTM, "batch time word -> batch time hidden"]

        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(6, 4)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.lstm(x)[0]

    with pytest.raises(ShapeContractError) as caught:
        guard(Model)()(torch.randn(5, 5, 6))
    assert caught.value.code == "RSG101"


@pytest.mark.parametrize("batch_first", [True, False])
def test_packed_sequences(batch_first: bool) -> None:
    axes = "batch time" if batch_first else "time batch"

    class Model(nn.Module):
        __annotations__ = {"rnn": Recurrent[nn.GRU, f"{axes} word -> {axes} hidden, 1 batch hidden"]}

        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4, batch_first=batch_first)

        def forward(self, x: Float[Tensor, f"{axes} word"], lengths: Tensor) -> Float[Tensor, f"{axes} hidden"]:
            packed = pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=False)
            out, _ = self.rnn(packed)
            return pad_packed_sequence(out, batch_first=batch_first)[0]

    model = guard(Model)()
    for _ in range(2):
        x = torch.randn(2, 5, 6) if batch_first else torch.randn(5, 2, 6)
        assert model(x, torch.tensor([5, 3])).shape[-1] == 4


def test_cells_and_layers_of_another_kind() -> None:
    class Model(nn.Module):
        cell: Recurrent[nn.LSTMCell, "batch word, batch hidden -> batch hidden"]

        def __init__(self, cell: nn.Module) -> None:
            super().__init__()
            self.cell = cell

        def forward(self, x: Float[Tensor, "batch time word"]) -> Tensor:
            state = x.new_zeros(x.size(0), 4), x.new_zeros(x.size(0), 4)
            for t in range(x.size(1)):
                state = self.cell(x[:, t], state)
            return state[0]

    guard(Model)
    assert Model(nn.LSTMCell(6, 4))(torch.randn(2, 3, 6)).shape == (2, 4)
    with pytest.raises(ShapeContractError, match=r"`cell` is an nn.GRUCell, but its contract is for nn.LSTMCell"):
        Model(nn.GRUCell(6, 4))(torch.randn(2, 3, 6))


def test_annotations_are_taken_out_for_torchscript() -> None:
    assert "lstm" not in Tagger.__annotations__

    class Model(nn.Module):
        rnn: Recurrent[nn.GRU, "time batch word -> time batch hidden"]

        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.rnn(x)[0]

    model = guard(Model)()
    x = torch.randn(3, 2, 6)
    with pytest.warns(DeprecationWarning):
        scripted = torch.jit.script(model)
    assert torch.equal(scripted(x), model(x))


BAD = {
    "batch time word": "a contract has an arrow",
    "batch time word -> batch time 2 * hidden": "an axis has no spaces in it: write 2*hidden",
    "a b c, d e f, d e f, g -> a b c": "a tensor too many: the layer takes an input and a state",
    "a b c -> a b c, d e f, d e f, g": "a tensor too many: the layer gives an output and a state",
    "a b c -> a b 2hid": "a name can't begin with a digit",
}


@pytest.mark.parametrize("text", BAD)
def test_bad_contracts_are_refused_where_they_are_written(text: str) -> None:
    with pytest.raises(NotationError) as caught:
        Recurrent[nn.LSTM, text]
    message, written, mark = str(caught.value).splitlines()
    assert BAD[text] in message and "Recurrent[nn.LSTM]" in message
    assert written.strip() == text
    assert mark.index("^") - 4 == caught.value.offset <= len(text)


def test_other_bad_contracts() -> None:
    with pytest.raises(TypeError, match="RNN, LSTM, GRU or their cells, not for Linear"):
        Recurrent[nn.Linear, "a -> b"]
    with pytest.raises(TypeError, match="a contract is written"):
        Recurrent[nn.LSTM]


def test_a_contract_that_cannot_be_evaluated_is_refused() -> None:
    class Model(nn.Module):
        rnn: Recurrent[nowhere.GRU, "a b c -> a b d"]  # type: ignore[name-defined]

        def forward(self, x):  # type: ignore[no-untyped-def]
            return x

    with pytest.raises(TypeError, match="the contract of `Model.rnn` can't be read: name 'nowhere' is not defined"):
        guard(Model)


# -- shaped ----------------------------------------------------------------------------------------------------------


def test_shaped_returns_what_it_is_given() -> None:
    x = torch.zeros(2, 3)
    assert shaped(x, "batch 3") is x
    for text, words in {
        "batch": "has 2 axes, but `batch` names 1",
        "a a": "axis 1 of `x` is 3",
        "2 4": "4` is stated",
    }.items():
        for _ in range(2):
            with pytest.raises(ShapeContractError, match=words):
                shaped(x, text)
    with pytest.raises(NotationError, match=r"shaped: an axis has no spaces in it"):
        shaped(x, "2 * b 3")
    with pytest.raises(ShapeContractError, match="`None` is None, but a Tensor is stated"):
        shaped(None, "batch")  # type: ignore[arg-type]


def test_shaped_shares_the_names_of_the_call() -> None:
    class Model(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4, batch_first=True)
            self.head = nn.Linear(4, width)

        def forward(self, x: Float[Tensor, "batch time word"]) -> Tensor:
            out = shaped(self.rnn(x)[0], "batch time hidden")
            return shaped(self.head(out)[:, 0], "batch hidden")

    for _ in range(2):
        assert guard(Model(4))(torch.randn(2, 3, 6)).shape == (2, 4)
    with pytest.raises(ShapeContractError) as caught:
        guard(Model(5))(torch.randn(2, 3, 6))
    assert caught.value.message == "axis 1 of `self.head(out)[:, 0]` is 5, but `hidden` is 4"
    assert caught.value.place.text.startswith("shaped(self.head(out)")


def test_shaped_inside_a_module_that_is_not_guarded_has_names_of_its_own() -> None:
    class Inner(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return shaped(x.transpose(0, 1), "batch time word")

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()

        def forward(self, x: Float[Tensor, "batch time word"]) -> Tensor:
            return self.inner(x)

    assert guard(Outer())(torch.randn(2, 3, 6)).shape == (3, 2, 6)


def test_shaped_states_the_layout_to_the_rules() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.GRU(6, 4)

        def forward(self, x):  # type: ignore[no-untyped-def]
            return self.rnn(shaped(x, "batch time word"))[0]

    with pytest.raises(ShapeContractError, match="RSG101"):
        guard(Model())(torch.randn(5, 5, 6))


class Scripted(nn.Module):
    def forward(self, x):  # type: ignore[no-untyped-def]
        return shaped(x, "batch time") + 1


def test_shaped_steps_aside_for_compilers() -> None:
    x = torch.randn(2, 3)
    assert torch.equal(torch.compile(Scripted(), backend="eager", fullgraph=True)(x), x + 1)
    with pytest.warns(DeprecationWarning):
        scripted = torch.jit.script(Scripted())
    assert torch.equal(scripted(x), x + 1)
    with pytest.warns(DeprecationWarning):
        traced = torch.jit.trace(Scripted(), (x,))
    assert torch.equal(traced(torch.randn(3, 4) * 0), torch.ones(3, 4))


def test_unguard_leaves_contracts_without_effect() -> None:
    class Model(Tagger):
        pass

    guard(Model)
    assert unguard(Model)(bidirectional=True)(torch.randn(2, 3, 6)).shape == (2, 3, 8)


def test_a_type_checker_reads_a_contract_as_the_layer(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            from torch import Tensor, nn
            from rnnshape_guard import Recurrent, guard, shaped

            @guard
            class Model(nn.Module):
                lstm: Recurrent[nn.LSTM, "batch time word -> batch time 2*hidden, 2*layers batch hidden"]

                def __init__(self) -> None:
                    super().__init__()
                    self.lstm = nn.LSTM(6, 4)

                def forward(self, x: Tensor) -> Tensor:
                    out, _ = self.lstm(x)
                    return shaped(out, "time batch hidden")

            size: int = Model().lstm.hidden_size
            model: Model = guard(Model(), strict=True)
            """
        )
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stdout
