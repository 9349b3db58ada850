"""What layers say where sizes, flags and ranks are not known: conditions, identities, equations, silence."""

from __future__ import annotations

from typing import Any

import pytest

from rnnshape_guard.layers import FUNCTIONS, LinearSpec, RecurrentSpec, Spec, build, call, find
from rnnshape_guard.shapes.axes import Axis, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, Symbol, compare
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Operand, Outcome, Packed


def size(name: str) -> Dim:
    return Dim.of(Symbol(name, positive=True))


def flag(name: str) -> Dim:
    return Dim.of(Symbol(name, flag=True))


def made(kind: str, *args: Any, partial: bool = False, **kwargs: Any) -> Spec:
    """A layer of which nothing is refused; plain integers are allowed."""
    found = find(f"torch.nn.{kind}")
    assert found is not None
    built = build(found, tuple(map(operand, args)), {k: operand(v) for k, v in kwargs.items()}, partial=partial)
    assert not built.misfits
    assert built.spec is not None
    for symbol in built.positive:
        symbol.positive = True
    return built.spec


def operand(value: Any) -> Operand:
    if isinstance(value, tuple):
        return tuple(map(operand, value))
    return Dim.of(value) if isinstance(value, int) and not isinstance(value, bool) else value


def run(spec: Spec, *args: Operand) -> Outcome:
    return call(spec, args, {})


def function(name: str, *args: Operand, **kwargs: Operand) -> Outcome:
    return FUNCTIONS[f"torch.nn.utils.rnn.{name}"](args, kwargs)


def shape(result: Any) -> Shape:
    assert isinstance(result, Shape)
    return result


def axes(result: Any) -> tuple[Axis, ...]:
    found = shape(result).axes
    assert found is not None
    return found


X = Shape.sized(4, 5, 8, names=("batch", "time", "features"), dtype="float")


# -- finding and building --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("torch.nn.LSTM", "LSTM"),
        ("torch.nn.modules.rnn.LSTM", "LSTM"),
        ("torch.nn.modules.LSTM", "LSTM"),
        ("torch.nn.Embedding.from_pretrained", "Embedding.from_pretrained"),
        ("torch.nn.modules.sparse.Embedding.from_pretrained", "Embedding.from_pretrained"),
        ("torch.nn.Module", None),
        ("torch.LSTM", None),
        ("torch.nn", None),
        ("keras.layers.LSTM", None),
    ],
)
def test_layers_are_found_by_their_paths(path: str, name: str | None) -> None:
    kind = find(path)
    assert (kind.name if kind else None) == name


def test_a_spec_tells_what_was_given_and_how() -> None:
    spec = made("LSTM", 8, 16, 2, True, bidirectional=True)
    assert spec.given == {"input_size", "hidden_size", "num_layers", "bias", "bidirectional"}
    assert spec.positional == {"input_size", "hidden_size", "num_layers", "bias"}


def test_equal_layers_are_equal_specs() -> None:
    hidden = size("hidden")
    assert made("LSTM", 8, hidden) == made("LSTM", input_size=8, hidden_size=hidden)
    assert made("LSTM", 8, hidden) != made("GRU", 8, hidden)


def test_with_unseen_arguments_nothing_has_its_default() -> None:
    spec = made("LSTM", 8, 16, partial=True)
    assert isinstance(spec, RecurrentSpec)
    assert spec.batch_first is UNKNOWN
    assert spec.directions is UNKNOWN
    assert spec.num_layers is UNKNOWN
    outcome = run(spec, X)
    assert not outcome.misfits
    assert not outcome.learned
    assert run(made("Linear", 16, 2), outcome.result[0]).misfits == ()


