"""What the algebra knows where sizes are names: which atoms a view takes, when it scrambles, what stays in doubt."""

from __future__ import annotations

import pytest

from rnnshape_guard.ops import binary, find, index, perform
from rnnshape_guard.shapes.axes import Atom, Axis, Evidence, Role, Shape, Strength
from rnnshape_guard.shapes.dims import Dim, Symbol, compare
from rnnshape_guard.shapes.outcomes import UNKNOWN, Fault, Many, Named, Operand, Outcome, Packed, Slice

BATCH, TIME, FEATURE = Atom("batch"), Atom("time"), Atom("feature")
WIDTH = Dim.of(Symbol("hidden_size", positive=True))
HIDDEN = Atom("hidden", WIDTH, kind=Role.HIDDEN)
X = Shape.of(Axis((BATCH,)), Axis((TIME,)), Axis((FEATURE,)))


def dim(value: Operand | int) -> Operand:
    match value:
        case bool():
            return value
        case int():
            return Dim.of(value)
        case tuple():
            return tuple(dim(item) for item in value)
        case _:
            return value


def apply(path: str, *args: Operand | int, **kwargs: Operand | int) -> Outcome:
    operation = find(path)
    assert operation is not None
    return perform(operation, [dim(arg) for arg in args], {key: dim(value) for key, value in kwargs.items()})[1]


def shape_of(outcome: Outcome) -> Shape:
    assert isinstance(outcome.result, Shape)
    return outcome.result


def axes_of(outcome: Outcome) -> list[tuple[Atom, ...]]:
    axes = shape_of(outcome).axes
    assert axes is not None
    return [axis.atoms for axis in axes]


def states(layers: Dim | int, directions: Dim | int) -> tuple[Shape, Atom, Atom]:
    """The h_n of an RNN: (layer·direction, batch, hidden)."""
    layer = Atom("layer", layers, kind=Role.LAYER)
    direction = Atom("direction", directions, kind=Role.DIRECTION)
    return Shape.of(Axis((layer, direction)), Axis((BATCH,)), Axis((HIDDEN,))), layer, direction


def output(directions: Dim | int) -> tuple[Shape, Atom]:
    direction = Atom("direction", directions, kind=Role.DIRECTION)
    return Shape.of(Axis((BATCH,)), Axis((TIME,)), Axis((direction, HIDDEN))), direction


def flag() -> Dim:
    return Dim.of(Symbol("bidirectional", flag=True))


def test_a_size_follows_its_axis_through_a_permute() -> None:
    moved = apply("Tensor.permute", X, 1, 0, 2)
    assert axes_of(moved) == [(TIME,), (BATCH,), (FEATURE,)]
    assert apply("Tensor.size", moved.result, 1).result == apply("Tensor.size", X, 0).result == BATCH.size


def test_view_as_permute_is_a_scramble() -> None:
    outcome = apply("Tensor.view", X, TIME.size, BATCH.size, -1)
    (misfit,) = outcome.misfits
    assert (misfit.fault, misfit.axis, misfit.wanted, misfit.skipped) == (Fault.SCRAMBLE, 0, (TIME,), (BATCH,))
    assert axes_of(outcome) == [(TIME,), (BATCH,), (FEATURE,)]


def test_equal_numbers_of_different_axes_are_no_proof_of_order() -> None:
    batch, layer = Atom("batch", 2), Atom("layer", 2)
    x = Shape.of(Axis((batch,)), Axis((layer,)))
    assert apply("Tensor.view", x, layer.size, batch.size).misfits[0].fault is Fault.SCRAMBLE
    assert not apply("Tensor.view", x, 2, 2).misfits
    assert axes_of(apply("Tensor.view", x, 2, 2)) == [(batch,), (layer,)]


def test_merging_and_splitting_by_the_same_sizes_gives_the_axes_back() -> None:
    merged = apply("Tensor.reshape", X, -1, FEATURE.size)
    assert axes_of(merged) == [(BATCH, TIME), (FEATURE,)]
    assert axes_of(apply("Tensor.view", merged.result, BATCH.size, TIME.size, -1)) == [(BATCH,), (TIME,), (FEATURE,)]


