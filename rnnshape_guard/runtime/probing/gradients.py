"""What is not used: layers and directions whose weights get no gradient, and directions read where they saw one step.

Gradients are those of random projections of the outputs: the gradient of a sum is zero behind a softmax, whatever is
used. Recurrent layers start from a state that is not zero, because with a zero state the recurrent weights of a single
step get no gradient though the layer is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.utils.rnn import PackedSequence

from rnnshape_guard.runtime.probing.leaves import Leaf, Packing
from rnnshape_guard.runtime.probing.running import RecurrentCall, Runner, recurrent_calls

DRAWS: Final = 2
_WEIGHT: Final = re.compile(r"(?:weight|bias)_(?:ih|hh|hr)_l(\d+)(_reverse)?$")


@dataclass(frozen=True, slots=True)
class HalfSeen:
    """A direction of a bidirectional layer whose output is read only where it has seen `seen` of `steps` steps."""

    layer: str
    direction: str
    seen: int
    steps: int
    output: str

    def __str__(self) -> str:
        where = "last" if self.direction == "reverse" else "first"
        return (
            f"the {self.direction} direction of `{self.layer}` is read at the {where} step alone, "
            f"where it has seen {self.seen} of {self.steps} steps"
        )


@dataclass(frozen=True, slots=True)
class Gradients:
    """What gradients tell: names of what is not used, directions that are half-seen, and why nothing could be told."""

    unused: tuple[str, ...] = ()
    half_seen: tuple[HalfSeen, ...] = ()
    silent: str = ""


def read_gradients(runner: Runner, *, started: bool = True) -> Gradients:
    """Which of the modules' weights get no gradient from the outputs, and which directions are half-seen.

    `started` says whether recurrent layers that start from nothing are given a state.

    Raises what the model raises.
    """
    modules = runner.named_modules()
    weights = {
        f"{path}.{name}" if path else name: weight
        for path, module in modules.items()
        for name, weight in module.named_parameters(recurse=False)
        if weight.requires_grad
    }
    calls: list[RecurrentCall] = []
    # Without cuDNN, whose recurrent layers have no gradients in eval mode.
    states = started_states() if started else nullcontext()
    with torch.backends.cudnn.flags(enabled=False), states, recurrent_calls(calls):
        outputs = runner.run(gradients=True)
    readable = [leaf for leaf in outputs if leaf.value.requires_grad]
    if not weights:
        return Gradients(silent="no weight asks for a gradient")
    if not readable:
        return Gradients(silent="the outputs carry no gradient")
    used: set[str] = set()
    half: list[HalfSeen] = []
    names = {id(module): path or type(module).__name__ for path, module in modules.items()}
    read = [tensor for call in calls for tensor in _tensors_of(call)]
    for leaf in readable:
        wanted = [*weights.values(), *read]
        reached = [False] * len(wanted)
        touched: list[Tensor | None] = [None] * len(wanted)
        for draw in range(DRAWS):
            for number, gradient in enumerate(_gradients(leaf, wanted, draw)):
                if gradient is None:
                    continue
                dense = gradient.coalesce().values() if gradient.is_sparse else gradient
                marked = dense != 0
                reached[number] = reached[number] or bool(marked.any())
                before = touched[number]
                touched[number] = marked if before is None else before | marked
        used |= {name for name, is_reached in zip(weights, reached, strict=False) if is_reached}
        half += _half_seen(calls, touched[len(weights) :], names, leaf.name)
    return Gradients(tuple(_unused(modules, weights, used)), tuple(_once_each(half)))


def _gradients(leaf: Leaf, wanted: Sequence[Tensor], draw: int) -> Iterable[Tensor | None]:
    value = torch.view_as_real(leaf.value) if leaf.value.is_complex() else leaf.value
    source = torch.Generator().manual_seed(77 + draw)
    direction = torch.randn(value.shape, generator=source).to(value.device, value.dtype)
    return torch.autograd.grad((value * direction).sum(), wanted, retain_graph=True, allow_unused=True)


# Which weights get no gradient.


def _unused(modules: Mapping[str, nn.Module], weights: Mapping[str, Tensor], used: set[str]) -> Iterator[str]:
    told: list[str] = []
    for path, module in modules.items():
        if any(path == over or path.startswith(f"{over}.") for over in told):
            continue
        prefix = f"{path}." if path else ""
        inside = [name for name in weights if name.startswith(prefix)]
        own = [name for name in inside if "." not in name.removeprefix(prefix)]
        if inside and path and not any(name in used for name in inside):
            told.append(path)
            yield f"`{path}`"
            continue
        if isinstance(module, nn.RNNBase):
            yield from _unused_directions(path, module, {name.removeprefix(prefix) for name in own if name not in used})
            continue
        # A bias behind which a softmax or a normalisation stands changes nothing by design.
        yield from (f"`{name}`" for name in own if name not in used and not name.endswith("bias"))


def _unused_directions(path: str, layer: nn.RNNBase, idle: set[str]) -> Iterator[str]:
    name = f"`{path or type(layer).__name__}`"
    of_direction: dict[tuple[int, bool], list[str]] = {}
    for weight, _ in layer.named_parameters(recurse=False):
        if match := _WEIGHT.match(weight):
            of_direction.setdefault((int(match[1]), match[2] is not None), []).append(weight)
    # One weight of four without a gradient says more of the data, such as a start token of zeros, than of the model.
    gone = {place for place, own in of_direction.items() if own and all(weight in idle for weight in own)}
    for number in range(layer.num_layers):
        both = {place for place in of_direction if place[0] == number}
        if both and both <= gone:
            yield f"layer {number} of {name}"
        elif layer.bidirectional:
            for _, is_reverse in sorted(both & gone):
                of_layer = f", layer {number}" if layer.num_layers > 1 else ""
                yield f"the {'reverse' if is_reverse else 'forward'} direction of {name}{of_layer}"


# Where a direction's output is read.


def _tensors_of(call: RecurrentCall) -> list[Tensor]:
    """The outputs and final states of a layer of two directions, in a fixed order; nothing for other layers."""
    if not isinstance(call.layer, nn.RNNBase) or not call.layer.bidirectional:
        return []
    output, state = call.result
    states = state if isinstance(state, tuple) else (state,)
    return [output.data if isinstance(output, PackedSequence) else output, *states]


def _half_seen(
    calls: Sequence[RecurrentCall], touched: Sequence[Tensor | None], names: Mapping[int, str], output: str
) -> Iterator[HalfSeen]:
    place = 0
    seen: dict[int, dict[bool, int]] = {}
    longest: dict[int, int] = {}
    for call in calls:
        tensors = _tensors_of(call)
        marks = touched[place : place + len(tensors)]
        place += len(tensors)
        if not tensors or not isinstance(call.layer, nn.RNNBase):
            continue
        key = id(call.layer)
        before, steps_back, steps = _steps_seen(call)
        longest[key] = max(longest.get(key, 0), steps)
        read = seen.setdefault(key, {False: 0, True: 0})
        half = call.layer.proj_size or call.layer.hidden_size
        if (mark := marks[0]) is not None:
            read[False] = max(read[False], _most(before, mark[..., :half].any(dim=-1)))
            read[True] = max(read[True], _most(steps_back, mark[..., half:].any(dim=-1)))
        for mark in marks[1:]:
            if mark is not None:
                of_last = mark[-2:].flatten(1).any(dim=1)
                for is_reverse in (False, True):
                    if bool(of_last[int(is_reverse)]):
                        read[is_reverse] = steps
    for key, read in seen.items():
        for is_reverse, other in ((False, True), (True, False)):
            if longest[key] > 1 and read[is_reverse] == 1 and read[other] > 1:
                direction = "reverse" if is_reverse else "forward"
                yield HalfSeen(names.get(key, "the layer"), direction, 1, longest[key], output)


def _steps_seen(call: RecurrentCall) -> tuple[Tensor, Tensor, int]:
    """How many steps each place of the output has seen, forward and in reverse, and how many there are at most."""
    output, _ = call.result
    layer = call.layer
    if isinstance(output, PackedSequence):
        packing = Packing.of(output)
        samples, steps = packing.rows()
        return steps + 1, packing.lengths[samples] - steps, int(packing.lengths.max())
    axis = 0 if output.dim() == 2 or not getattr(layer, "batch_first", False) else 1
    length = output.shape[axis]
    shape = [1] * (output.dim() - 1)
    shape[axis] = length
    count = torch.arange(1, length + 1).reshape(shape).expand(output.shape[:-1])
    return count, length + 1 - count, length


def _most(count: Tensor, mark: Tensor) -> int:
    read = count[mark.cpu()]
    return int(read.max()) if read.numel() else 0


def _once_each(found: Iterable[HalfSeen]) -> Iterator[HalfSeen]:
    told: set[tuple[str, str]] = set()
    for each in found:
        if (each.layer, each.direction) not in told:
            told.add((each.layer, each.direction))
            yield each


# A state that is not zero.


@contextmanager
def started_states() -> Iterator[None]:
    """Gives every recurrent layer and cell that starts from nothing, or from zeros, a state to start from."""
    # What a hook returns takes the place of the arguments, which its type leaves out.
    handle = register_module_forward_pre_hook(_with_state)  # type: ignore[arg-type]
    try:
        yield
    finally:
        handle.remove()


def _with_state(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...] | None:
    if not given or not isinstance(module, (nn.RNNBase, nn.RNNCellBase)):
        return None
    state = given[1] if len(given) > 1 else None
    if state is None:
        made = _made_state(module, given[0])
        return None if made is None else (given[0], made)
    tensors = state if isinstance(state, tuple) else (state,)
    if not all(isinstance(each, Tensor) and not each.requires_grad and not each.any() for each in tensors):
        return None
    random = tuple(_random(each.shape, each) for each in tensors)
    return given[0], random if isinstance(state, tuple) else random[0]


def _made_state(module: nn.Module, given: object) -> Any:
    first = given.data if isinstance(given, PackedSequence) else given
    if not isinstance(first, Tensor):
        return None
    if isinstance(module, nn.RNNCellBase):
        shape: tuple[int, ...] = (*first.shape[:-1], module.hidden_size)
        cell = _random(shape, first)
        return (cell, _random(shape, first)) if isinstance(module, nn.LSTMCell) else cell
    if not isinstance(module, nn.RNNBase):
        return None
    rows = module.num_layers * (2 if module.bidirectional else 1)
    if isinstance(given, PackedSequence):
        batch: tuple[int, ...] = (int(given.batch_sizes[0]),)
    elif first.dim() == 3:
        batch = (first.shape[0 if module.batch_first else 1],)
    else:
        batch = ()
    state = _random((rows, *batch, module.proj_size or module.hidden_size), first)
    return (state, _random((rows, *batch, module.hidden_size), first)) if isinstance(module, nn.LSTM) else state


def _random(shape: Sequence[int], like: Tensor) -> Tensor:
    # Its own generator: the model's random numbers stay those of every other run.
    source = torch.Generator().manual_seed(5)
    return (0.5 * torch.randn(tuple(shape), generator=source)).to(like.device, like.dtype)
