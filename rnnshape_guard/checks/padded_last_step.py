"""RSG408: the last step of a padded batch is read, which for every shorter sequence is padding."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from typing import Final

from rnnshape_guard.checks import wording
from rnnshape_guard.checks.lineage import (
    both_directions,
    contradicted,
    holds_directions,
    is_axis,
    output_behind,
    state_uses,
    stated_batch,
    steps_of,
)
from rnnshape_guard.checks.output_reads import StepRead, output_reads, step_read
from rnnshape_guard.checks.picking import picks, reduced_axes
from rnnshape_guard.checks.reading import confirmed, entered, spec_of
from rnnshape_guard.events import (
    Combined,
    Computed,
    Created,
    Event,
    FunctionEntered,
    Handed,
    LayerCalled,
    Log,
    Operated,
    PackCalled,
    RecurrentCalled,
    Reduced,
    Reshaped,
    Returned,
    Selected,
    Value,
    reads,
    values_in,
)
from rnnshape_guard.findings import Because, Finding, Label
from rnnshape_guard.layers import settled
from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.dims import Dim
from rnnshape_guard.shapes.outcomes import Slice

LENGTHS: Final = re.compile(r"(?:^|_)(?:lens|lengths)$|^(?:lens|lengths)_")
"""Names of parameters that hold a length for each sequence."""
_OF_TARGETS: Final = re.compile(r"^(?:target|tgt|trg|label|out|dec|y_)")


def check(event: Selected | RecurrentCalled, log: Log) -> Iterator[Finding]:
    """Judge each last step of a padded output, and each final state of an RNN that was run over padding."""
    if isinstance(event, Selected):
        read = step_read(event, log)
        if read is not None and read.step == "padded" and not _is_of_one(event, log):
            yield _of_padded(read)
        behind = _reverse_behind_padding(event, log)
        if behind is not None:
            yield _of_reverse(event, *behind)
        return
    function = entered(event, log)
    name = _lengths(function) if function is not None else None
    if function is None or name is None or not _is_batch(event):
        return
    reader = _final_reader(event, log)
    summary = _summary(event, log) if reader is None else None
    last = reader or summary
    if last is None or _packs(event, function, name, log) or not _is_left_alone(function, event, last, name, log):
        return
    yield _of_state(event, name, last) if summary is None else _of_summary(event, name, summary)


def _is_of_one(event: Selected, log: Log) -> bool:
    """Whether the batch was packed with one length: a number, or a tensor that is used as a size, which only a tensor of
    one element can be. A single sequence has no padding."""
    packs = [one for one in log.events[: event.id] if isinstance(one, PackCalled) and one.entry == event.entry]
    packs = [one for one in packs if "lengths" in one.given]
    if not packs:
        return False
    lengths = packs[-1].seen("lengths")
    return isinstance(lengths, Dim) or (
        isinstance(lengths, Value)
        and any(_is_size(lengths, one) for one in log.events[: event.id] if one.entry == event.entry)
    )


_SIZED: Final = frozenset(
    {"zeros", "ones", "empty", "rand", "randn", "Tensor", "FloatTensor", "LongTensor", "BoolTensor"}
)


def _is_size(value: Value, event: Event) -> bool:
    """Whether a tensor is one of the sizes that an event makes another with."""
    return (
        isinstance(event, Created)
        and event.name.rpartition(".")[2] in _SIZED
        and any(
            isinstance(given.seen, tuple) and any(one is value.shape or one is value for one in given.seen)
            for given in event.given.values()
        )
    )


def _of_padded(read: StepRead) -> Finding:
    event = read.event
    return Finding(
        code="RSG408",
        message=f"{wording.quoted(event.place)} is padding for every sequence but the longest",
        place=event.place,
        primary="the last step of the longest sequence",
        labels=(Label(read.pad.place, "padded to the longest") if read.pad is not None else Label(event.place, ""),),
        expected="the last step of each sequence",
        found="the last step of the batch",
        help=f"read h_n[-1], which {wording.quoted(read.call.layer)} returns beside the output, or index with lengths - 1",
        subject=frozenset({("padded", read.call.id)}),
        cause=event.id,
    )


def _reverse_behind_padding(event: Selected, log: Log) -> tuple[RecurrentCalled, Selected] | None:
    """The call that was not given a packed batch, where the reverse half of its output is read at the first step, and
    the selection of the forward half at ``lengths - 1``, which says that the padding stands behind."""
    value = event.value("input")
    cut = log.maker(value) if value is not None else None
    whole = cut.value("input") if isinstance(cut, Selected) and cut.name in ("split", "chunk") else None
    call = output_behind(whole, log) if whole is not None else None
    steps = steps_of(call) if call is not None else None
    if value is None or cut is None or call is None or steps is None or event.path:
        return None if value is None or event.path else _reverse_cut_behind_padding(event, value, log)
    match cut.result:
        case (Value() as forward, Value() as reverse) if reverse is value:
            pass
        case _:
            return None
    if not any(is_axis(pick.axis, steps[1]) and pick.number == 0 for pick in picks(event)):
        return None
    if any(isinstance(one, PackCalled) for one in log.events[: event.id] if one.entry == event.entry):
        return None
    for other in log.readers(forward):
        if isinstance(other, Selected) and _LESS_ONE.search(other.place.text) and other.scope == event.scope:
            return call, other
    return None


def _reverse_cut_behind_padding(event: Selected, value: Value, log: Log) -> tuple[RecurrentCalled, Selected] | None:
    """The same where both halves are cut by subscripts: ``out[rows, lengths - 1, :hidden]`` and ``out[:, 0, hidden:]``."""
    call = output_behind(value, log)
    steps = steps_of(call) if call is not None else None
    last = value.axes[-1] if value.axes else None
    if call is None or steps is None or last is None or not holds_directions(last) or both_directions(call) != ():
        return None
    taken = picks(event)
    is_first = any(is_axis(pick.axis, steps[1]) and pick.number == 0 for pick in taken)
    is_reverse = any(
        pick.axis is last and isinstance(pick.item, Slice) and pick.item.start is not None for pick in taken
    )
    if not is_first or not is_reverse:
        return None
    if any(isinstance(one, PackCalled) for one in log.events[: event.id] if one.entry == event.entry):
        return None
    for other in log.readers(value):
        if isinstance(other, Selected) and other is not event and _LESS_ONE.search(other.place.text):
            return call, other
    return None


_LESS_ONE: Final = re.compile(r"\b\w*(?:len|length)s?\s*-\s*1\b")


def _of_reverse(event: Selected, call: RecurrentCalled, forward: Selected) -> Finding:
    given = call.given["input"]
    return Finding(
        code="RSG408",
        message=f"the reverse half of {wording.quoted(call.layer)} starts in the padding of {wording.quoted(given)}, "
        f"and {wording.quoted(event.place)} reads what came of it",
        place=call.place,
        primary="runs over the padded batch",
        labels=(
            Label(event.place, "the reverse half, behind the padding"),
            Label(forward.place, "the forward half, in front of it"),
        ),
        expected="a packed batch",
        found=wording.shape(given.value),
        help=f"pack_padded_sequence({given.text}, lengths.cpu(), batch_first={settled(spec_of(call).batch_first)}, enforce_sorted=False)",
        subject=frozenset({("padded", call.id)}),
        cause=call.id,
    )


def _of_state(call: RecurrentCalled, name: str, reader: Event) -> Finding:
    given = call.given["input"]
    return Finding(
        code="RSG408",
        message=f"{wording.quoted(call.layer)} runs on through the padding of {wording.quoted(given)}, "
        f"and {wording.quoted(reader.place)} is read behind it",
        place=call.place,
        primary="runs over the padded batch",
        labels=(Label(reader.place, "the state after the padding"),),
        expected="a packed batch",
        found=wording.shape(given.value),
        because=(Because(f"`{name}` is given to the function and packs nothing", None),),
        help=f"pack_padded_sequence({given.text}, {name}.cpu(), batch_first={settled(spec_of(call).batch_first)}, enforce_sorted=False)",
        subject=frozenset({("padded", call.id)}),
        cause=call.id,
    )


def _of_summary(call: RecurrentCalled, name: str, summary: Reduced) -> Finding:
    given = call.given["input"]
    holder = summary.given["input"].text or "out"
    return Finding(
        code="RSG408",
        message=f"{wording.quoted(summary.place)} takes in the padding of every sequence but the longest",
        place=summary.place,
        primary="goes over all steps alike",
        labels=(Label(call.place, "runs over the padded batch"),),
        expected="the steps of each sequence",
        found="all steps of the batch",
        because=(Because(f"`{name}` is given to the function and masks nothing", None),),
        help=f"mask {holder} by {name} before it, and divide by {name} instead of the number of steps"
        if summary.name == "mean"
        else f"mask {holder} by {name} before it",
        subject=frozenset({("padded", call.id), *_steps(given.value)}),
        cause=summary.id,
    )


def _steps(value: Value | None) -> Iterator[Hashable]:
    """The axes along which a batch is padded: where their layout is in doubt, that is the root of it."""
    for axis in (value.axes or ())[:2] if value is not None else ():
        yield from (atom.root for atom in axis.atoms)


# -- a final state behind padding ----------------------------------------------------------------------------------


def _lengths(function: FunctionEntered) -> str | None:
    """The parameter that holds the lengths."""
    for name, given in function.given.items():
        if LENGTHS.search(name) and given.seen is not None and not _OF_TARGETS.search(name):
            return name
    return None


def _is_batch(call: RecurrentCalled) -> bool:
    """Whether a call runs over a tensor that is known to be a batch of sequences."""
    steps = steps_of(call)
    value = call.value("input")
    if steps is None or value is None or value.axes is None or contradicted(*steps):
        return False
    if confirmed(steps[0], Role.BATCH) or confirmed(steps[1], Role.TIME):
        return True
    return value.made_by >= 0 and stated_batch(steps[0])


def _packs(call: RecurrentCalled, function: FunctionEntered, name: str, log: Log) -> bool:
    """Whether a function packs something, or hands the lengths to what is not followed."""
    word = re.compile(rf"\b{name}\b")
    for event in log.events[function.id : call.id]:
        if isinstance(event, PackCalled) and event.scope == call.scope:
            return True
        if isinstance(event, Handed) and any(word.search(given.text) for given in event.given.values()):
            return True
    return any(isinstance(event, PackCalled) for event in _inside(call, log))


def _is_left_alone(function: FunctionEntered, call: RecurrentCalled, read: Event, name: str, log: Log) -> bool:
    """Whether a function must be given the lengths, hands them to nobody, and reads them before a call at most, or
    behind it as one more feature. What a method makes of the lengths alone, be it a mask, does not meet an output of
    which nothing but a summary is read."""
    text, own = function.place.text, call.place.text
    if own not in text or re.search(r"left|prepad|pre_pad", text):
        return False
    before, behind = text.split(own, 1)
    head, _, body = before.partition("):") if "):" in before else before.partition(":")
    may_be_left_out = re.search(rf"\b{name}\s*(?::[^,()]*(?:\[[^\]]*\])?)?\s*=", head.split(") ->", 1)[0])
    handed = re.search(rf"\(\s*(?:[^()]*,\s*)?{name}\s*[,)]", body)
    if may_be_left_out is not None or handed is not None:
        return False
    if isinstance(read, Reduced):
        behind = re.sub(rf"\bself\.\w+\(\s*{name}(?:\.\w+\([^()]*\))*\s*\)", "", behind)
    if re.search(rf"\b{name}\b", behind) is None:
        return True
    lengths = _named(name, call, log)
    return _is_feature(lengths, log) or (isinstance(read, Reduced) and _divides_alone(lengths, read, log))


def _named(name: str, call: RecurrentCalled, log: Log) -> list[Value]:
    """The tensor that a name stands for behind a call."""
    values = (
        given.value
        for event in _inside(call, log)
        if isinstance(event, Operated) and event.scope == call.scope
        for given in event.given.values()
        if given.text == name
    )
    return [value for value in values if value is not None][:1]


def _is_feature(lengths: list[Value], log: Log) -> bool:
    """Whether lengths are joined to features, and nothing else becomes of them: no mask, no index, no mean."""
    pending, seen, joined = list(lengths), set[int](), False
    while pending:
        value = pending.pop()
        seen.add(value.id)
        for event in log.readers(value):
            match event:
                case Combined(name=name) if name in ("cat", "concat", "concatenate"):
                    joined = True
                case Computed() | Reshaped() if len(list(reads(event))) == 1 and not _compares(event):
                    pending += [one for one in values_in(event.result) if one.id not in seen]
                case _:
                    return False
    return joined


def _divides_alone(lengths: list[Value], total: Reduced, log: Log) -> bool:
    """Whether lengths do nothing but divide a sum over all steps: the mean that is meant has the padding in its sum."""
    pending, divided = list(lengths), False
    while pending and total.name == "sum":
        for event in log.readers(pending.pop()):
            match event:
                case Computed(name="/" | "div" | "true_divide"):
                    above = event.value("input")
                    divided = above is not None and any(maker is total for _, maker in log.past(above))
                    if not divided:
                        return False
                case Computed() | Reshaped() if len(list(reads(event))) == 1 and not _compares(event):
                    pending += values_in(event.result)
                case _:
                    return False
    return divided


def _compares(event: Operated) -> bool:
    return event.name in ("<", "<=", ">", ">=", "==", "!=", "lt", "le", "gt", "ge", "eq", "ne")


def _inside(call: RecurrentCalled, log: Log) -> Iterator[Event]:
    """What follows a call in its function."""
    for event in log.events[call.id + 1 :]:
        if event.entry != call.entry or (isinstance(event, Returned) and event.scope == call.scope):
            return
        yield event


def _summary(call: RecurrentCalled, log: Log) -> Reduced | None:
    """The mean, sum or greatest number of all steps of an output that nothing else reads: where a mask or the lengths
    meet the output, the program knows of the padding."""
    match output_reads(call, log), steps_of(call):
        case [Reduced(name="mean" | "sum" | "max" | "amax") as event], (_, time):
            along = reduced_axes(event)
            if len(along) == 1 and is_axis(along[0], time) and not event.path:
                return event
    return None


def _final_reader(call: RecurrentCalled, log: Log) -> Event | None:
    """The event that reads the final state, or the last step, as what the sequences come to."""
    for event in state_uses(call, log):
        if isinstance(event, Selected | Reshaped) or (
            isinstance(event, LayerCalled) and not isinstance(event, RecurrentCalled)
        ):
            return event
    for event in output_reads(call, log):
        read = step_read(event, log) if isinstance(event, Selected) else None
        if read is not None and read.step == "last":
            return event
    return None