def test_a_wrong_unmerge_is_a_scramble() -> None:
    merged = apply("Tensor.reshape", X, BATCH.size * TIME.size, FEATURE.size)
    (misfit,) = apply("Tensor.view", merged.result, TIME.size, BATCH.size, FEATURE.size).misfits
    assert (misfit.fault, misfit.wanted, misfit.skipped) == (Fault.SCRAMBLE, (TIME,), (BATCH,))


@pytest.mark.parametrize(("layers", "directions", "skipped"), [(1, 1, 0), (1, 2, 1), (2, 1, 1), (2, 2, 2)])
def test_states_flattened_into_samples(layers: int, directions: int, skipped: int) -> None:
    h_n, layer, direction = states(layers, directions)
    outcome = apply("Tensor.view", h_n, BATCH.size, -1)
    if not skipped:
        assert not outcome.misfits
        assert axes_of(outcome) == [(BATCH,), (HIDDEN,)]
        return
    (misfit,) = outcome.misfits
    assert misfit.fault is Fault.SCRAMBLE
    assert misfit.wanted == (BATCH,)
    assert set(misfit.skipped) == {atom for atom in (layer, direction) if atom.size.value != 1}


def test_a_view_tells_the_length_of_what_was_cut() -> None:
    cut = Atom("time", source=TIME)
    half, wide = TIME.size // 2, 2 * FEATURE.size
    batch_first = Shape.of(Axis((BATCH,)), Axis((cut,)), Axis((FEATURE,)))
    paired = apply("Tensor.view", batch_first, (BATCH.size, half, wide))
    assert not paired.misfits
    assert [atom.root for atom in axes_of(paired)[2]] == [TIME, FEATURE]
    time_major = Shape.of(Axis((cut,)), Axis((BATCH,)), Axis((FEATURE,)))
    (scramble,) = apply("Tensor.view", time_major, (half, BATCH.size, wide)).misfits
    assert scramble.fault is Fault.SCRAMBLE
    assert scramble.wanted == (BATCH,)
    other = Shape.of(Axis((Atom("time", source=Atom("another")),)), Axis((BATCH,)), Axis((FEATURE,)))
    assert not apply("Tensor.view", other, (half, BATCH.size, wide)).misfits


def test_a_flag_makes_the_scramble_conditional() -> None:
    bidirectional = flag()
    h_n, _, direction = states(1, 1 + bidirectional)
    (misfit,) = apply("Tensor.view", h_n, BATCH.size, -1).misfits
    assert misfit.skipped == (direction,)
    assert misfit.condition == ((bidirectional.symbol, 1),)


def test_joining_directions_by_view_mixes_samples() -> None:
    h_n, _, direction = states(1, 2)
    (misfit,) = apply("Tensor.view", h_n, -1, 2 * WIDTH).misfits
    assert misfit.fault is Fault.SCRAMBLE
    assert misfit.wanted == (direction, HIDDEN)
    assert misfit.skipped == (BATCH,)


@pytest.mark.parametrize("batch", [4, None])
def test_joining_directions_by_view_mixes_samples_whatever_the_batch(batch: int | None) -> None:
    samples = Atom("batch", batch)
    layer, direction = Atom("layer", 1, kind=Role.LAYER), Atom("direction", 2, kind=Role.DIRECTION)
    h_n = Shape.of(Axis((layer, direction)), Axis((samples,)), Axis((HIDDEN,)))
    (misfit,) = apply("Tensor.view", h_n, -1, 2 * WIDTH).misfits
    assert misfit.skipped == (samples,)


def test_states_split_into_layers_and_directions_in_their_order() -> None:
    layers = Dim.of(Symbol("num_layers", positive=True))
    h_n, layer, direction = states(layers, 2)
    right = apply("Tensor.view", h_n, layers, 2, BATCH.size, WIDTH)
    assert not right.misfits
    assert axes_of(right) == [(layer,), (direction,), (BATCH,), (HIDDEN,)]
    assert axes_of(apply("Tensor.view", h_n, -1, 2, BATCH.size, WIDTH)) == [(layer,), (direction,), (BATCH,), (HIDDEN,)]
    assert not apply("Tensor.view", h_n, layer.size, direction.size, BATCH.size, WIDTH).misfits
    (misfit,) = apply("Tensor.view", h_n, direction.size, layer.size, BATCH.size, WIDTH).misfits
    assert (misfit.fault, misfit.wanted, misfit.skipped) == (Fault.SCRAMBLE, (direction,), (layer,))