def test_what_configures_a_layer_is_a_flag_or_positive() -> None:
    hidden, both, padding = Symbol("hidden"), Symbol("both"), Symbol("padding")
    lstm = find("torch.nn.LSTM")
    assert lstm is not None
    built = build(lstm, (Dim.of(8), Dim.of(hidden) // 2), {"bidirectional": Dim.of(both)})
    assert built.flags == (both,)
    assert hidden in built.positive
    conv = find("torch.nn.Conv1d")
    assert conv is not None
    assert padding not in build(conv, (Dim.of(8), Dim.of(4), Dim.of(3)), {"padding": Dim.of(padding)}).positive


def test_a_misplaced_flag_is_refused_where_torch_refuses_it() -> None:
    rnn = find("torch.nn.RNN")
    assert rnn is not None
    (misfit,) = build(rnn, (Dim.of(8), Dim.of(4), Dim.of(1), True), {}).misfits
    assert misfit.operand == "nonlinearity"


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_a_linear_of_one_direction_is_wrong_when_bidirectional() -> None:
    hidden, both = size("hidden"), flag("bidirectional")
    output, _ = run(made("LSTM", 8, hidden, bidirectional=both), X).result
    (misfit,) = run(made("Linear", hidden, 2), output).misfits
    assert misfit.fault is Fault.SIZE
    assert misfit.condition == ((both.symbol, 1),)
    assert not run(made("Linear", hidden * (1 + both), 2), output).misfits
    (always,) = run(made("Linear", 3 * hidden, 2), output).misfits
    assert always.condition == ()


def test_a_flag_found_out_later_counts() -> None:
    both = Symbol("bidirectional", flag=True)
    spec = made("LSTM", 8, 16, bidirectional=Dim.of(both))
    both.value = Dim.of(1)
    assert isinstance(spec, RecurrentSpec)
    assert spec.directions == 2


def test_half_of_the_hidden_size_in_each_direction_is_the_hidden_size() -> None:
    hidden = size("hidden")
    output, _ = run(made("GRU", 8, hidden // 2, bidirectional=True), X).result
    assert not run(made("Linear", hidden, 2), output).misfits
    (misfit,) = run(made("Linear", hidden // 2, 2), output).misfits
    assert misfit.condition == ()


def test_two_sizes_that_may_be_equal_make_an_equation() -> None:
    width = size("width")
    outcome = run(made("LSTM", width, 4), X)
    assert not outcome.misfits
    ((found, expected),) = outcome.equations
    assert found.value == 8
    assert expected == width


def test_a_state_is_layers_times_directions() -> None:
    layers, both = size("layers"), flag("both")
    spec = made("GRU", 8, 16, layers, bidirectional=both)
    state = Shape.sized(layers * (1 + both), 5, 16)
    assert not run(spec, X, state).misfits
    assert not run(spec, X, state).equations
    (misfit,) = run(spec, X, Shape.sized(layers, 5, 16)).misfits
    assert (misfit.operand, misfit.axis, misfit.condition) == ("h_0", 0, ((both.symbol, 1),))


def test_a_state_has_the_batch_of_the_input() -> None:
    batch, time = size("batch"), size("time")
    steps = Shape.sized(batch, time, 8)
    spec = made("GRU", 8, 16, batch_first=True)
    assert not run(spec, steps, Shape.sized(1, steps.axes[0].size, 16)).equations  # type: ignore[index]
    ((_, expected),) = run(spec, steps, Shape.sized(1, time, 16)).equations
    assert expected == steps.axes[0].size  # type: ignore[index]
    (misfit,) = run(made("LSTM", 8, 16, batch_first=True), X, (Shape.sized(1, 4, 16), Shape.sized(1, 5, 16))).misfits
    assert (misfit.operand, misfit.axis) == ("c_0", 1)


def test_a_projection_narrows_h_n_and_the_output_but_not_c_n() -> None:
    output, (h_n, c_n) = run(made("LSTM", 8, 16, proj_size=3), X).result
    assert axes(output)[-1].size.value == 3
    assert axes(h_n)[-1].size.value == 3
    assert axes(c_n)[-1].size.value == 16
    unsure, (_, cell) = run(made("LSTM", 8, 16, proj_size=Dim.of(Symbol("projection"))), X).result
    assert axes(unsure)[-1].size.value is None
    assert axes(cell)[-1].size.value == 16


def test_a_size_worked_out_by_a_convolution() -> None:
    length = size("length")
    signal = Shape.sized(4, 8, length)
    assert compare(axes(run(made("Conv1d", 8, 3, 5), signal).result)[2].size, length - 4).equal
    assert axes(run(made("Conv1d", 8, 3, 5, stride=2), signal).result)[2].size.value is None
    assert axes(run(made("GLU", 1), signal).result)[1].size.value == 4


# -- identities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_first", [True, False, flag("batch_first"), UNKNOWN])
def test_an_output_keeps_batch_and_time(batch_first: Any) -> None:
    output, (h_n, c_n) = run(made("LSTM", 8, 16, 2, batch_first=batch_first, bidirectional=True), X).result
    assert axes(output)[:2] == axes(X)[:2]
    direction, hidden = axes(output)[2].atoms
    assert axes(h_n)[0].atoms[1] is direction
    assert axes(h_n)[2].atom is hidden
    assert axes(c_n)[2].atom is hidden
    layer = axes(h_n)[0].atoms[0]
    assert [atom.kind for atom in (layer, direction, hidden)] == [Role.LAYER, Role.DIRECTION, Role.HIDDEN]
    if isinstance(batch_first, bool):
        assert axes(h_n)[1] == axes(X)[0 if batch_first else 1]
    else:
        assert axes(h_n)[1] not in axes(X)


def test_one_layer_of_one_direction_still_has_its_atoms() -> None:
    output, h_n = run(made("GRU", 8, 16), X).result
    assert [atom.kind for atom in output.atoms()][-2:] == [Role.DIRECTION, Role.HIDDEN]
    assert [atom.size.value for atom in axes(h_n)[0].atoms] == [1, 1]


def test_the_units_of_a_cell_are_the_same_at_every_step() -> None:
    cell = made("LSTMCell", 8, 16)
    step = Shape((axes(X)[0], axes(X)[2]), True, "float")
    h_1, c_1 = run(cell, step).result
    h_2, _ = run(cell, step, (h_1, c_1)).result
    assert axes(h_2) == axes(h_1) == (axes(X)[0], axes(h_1)[1])


def test_layers_over_the_last_axis_keep_the_others() -> None:
    assert axes(run(made("Linear", 8, 3), X).result)[:2] == axes(X)[:2]
    tokens = Shape(axes(X)[:2], True, "int")
    embedded = axes(run(made("Embedding", 100, 3), tokens).result)
    assert embedded[:2] == axes(X)[:2]
    assert embedded[2].role() is Role.FEATURE
    for kind, args in (("LayerNorm", (8,)), ("Dropout", ()), ("ReLU", ()), ("Softmax", (-1,))):
        assert axes(run(made(kind, *args), X).result) == axes(X)


def test_time_that_was_convolved_is_still_time() -> None:
    signal = Shape.sized(4, 8, size("time"))
    time = axes(signal)[2]
    assert axes(run(made("Conv1d", 8, 3, 3, padding=1), signal).result)[2] == time
    assert axes(run(made("Conv1d", 8, 3, 3, padding="same"), signal).result)[2] == time
    for spec in (
        made("Conv1d", 8, 3, 3),
        made("MaxPool1d", 2),
        made("ConvTranspose1d", 8, 3, 3),
        made("AvgPool1d", 3, 2),
    ):
        kept = axes(run(spec, signal).result)
        assert kept[0] == axes(signal)[0]
        assert kept[2].atom is not None
        assert kept[2].atom.root is time.atom


def test_flattening_joins_atoms_in_order() -> None:
    merged = axes(run(made("Flatten"), X).result)
    assert merged == (axes(X)[0], Axis((*axes(X)[1].atoms, *axes(X)[2].atoms)))
    assert axes(run(made("Unflatten", 1, (5, 8)), Shape(merged)).result) == axes(X)


def test_padding_to_the_length_of_the_input_brings_its_time_back() -> None:
    batch, time = size("batch"), size("time")
    steps = Shape.sized(batch, time, 8)
    packed = function("pack_padded_sequence", steps, UNKNOWN, batch_first=True).result
    assert isinstance(packed, Packed)
    assert packed.batch == axes(steps)[0]
    assert packed.time.atom is not None
    assert packed.time.atom is not axes(steps)[1].atom
    assert packed.time.atom.root is axes(steps)[1].atom
    output, h_n = run(made("GRU", 8, 16), packed).result
    padded, lengths = function("pad_packed_sequence", output, batch_first=True).result
    assert axes(padded)[0] == axes(lengths)[0] == axes(h_n)[1] == axes(steps)[0]
    whole, _ = function("pad_packed_sequence", output, total_length=axes(steps)[1].size).result
    assert axes(whole)[:2] == (axes(steps)[1], axes(steps)[0])


def test_sequences_from_a_loop_are_stacked() -> None:
    item = Shape.sized(size("length"), 8)
    count = size("count")
    padded = axes(function("pad_sequence", Many(item, count), batch_first=True).result)
    assert padded[0].size.symbol is not None
    assert padded[0].size.symbol.value == count
    assert padded[2] == axes(item)[1]


# -- unknown ranks ---------------------------------------------------------------------------------------------------


def closed(outcome: Outcome, given: Shape) -> tuple[Axis, ...]:
    """The axes that a call makes of its input of unknown rank."""
    for rest, parts in outcome.closes:
        rest.solve(parts)
    return axes(given)


@pytest.mark.parametrize(
    ("spec", "rank"),
    [
        (made("LSTM", 8, 4, batch_first=True), 3),
        (made("GRUCell", 8, 4), 2),
        (made("Conv1d", 8, 4, 3, padding=1), 3),
        (made("Conv2d", 8, 4, 3, padding=1), 4),
        (made("MaxPool1d", 1), 3),
        (made("BatchNorm2d", 8), 4),
    ],
)
def test_a_call_fixes_an_unknown_rank(spec: Spec, rank: int) -> None:
    given = Shape.unknown()
    outcome = run(spec, given)
    found = closed(outcome, given)
    assert len(found) == rank
    result = outcome.result[0] if isinstance(outcome.result, tuple) else outcome.result
    assert axes(result)[0] == found[0]


def test_axes_known_from_either_end_stay() -> None:
    front, back = Axis.new("batch"), Axis.new("features", 8)
    given = Shape((front, Rest(), back))
    outcome = run(made("GRU", 8, 4, batch_first=True), given)
    found = closed(outcome, given)
    assert (found[0], found[2]) == (front, back)
    assert axes(outcome.result[0])[:2] == found[:2]


def test_one_tensor_of_unknown_rank_given_thrice_is_closed_once() -> None:
    given = Shape.unknown()
    outcome = run(made("MultiheadAttention", 8, 2, batch_first=True), given, given, given)
    assert len(outcome.closes) == 1
    found = closed(outcome, given)
    output, weights = outcome.result
    assert axes(output)[:2] == found[:2]
    assert axes(weights) == (found[0], found[1], found[1])
    assert [sizes for sizes in outcome.equations if sizes[1].value != 8] == []


def test_a_state_without_a_batch_says_that_the_input_has_none() -> None:
    given = Shape.unknown()
    outcome = run(made("GRU", 8, 4), given, Shape.sized(1, 4))
    assert not outcome.misfits
    assert len(closed(outcome, given)) == 2
    (misfit,) = run(made("GRU", 8, 4), Shape.unknown(3), Shape.sized(1, 4)).misfits
    assert misfit.operand == "h_0"


def test_a_rank_that_cannot_be_is_a_misfit() -> None:
    (misfit,) = run(made("LSTM", 8, 4), Shape.unknown(4)).misfits
    assert misfit.fault is Fault.RANK
    assert misfit.ranks == (2, 3)


def test_layers_over_the_last_axis_leave_an_unknown_rank_open() -> None:
    given = Shape.unknown()
    outcome = run(made("Linear", 8, 3), given)
    result = shape(outcome.result)
    assert result.rank is None
    assert result.axis(-1) is not None
    assert result.axis(-1).size.value == 3  # type: ignore[union-attr]
    ((found, expected),) = outcome.equations
    assert expected == 8
    for rest, parts in outcome.closes:
        rest.solve(parts)
    assert given.axis(-1) is not None
    assert given.axis(-1).size == found  # type: ignore[union-attr]
    assert shape(run(made("Embedding", 9, 3), Shape.unknown(1)).result).least_rank == 2


def test_of_an_unknown_input_the_features_are_known() -> None:
    output, (h_n, _) = run(made("LSTM", 8, 16, bidirectional=True), UNKNOWN).result
    assert shape(output).perhaps_packed
    assert shape(output).rank is None
    (misfit,) = run(made("Linear", 16, 2), output).misfits
    assert misfit.expected == 16
    assert shape(h_n).axis(0).size.value == 2  # type: ignore[union-attr]
    padded, _ = function("pad_packed_sequence", output, batch_first=True).result
    assert shape(padded).axis(-1) == shape(output).axis(-1)
    assert not function("pad_packed_sequence", output).misfits
    assert run(made("GRU", 16, 4), output).misfits
    assert not run(made("GRU", 32, 4), output).misfits


@pytest.mark.parametrize(
    "kind", ["Linear", "LSTM", "LSTMCell", "Conv1d", "MultiheadAttention", "BatchNorm1d", "CrossEntropyLoss"]
)
def test_the_unknown_is_silent(kind: str) -> None:
    found = find(f"torch.nn.{kind}")
    assert found is not None
    unknowns: dict[str, Operand] = {parameter.name: UNKNOWN for parameter in found.parameters}
    built = build(found, (), unknowns)
    assert not built.misfits
    assert built.spec is not None
    for given in (UNKNOWN, Shape.unknown(), *([] if "Cell" in kind else [X])):
        outcome = call(
            built.spec,
            (),
            {parameter.name: given if place == 0 else UNKNOWN for place, parameter in enumerate(found.inputs)},
        )
        assert not outcome.misfits


# -- what does not fit -----------------------------------------------------------------------------------------------


def test_a_tuple_for_a_tensor_goes_on_as_its_first() -> None:
    spec = made("GRU", 8, 16)
    outcome = run(made("Linear", 16, 2), run(spec, X).result)
    assert [misfit.fault for misfit in outcome.misfits] == [Fault.TYPE]
    assert axes(outcome.result)[:2] == axes(X)[:2]


def test_states_that_are_not_a_pair() -> None:
    lstm = made("LSTM", 8, 16)
    state = Shape.sized(1, 5, 16, dtype="float")
    (alone,) = run(lstm, X, state).misfits
    assert (alone.fault, alone.operand) == (Fault.TYPE, "hx")
    (apart,) = run(lstm, X, state, state).misfits[:1]
    assert (apart.fault, apart.operand, apart.found) == (Fault.COUNT, "args", Dim.of(3))
    (paired,) = run(made("GRU", 8, 16), X, (state, state)).misfits
    assert (paired.fault, paired.operand) == (Fault.TYPE, "h_0")


def test_after_a_misfit_the_result_is_the_one_that_was_meant() -> None:
    outcome = run(made("LSTM", 9, 16, batch_first=True), X)
    assert outcome.misfits
    assert [axis.size.value for axis in axes(outcome.result[0])] == [4, 5, 16]


def test_losses_that_only_broadcast_are_no_misfit() -> None:
    outcome = run(made("MSELoss", reduction="none"), Shape.sized(4, 1), Shape.sized(4))
    assert not outcome.misfits
    assert [axis.size.value for axis in axes(outcome.result)] == [4, 4]


def test_classes_stand_at_axis_1() -> None:
    steps, batch = size("time"), size("batch")
    (misfit,) = run(made("CrossEntropyLoss"), Shape.sized(4, 5, 8), Shape.sized(4, 5, dtype="int")).misfits
    assert (misfit.operand, misfit.axis) == ("target", 1)
    outcome = run(made("CrossEntropyLoss"), Shape.sized(batch, 10, steps), Shape.sized(batch, steps, dtype="int"))
    assert outcome.misfits == outcome.equations == ()


# -- what is learned -------------------------------------------------------------------------------------------------


def roles(outcome: Outcome) -> list[tuple[str, Role, Strength]]:
    return [(learned.atom.name, learned.role, learned.strength) for learned in outcome.learned]


def test_a_layer_reads_a_layout() -> None:
    steps = Shape.sized(None, None, 8, names=("first", "second", "third"))
    assert roles(run(made("LSTM", 8, 16), steps)) == [
        ("first", Role.TIME, Strength.LAYER),
        ("second", Role.BATCH, Strength.LAYER),
    ]
    assert roles(run(made("LSTM", 8, 16, batch_first=True), steps))[0] == ("first", Role.BATCH, Strength.LAYER)
    assert roles(run(made("LSTM", 8, 16, batch_first=flag("first")), steps)) == []


def test_an_axis_of_size_1_has_no_role() -> None:
    assert roles(run(made("LSTM", 8, 16), Shape.sized(1, None, 8))) == [("axis1", Role.BATCH, Strength.LAYER)]


def test_packing_is_structural_and_a_packed_batch_has_no_layout() -> None:
    steps = Shape.sized(None, None, 8, names=("first", "second", "third"))
    packing = function("pack_padded_sequence", steps, UNKNOWN, batch_first=True)
    assert roles(packing) == [
        ("first", Role.BATCH, Strength.STRUCTURAL),
        ("second", Role.TIME, Strength.STRUCTURAL),
    ]
    assert isinstance(packing.result, Packed)
    assert roles(run(made("LSTM", 8, 16), packing.result)) == []


def test_a_convolution_reads_channels() -> None:
    signal = Shape.sized(None, 8, None, names=("first", "second", "third"))
    assert roles(run(made("Conv1d", 8, 3, 3), signal)) == [("second", Role.CHANNEL, Strength.STRUCTURAL)]


def test_specs_are_exported() -> None:
    assert isinstance(made("Linear", 8, 3), LinearSpec)
