"""Axes keep their identity, shapes of unknown rank fill in, and evidence decides by its strongest class."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape_guard.shapes.axes import UNIT, Atom, Axis, Evidence, Rest, Role, Shape, Strength
from rnnshape_guard.shapes.dims import compare

BATCH, TIME, FEATURE, HIDDEN = (Axis.new(name) for name in ("batch", "time", "feature", "hidden"))


class TestUnknownRank:
    def test_nothing_is_known_of_a_tensor_but_its_ends(self) -> None:
        shape = Shape((BATCH, Rest(), HIDDEN))
        assert shape.rank is None
        assert shape.axes is None
        assert shape.ends() == ((BATCH,), (HIDDEN,))
        assert shape.least_rank == 2
        assert (shape.axis(0), shape.axis(-1)) == (BATCH, HIDDEN)
        assert shape.axis(1) is None
        assert shape.axis(-2) is None

    def test_a_rest_counts_what_it_holds_at_least(self) -> None:
        assert Shape((BATCH, Rest(2))).least_rank == 3

    def test_filling_in_fixes_the_rank_of_every_shape_that_shares_the_rest(self) -> None:
        rest = Rest()
        one, other = Shape((BATCH, rest, HIDDEN)), Shape((rest, FEATURE))
        rest.solve([TIME])
        assert one.axes == (BATCH, TIME, HIDDEN)
        assert other.axes == (TIME, FEATURE)
        assert one.rank == 3
        assert one.rest is None

    def test_a_rest_may_be_filled_by_axes_around_another(self) -> None:
        outer, inner = Rest(), Rest()
        shape = Shape((outer,))
        outer.solve([BATCH, inner])
        assert shape.ends() == ((BATCH,), ())
        assert shape.rest is inner
        inner.solve([TIME, FEATURE])
        assert shape.axes == (BATCH, TIME, FEATURE)

    def test_what_was_filled_in_can_be_forgotten(self) -> None:
        rest = Rest(1)
        shape = Shape((rest,))
        rest.solve([BATCH])
        rest.forget()
        assert shape.axes is None
        assert shape.least_rank == 1

    @given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
    def test_an_axis_known_before_stays_the_axis_at_its_index(self, front: int, middle: int, back: int) -> None:
        rest = Rest()
        ahead, behind = ([Axis.new(f"{side}{index}") for index in range(n)] for side, n in (("a", front), ("z", back)))
        shape = Shape((*ahead, rest, *behind))
        known = {index: shape.axis(index) for index in range(-6, 6) if shape.axis(index) is not None}
        rest.solve([Axis.new(f"m{index}") for index in range(middle)])
        assert shape.rank == front + middle + back
        assert all(shape.axis(index) is axis for index, axis in known.items())


class TestKnownRank:
    def test_an_index_out_of_range_has_no_axis(self) -> None:
        shape = Shape.of(BATCH, TIME)
        assert shape.axis(2) is None
        assert shape.axis(-3) is None
        assert shape.ends() == ((BATCH, TIME), ())

    def test_it_prints_axes_by_name(self) -> None:
        (hidden,), (direction,) = HIDDEN.atoms, Axis.new("direction").atoms
        assert str(Shape.of(BATCH, Axis((direction, hidden)), UNIT)) == "(batch, direction·hidden, 1)"
        assert str(Shape((BATCH, Rest()))) == "(batch, ...)"

    def test_axes_of_one_size_are_two_axes(self) -> None:
        shape = Shape.sized(2, 2)
        assert shape.axes is not None
        left, right = shape.axes
        assert compare(left.size, right.size).equal
        assert left != right

    def test_the_size_of_an_axis_is_the_product_of_its_atoms(self) -> None:
        axis = Axis((Atom("direction", 2), Atom("hidden", 64)))
        assert axis.size.value == 128
        assert axis.atom is None
        assert UNIT.size.value == 1


class TestRoles:
    def told(self, *reasons: tuple[Role, Strength]) -> Atom:
        atom = Atom("axis")
        for role, strength in reasons:
            atom.learn(Evidence(role, strength, f"{role} by {strength.name}"))
        return atom

    def test_the_strongest_class_decides(self) -> None:
        atom = self.told((Role.TIME, Strength.WRITTEN), (Role.BATCH, Strength.STRUCTURAL))
        assert atom.role() is Role.BATCH
        assert [reason.role for reason in atom.reasons()] == [Role.BATCH]

    def test_a_class_that_contradicts_itself_is_silent(self) -> None:
        atom = self.told((Role.TIME, Strength.DECLARED), (Role.BATCH, Strength.DECLARED), (Role.TIME, Strength.WRITTEN))
        assert atom.role() is None
        assert atom.reasons() == []

    def test_a_layers_own_layout_counts_only_where_it_is_asked_for(self) -> None:
        atom = self.told((Role.TIME, Strength.LAYER))
        assert atom.role() is None
        assert atom.role(Strength.LAYER) is Role.TIME

    def test_what_an_axis_is_by_construction_needs_no_evidence(self) -> None:
        atom = Atom("hidden", kind=Role.HIDDEN)
        atom.learn(Evidence(Role.BATCH, Strength.DECLARED, "batch"))
        assert atom.role() is Role.HIDDEN

    def test_a_slice_of_time_is_still_time(self) -> None:
        atom = Atom("time")
        part = Atom("time", 3, source=atom)
        atom.learn(Evidence(Role.TIME, Strength.STRUCTURAL, "seq_len"))
        assert part.role() is Role.TIME
        assert part.root is atom

    @pytest.mark.parametrize("axis", [UNIT, Axis.new("one", 1, kind=Role.BATCH)])
    def test_an_axis_of_size_one_has_no_role(self, axis: Axis) -> None:
        assert axis.role() is None

    def test_the_same_evidence_twice_is_noted_once(self) -> None:
        assert len(self.told((Role.TIME, Strength.WRITTEN), (Role.TIME, Strength.WRITTEN)).evidence) == 1