def test_directions_stand_before_hidden_in_an_output() -> None:
    out, direction = output(2)
    right = apply("Tensor.view", out, BATCH.size, TIME.size, 2, WIDTH)
    assert not right.misfits
    assert axes_of(right) == [(BATCH,), (TIME,), (direction,), (HIDDEN,)]
    (misfit,) = apply("Tensor.view", out, BATCH.size, TIME.size, WIDTH, 2).misfits
    assert (misfit.fault, misfit.wanted, misfit.skipped) == (Fault.SCRAMBLE, (HIDDEN,), (direction,))


def test_a_view_by_one_width_of_two_is_a_total_under_its_condition() -> None:
    bidirectional = flag()
    out, _ = output(1 + bidirectional)
    (misfit,) = apply("Tensor.view", out, BATCH.size, TIME.size, WIDTH).misfits
    assert misfit.fault is Fault.TOTAL
    assert misfit.condition == ((bidirectional.symbol, 1),)


def test_heads_split_off_and_joined_again_are_hidden() -> None:
    heads = Dim.of(Symbol("heads", positive=True))
    x = Shape.of(Axis((BATCH,)), Axis((TIME,)), Axis((HIDDEN,)))
    split = shape_of(apply("Tensor.view", x, BATCH.size, TIME.size, heads, WIDTH // heads))
    assert split.axes is not None
    assert [axis.role() for axis in split.axes[2:]] == [Role.HIDDEN, Role.HIDDEN]
    turned = shape_of(apply("Tensor.transpose", split, 1, 2))
    assert turned.contiguous is False
    back = apply("Tensor.transpose", turned, 1, 2)
    joined = apply("Tensor.reshape", back.result, BATCH.size, TIME.size, WIDTH)
    assert axes_of(joined) == [(BATCH,), (TIME,), (HIDDEN,)]
    assert apply("Tensor.view", turned, BATCH.size, TIME.size, -1).misfits


def test_time_halved_into_features_keeps_its_place() -> None:
    x = Shape.of(Axis((BATCH,)), Axis((TIME,)), Axis((HIDDEN,)))
    outcome = apply("Tensor.view", x, BATCH.size, TIME.size // 2, 2 * WIDTH)
    assert not outcome.misfits
    _, halved, wide = axes_of(outcome)
    assert halved[0].source is TIME
    assert [atom.root for atom in wide] == [TIME, HIDDEN]


def test_view_of_permuted_memory_is_refused_and_reshape_is_not() -> None:
    moved = apply("Tensor.permute", X, 1, 0, 2).result
    assert isinstance(moved, Shape)
    assert moved.contiguous is False
    (misfit,) = apply("Tensor.view", moved, -1, FEATURE.size).misfits
    assert misfit.fault is Fault.STRIDES
    copied = apply("Tensor.reshape", moved, -1, FEATURE.size)
    assert not copied.misfits
    assert shape_of(copied).contiguous is True
    assert axes_of(copied) == [(TIME, BATCH), (FEATURE,)]
    through = apply("Tensor.contiguous", moved).result
    assert not apply("Tensor.view", through, -1, FEATURE.size).misfits


def test_permuted_memory_may_be_viewed_where_neighbours_stayed_neighbours() -> None:
    swapped = apply("Tensor.transpose", apply("Tensor.unsqueeze", X, 0).result, 0, 1).result
    assert not apply("Tensor.view", swapped, BATCH.size, -1).misfits
    parts = apply(
        "Tensor.transpose", apply("Tensor.reshape", X, BATCH.size, TIME.size, FEATURE.size).result, 0, 0
    ).result
    assert not apply("Tensor.view", parts, -1, FEATURE.size).misfits


def test_numbers_match_only_known_numbers() -> None:
    outcome = apply("Tensor.view", X, 32, 10, FEATURE.size)
    assert not outcome.misfits
    first, second, third = axes_of(outcome)
    assert BATCH not in (*first, *second)
    assert third == (FEATURE,)
    assert outcome.equations == ((Dim.of(320), BATCH.size * TIME.size),)


def test_the_one_size_left_over_must_be_what_is_left_over() -> None:
    outcome = apply("Tensor.view", X, 32, TIME.size, FEATURE.size)
    assert axes_of(outcome) == [(BATCH,), (TIME,), (FEATURE,)]
    assert outcome.equations == ((Dim.of(32), BATCH.size),)


def test_elements_that_cannot_fit() -> None:
    x = Shape.sized(2, 3, 4)
    (misfit,) = apply("Tensor.view", x, 5, 5).misfits
    assert misfit.fault is Fault.TOTAL
    assert misfit.expected is not None
    assert misfit.found is not None
    assert (misfit.expected.value, misfit.found.value) == (24, 25)
    assert apply("Tensor.view", x, 5, -1).misfits[0].fault is Fault.TOTAL
    assert apply("Tensor.view", x, -1, -1).misfits[0].fault is Fault.VALUE


def test_slices_keep_derive_and_cut_at_borders() -> None:
    out, direction = output(2)
    assert index(out, (Slice(), Slice(Dim.of(0), TIME.size))).result.axes == out.axes  # type: ignore[union-attr]
    later = shape_of(index(out, (Slice(), Slice(Dim.of(1), None))))
    axis = later.axis(1)
    assert axis is not None
    assert axis.atom is not None
    assert axis.atom.source is TIME
    assert compare(axis.size, TIME.size - 1).equal
    for cut in (Slice(None, WIDTH), Slice(WIDTH, None), Slice(WIDTH, 2 * WIDTH), Slice(-WIDTH, None)):
        assert axes_of(index(out, (..., cut)))[-1] == (HIDDEN,)
    assert axes_of(index(out, (..., Slice(None, 2 * WIDTH))))[-1] == (direction, HIDDEN)


def test_a_step_over_directions_leaves_layers() -> None:
    h_n, layer, _ = states(Dim.of(Symbol("num_layers", positive=True)), 2)
    for first in (0, 1):
        assert axes_of(index(h_n, (Slice(Dim.of(first), None, Dim.of(2)),)))[0] == (layer,)


def test_halves_of_an_output_are_hidden_under_a_flag_too() -> None:
    out, _ = output(1 + flag())
    for cut in (Slice(None, WIDTH), Slice(WIDTH, None)):
        assert axes_of(index(out, (..., cut)))[-1] == (HIDDEN,)


def test_a_single_step_is_of_size_one_whatever_its_index() -> None:
    step = Dim.of(Symbol("t"))
    for cut in (Slice(step, step + 1), Slice(Dim.of(-1), None), Slice(None, Dim.of(1))):
        axis = shape_of(index(X, (Slice(), cut))).axis(1)
        assert axis is not None
        assert axis.size.value == 1


def test_an_unbounded_stop_says_nothing_of_the_size() -> None:
    axis = shape_of(index(X, (Slice(), Slice(None, Dim.of(10))))).axis(1)
    assert axis is not None
    assert axis.size.value is None
    assert axis.atom is not None
    assert axis.atom.source is TIME


def test_index_tensors_paired_with_a_range_pick_one_row_a_sample() -> None:
    rows = apply("torch.arange", BATCH.size).result
    lengths = Shape.of(Axis((BATCH,)), dtype="int")
    assert isinstance(rows, Shape)
    picked = index(X, (rows, lengths))
    assert [
        compare(axis.size, size).equal
        for axis, size in zip(shape_of(picked).axes or (), (BATCH.size, FEATURE.size), strict=True)
    ]
    assert axes_of(picked)[1] == (FEATURE,)


def test_two_states_side_by_side_are_one_wider_state() -> None:
    h_n, _, _ = states(1, 2)
    last, before = (index(h_n, (Dim.of(place),)).result for place in (-1, -2))
    joined = shape_of(apply("torch.cat", (before, last), 1)).axis(1)
    assert joined is not None
    assert joined.atom is not None
    assert joined.atom.source is HIDDEN
    assert joined.role() is Role.HIDDEN
    assert compare(joined.size, 2 * WIDTH).equal


def test_parts_of_different_meaning_have_no_source() -> None:
    embedded = Shape.of(Axis((BATCH,)), Axis((Atom("embedding", 8),)))
    joined = shape_of(apply("torch.cat", (embedded, Shape.of(Axis((BATCH,)), Axis((HIDDEN,)))), -1)).axis(1)
    assert joined is not None
    assert joined.atom is not None
    assert joined.atom.source is None
    assert compare(joined.size, WIDTH + 8).equal


def test_cat_of_unlike_sizes_is_wrong_or_an_equation() -> None:
    one, two = Shape.sized(2, 3), Shape.sized(4, 3)
    assert apply("torch.cat", (one, two), 1).misfits[0].fault is Fault.SIZE
    assert not apply("torch.cat", (one, two), 0).misfits
    outcome = apply("torch.cat", (X, Shape.sized(None, 1, None)), 1)
    assert not outcome.misfits
    assert len(outcome.equations) == 2


def test_repeats_stand_before_what_they_repeat_and_interleaved_behind() -> None:
    state = Shape.of(Axis((BATCH,)), Axis((HIDDEN,)))
    tiled = axes_of(apply("Tensor.repeat", state, TIME.size, 1))[0]
    assert tiled[1] is BATCH
    assert tiled[0].source is TIME
    woven = axes_of(apply("Tensor.repeat_interleave", state, TIME.size, dim=0))[0]
    assert woven[0] is BATCH
    stacked = apply("Tensor.repeat", state, TIME.size, 1, 1)
    assert axes_of(stacked)[1:] == [(BATCH,), (HIDDEN,)]
    assert apply("Tensor.view", apply("Tensor.repeat", state, TIME.size, 1).result, BATCH.size, TIME.size, -1).misfits


def test_what_is_made_from_a_size_shares_its_evidence() -> None:
    batch = Atom("batch")
    zeros = shape_of(apply("torch.zeros", 2, batch.size, WIDTH))
    batch.learn(Evidence(Role.BATCH, Strength.STRUCTURAL, "batch_size = x.size(0)"))
    assert zeros.axes is not None
    assert [axis.role() for axis in zeros.axes] == [None, Role.BATCH, None]
    assert zeros.axes[1].atom is not batch


def test_broadcasting_keeps_the_axis_that_is_not_one() -> None:
    mask = Shape.sized(None, 1, 1)
    assert axes_of(binary("*", mask, X))[1:] == [(TIME,), (FEATURE,)]
    assert axes_of(binary("+", X, Shape.sized(1)))[2] == (FEATURE,)
    assert binary("+", Shape.sized(2, 3), Shape.sized(4)).misfits[0].fault is Fault.BROADCAST
    out, _ = output(1 + flag())
    (misfit,) = binary("+", out, Shape.of(Axis((BATCH,)), Axis((TIME,)), Axis((HIDDEN,)))).misfits
    assert misfit.condition


def test_a_direction_that_may_be_one_broadcasts() -> None:
    directions = Shape.of(Axis((Atom("direction", 1 + flag()),)))
    assert not binary("+", directions, Shape.sized(2)).misfits


def test_contractions_compare_by_condition_and_ask_by_equation() -> None:
    out, _ = output(1 + flag())
    (misfit,) = binary("@", out, Shape.of(Axis((HIDDEN,)), Axis.new("out", 10))).misfits
    assert misfit.fault is Fault.SIZE
    assert misfit.condition
    outcome = binary("@", X, Shape.sized(64, 10))
    ((left, right),) = outcome.equations
    assert left == FEATURE.size
    assert right.value == 64
    scores = apply("torch.bmm", X, apply("Tensor.transpose", X, 1, 2).result)
    assert axes_of(scores) == [(BATCH,), (TIME,), (TIME,)]


def test_chunks_of_two_directions_are_hidden() -> None:
    out, _ = output(2)
    chunks = apply("Tensor.chunk", out, 2, -1).result
    assert isinstance(chunks, tuple)
    assert [shape.axis(-1) for shape in chunks if isinstance(shape, Shape)] == [Axis((HIDDEN,))] * 2


def test_pieces_of_unknown_number_are_many() -> None:
    steps = apply("Tensor.split", X, 1, dim=1).result
    assert isinstance(steps, Many)
    assert steps.length == TIME.size
    assert isinstance(steps.item, Shape)
    axis = steps.item.axis(1)
    assert axis is not None
    assert axis.size.value == 1
    again = apply("torch.stack", apply("Tensor.unbind", X, 1).result, 1)
    assert compare(shape_of(again).axes[1].size, TIME.size).equal  # type: ignore[index]
    joined = shape_of(apply("torch.cat", steps, 1)).axis(1)
    assert joined is not None
    assert compare(joined.size, TIME.size).equal


def test_squeeze_drops_only_what_is_known_to_be_one() -> None:
    h_n, _, _ = states(1, 1)
    assert axes_of(apply("Tensor.squeeze", h_n)) == [(BATCH,), (HIDDEN,)]
    assert axes_of(apply("Tensor.squeeze", h_n, 0)) == [(BATCH,), (HIDDEN,)]
    scores = Shape.of(Axis((BATCH,)), Axis.new("outputs", Dim.of(Symbol("outputs", positive=True))))
    kept = shape_of(apply("Tensor.squeeze", scores, 1))
    assert kept.rank is None
    assert kept.axis(0) == Axis((BATCH,))
    assert not apply("Tensor.squeeze", Shape.sized(2, 3), 0).misfits


@pytest.mark.parametrize(
    ("path", "args"),
    [
        ("torch.cat", ((X, UNKNOWN), 0)),
        ("torch.add", (X, UNKNOWN)),
        ("torch.matmul", (X, UNKNOWN)),
        ("Tensor.view", (X, UNKNOWN)),
        ("Tensor.expand_as", (X, UNKNOWN)),
        ("torch.where", (UNKNOWN, X, X)),
        ("torch.einsum", ("bij,bjk->bik", X, UNKNOWN)),
        ("torch.bmm", (X, UNKNOWN)),
    ],
)
def test_an_unknown_operand_makes_the_result_unknown(path: str, args: tuple[Operand, ...]) -> None:
    outcome = apply(path, *args)
    assert not outcome.misfits
    assert outcome.result is UNKNOWN or shape_of(outcome).rank is None


def test_an_unknown_tensor_of_a_function_is_a_tensor_still() -> None:
    assert apply("Tensor.permute", UNKNOWN, 1, 0).result is UNKNOWN
    assert shape_of(apply("torch.relu", UNKNOWN)).rank is None
    assert index(X, (UNKNOWN,)).result.rank is None  # type: ignore[union-attr]


@pytest.mark.parametrize("wrong", [(X, X), Packed(Axis((BATCH,)), Axis((TIME,)), ()), None])
def test_a_tuple_or_a_packed_sequence_is_no_tensor(wrong: Operand) -> None:
    (misfit,) = apply("torch.relu", wrong).misfits
    assert misfit.fault is Fault.TYPE


def test_named_results_and_their_indices() -> None:
    result = apply("torch.max", X, 1).result
    assert isinstance(result, Named)
    assert result.names == ("values", "indices")
    values, indices = result.results
    assert isinstance(values, Shape)
    assert isinstance(indices, Shape)
    assert [axis.atoms for axis in values.axes or ()] == [(BATCH,), (FEATURE,)]
    assert indices.dtype == "int"


@pytest.mark.parametrize("name", ["transpose", "unsqueeze", "squeeze", "relu", "add", "masked_fill", "zero"])
def test_an_underscore_means_in_place(name: str) -> None:
    operation = find(f"Tensor.{name}_")
    plain = find(f"Tensor.{name}")
    assert operation is not None
    assert plain is not None
    assert operation.inplace
    assert not plain.inplace
    assert operation.kind is plain.kind
    assert find("Tensor.__init__") is None
    assert find("Tensor.nothing_") is None


def test_writing_in_place_keeps_the_axes() -> None:
    assert apply("Tensor.mul_", X, UNKNOWN).result is X
    assert apply("Tensor.copy_", X, Shape.sized(1)).result is X
    assert axes_of(apply("Tensor.transpose_", X, 0, 1)) == [(TIME,), (BATCH,), (FEATURE,)]


def test_einops_names_are_identities_too() -> None:
    outcome = apply("einops.rearrange", X, "b t f -> (b t) f")
    assert axes_of(outcome) == [(BATCH, TIME), (FEATURE,)]
    (misfit,) = apply("einops.rearrange", outcome.result, "(t b) f -> b t f", t=TIME.size).misfits
    assert misfit.fault is Fault.SCRAMBLE
    right = apply("einops.rearrange", outcome.result, "(b t) f -> t b f", t=TIME.size)
    assert not right.misfits
    assert axes_of(right) == [(TIME,), (BATCH,), (FEATURE,)]


# -- unknown rank --------------------------------------------------------------------------------------------------


def close(outcome: Outcome) -> None:
    for rest, parts in outcome.closes:
        rest.solve(parts)


def test_reading_sizes_names_axes_of_an_unknown_tensor() -> None:
    x = Shape.unknown()
    for place in (0, 1):
        outcome = apply("Tensor.size", x, place)
        close(outcome)
        axis = x.axis(place)
        assert axis is not None
        assert outcome.result == axis.size
    assert x.rank is None
    assert x.least_rank == 2
    assert apply("Tensor.size", x, -1).result is UNKNOWN


def test_the_first_axis_and_the_last_are_two() -> None:
    x = Shape.unknown()
    first = apply("Tensor.size", x, 0)
    close(first)
    last = apply("Tensor.size", x, -1)
    close(last)
    assert first.result != last.result
    assert x.least_rank == 2
    assert apply("Tensor.size", x, 1).result is UNKNOWN


def test_permute_fixes_the_rank() -> None:
    x = Shape.unknown()
    outcome = apply("Tensor.permute", x, 1, 0, 2)
    close(outcome)
    assert x.rank == 3
    assert x.axes is not None
    assert [axis.atoms for axis in (x.axes[1], x.axes[0], x.axes[2])] == axes_of(outcome)
    assert apply("Tensor.permute", x, 1, 0).misfits[0].fault is Fault.COUNT


def test_a_subscript_names_the_axes_it_counts() -> None:
    x = Shape.unknown()
    outcome = index(x, (Slice(), Dim.of(-1)))
    close(outcome)
    kept = shape_of(outcome)
    assert kept.rank is None
    assert kept.axis(0) == x.axis(0)
    assert x.least_rank == 2
    last = index(Shape.unknown(), (..., Dim.of(-1)))
    assert shape_of(last).rank is None
    assert len(last.closes) == 1


def test_an_unknown_tensor_plus_itself_is_of_its_shape() -> None:
    x = Shape.unknown()
    close(apply("Tensor.size", x, 0))
    doubled = shape_of(binary("+", x, apply("torch.relu", x).result))
    assert doubled.axis(0) == x.axis(0)
    assert doubled.rest is x.rest
    assert shape_of(binary("+", x, Shape.unknown())).rest is not x.rest


def test_a_view_of_an_unknown_tensor_judges_nothing() -> None:
    outcome = apply("Tensor.view", Shape.unknown(), TIME.size, BATCH.size, -1)
    assert not outcome.misfits
    assert len(axes_of(outcome)) == 3


@pytest.mark.parametrize("place", [0, 1, -1])
def test_unsqueeze_and_squeeze_of_unknown_rank(place: int) -> None:
    grown = apply("Tensor.unsqueeze", Shape.unknown(), place)
    axis = shape_of(grown).axis(place)
    assert axis is not None
    assert axis.size.value == 1
    assert shape_of(apply("Tensor.squeeze", grown.result, place)).rank is None


def test_reductions_of_unknown_rank_drop_the_axis_they_name() -> None:
    x = Shape.unknown()
    outcome = apply("torch.mean", x, 1)
    close(outcome)
    assert x.least_rank == 2
    assert shape_of(outcome).axis(0) == x.axis(0)
