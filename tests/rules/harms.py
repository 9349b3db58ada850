"""Silent mistakes, measured: each function runs a program under real torch and says whether the harm shows.

A page's [truth] table names the harm and gives the words it needs. The same measure runs on Bad, where the harm
must show, and on Good, where it must not; so a measure that sees nothing at all fails on Bad, and one that sees
harm everywhere fails on Good. Words common to all:

``call``   the expression that gives the result, evaluated in the program's names (default ``model(x)``)
``input``  the name of the tensor to perturb (default ``x``)

A word written ``good-call`` holds for Good alone.

========================  ==================================================================================
harm                      what shows it, and the further words it reads
========================  ==================================================================================
``raises``                the program raises the type and message in the page's text block (which may end in …)
``mixes-samples``         one sample of the input changes the result of another
                          (``batch-in``, ``batch-out``: axes, default 0)
``ignores-samples``       some sample of the input changes nothing in the result (``batch-in``)
``looks-ahead``           the last step of the input changes the result of an earlier one
                          (``time-in``, ``time-out``: axes, default 1)
``ignores-time``          no step of the input but the last changes the result (``time-in``)
``half-seen``             of what the layer ``at`` is given, the second half of the features changes with no step
                          of the input but the last (``time-in``)
``unused-parameters``     ``parameters`` (dotted, from the program's names) get no gradient
``wrong-size``            the result's shape is not ``shape``
``differs``               the result differs from Good's with the same parameters and tensors
``reads-padding``         positions past ``lengths`` change the result (``batch-in``, ``time-in``)
``batch-of-one``          a batch of one fails, or gives a result of another rank than a batch of many
                          (``batch-in``; ``inputs``: all names that have a batch axis)
``broadcasts``            the loss of a batch is not the mean of the losses of its samples
                          (``inputs``: names; ``batch-in``)
``no-effect``             in training mode, the random state changes nothing in the result
``none``                  nothing to measure; ``why`` says why
========================  ==================================================================================
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Names = dict[str, Any]
Words = Mapping[str, Any]
SEED = 20
CHANGED = 1e-6
ABOUT_THE_MACHINE = "LSTM with projections is not supported with oneDNN"


class NothingSeenError(AssertionError):
    """The measure could not have seen the harm: the result does not depend on what it perturbs at all."""


def run(program: str, filename: str = "program.py") -> Names:
    """Run a program from a fixed random state and give its names."""
    names: Names = {"__name__": "program"}
    torch.manual_seed(SEED)
    exec(compile(program, filename, "exec"), names)
    return names


def run_clean(program: str, filename: str = "program.py") -> tuple[Names, list[str]]:
    """Run a program; its names, and the words of every warning that is about the program."""
    torch.set_warn_always(True)
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            names = run(program, filename)
    finally:
        torch.set_warn_always(False)
    return names, [words for each in heard if not (words := str(each.message)).startswith(ABOUT_THE_MACHINE)]


def words_for(table: Words, *, good: bool) -> dict[str, Any]:
    """The words that hold for Bad, or for Good."""
    words = {key: value for key, value in table.items() if not key.startswith("good-")}
    if good:
        words |= {key.removeprefix("good-"): value for key, value in table.items() if key.startswith("good-")}
    return words


def shows(harm: str, words: Words, names: Names, good: Names) -> bool:
    """Whether the harm shows in a program that has run; `good` are the names of the mended one."""
    return MEASURES[harm](words, names, good)


def evaluate(
    words: Words, names: Names, changed: Names | None = None, *, training: bool = False, seed: int = SEED
) -> Tensor:
    """The result of the program's call with some names changed, from a fixed random state."""
    scope = names | (changed or {})
    for module in modules(scope):
        module.train(training)
    torch.manual_seed(seed)
    result = eval(words.get("call", "model(x)"), scope)
    if not isinstance(result, Tensor):
        raise TypeError(f"the call gives {type(result).__name__}: let `call` name one tensor")
    return result


def modules(names: Names) -> Iterator[nn.Module]:
    """The modules a program has made."""
    return (value for value in names.values() if isinstance(value, nn.Module))


def perturbed(tensor: Tensor, where: Tensor) -> Tensor:
    """The tensor with other values where the mask says so; whole numbers stay within the range already used."""
    if tensor.is_floating_point():
        noise = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(SEED + 1))
        return torch.where(where, tensor + 1 + noise, tensor)
    return torch.where(where, (tensor + 1) % (tensor.max() + 1), tensor)


def along(tensor: Tensor, axis: int, picked: slice) -> Tensor:
    """A mask of a tensor's shape: true where the index on one axis is picked."""
    mask = torch.zeros(tensor.shape, dtype=torch.bool)
    index = [slice(None)] * tensor.dim()
    index[axis] = picked
    mask[tuple(index)] = True
    return mask


def change(words: Words, names: Names, mask: Callable[[Tensor], Tensor]) -> Tensor:
    """How far each number of the result moves when the masked part of the input does."""
    name = words.get("input", "x")
    before = evaluate(words, names)
    after = evaluate(words, names, {name: perturbed(names[name], mask(names[name]))})
    assert before.shape == after.shape
    return (before - after).detach().abs()


def mixes_samples(words: Words, names: Names, good: Names) -> bool:
    batch_in, batch_out = words.get("batch-in", 0), words.get("batch-out", 0)
    samples = names[words.get("input", "x")].shape[batch_in]
    mixed, seen = False, False
    for sample in range(samples):
        moved = change(words, names, lambda x, at=sample: along(x, batch_in, slice(at, at + 1)))  # type: ignore[misc]
        if moved.shape[batch_out] != samples:
            return True
        by_sample = moved.movedim(batch_out, 0).reshape(samples, -1).amax(dim=1) > CHANGED
        seen |= bool(by_sample[sample])
        mixed |= bool(by_sample[torch.arange(samples) != sample].any())
    if not mixed and not seen:
        raise NothingSeenError
    return mixed


def ignores_samples(words: Words, names: Names, good: Names) -> bool:
    batch_in = words.get("batch-in", 0)
    samples = names[words.get("input", "x")].shape[batch_in]
    matters = [
        bool(change(words, names, lambda x, at=sample: along(x, batch_in, slice(at, at + 1))).max() > CHANGED)  # type: ignore[misc]
        for sample in range(samples)
    ]
    if not any(matters):
        raise NothingSeenError
    return not all(matters)


def looks_ahead(words: Words, names: Names, good: Names) -> bool:
    time_in, time_out = words.get("time-in", 1), words.get("time-out", 1)
    moved = change(words, names, lambda x: along(x, time_in, slice(-1, None)))
    by_step = moved.movedim(time_out, 0).flatten(1).amax(dim=1) > CHANGED
    if not by_step.any():
        raise NothingSeenError
    return bool(by_step[:-1].any())


def ignores_time(words: Words, names: Names, good: Names) -> bool:
    time_in = words.get("time-in", 1)
    if change(words, names, lambda x: along(x, time_in, slice(-1, None))).max() <= CHANGED:
        raise NothingSeenError
    return bool(change(words, names, lambda x: along(x, time_in, slice(0, -1))).max() <= CHANGED)


def half_seen(words: Words, names: Names, good: Names) -> bool:
    layer = eval(words["at"], names)
    time_in = words.get("time-in", 1)
    name = words.get("input", "x")
    given: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0].detach()))
    try:
        for picked in (slice(0, 0), slice(0, -1), slice(-1, None)):
            evaluate(words, names, {name: perturbed(names[name], along(names[name], time_in, picked))})
    finally:
        hook.remove()
    plain, early, late = given
    backward = slice(plain.shape[-1] // 2, None)
    if (plain - late)[..., backward].abs().max() <= CHANGED:
        raise NothingSeenError
    return bool((plain - early)[..., backward].abs().max() <= CHANGED)


def unused_parameters(words: Words, names: Names, good: Names) -> bool:
    parameters = [eval(path, names) for path in words["parameters"]]
    for module in modules(names):
        module.zero_grad(set_to_none=True)
    result = evaluate(words, names, training=True)
    # A random projection: the gradient of a sum is zero after a softmax, whatever is used.
    (result * torch.randn(result.shape, generator=torch.Generator().manual_seed(SEED))).sum().backward()  # type: ignore[no-untyped-call]
    idle = [parameter.grad is None or not parameter.grad.abs().max() > 0 for parameter in parameters]
    if any(idle) and not all(idle):
        raise AssertionError(f"only some of {words['parameters']} are unused: {idle}")
    return all(idle)


def wrong_size(words: Words, names: Names, good: Names) -> bool:
    stated: list[int] = words["shape"]
    return list(evaluate(words, names).shape) != stated


def differs(words: Words, names: Names, good: Names) -> bool:
    mended = dict(good)
    for name, value in names.items():
        theirs = mended.get(name)
        if isinstance(value, nn.Module) and isinstance(theirs, nn.Module):
            mended[name] = copy.deepcopy(theirs)
            mended[name].load_state_dict(value.state_dict())
        if isinstance(value, Tensor) and isinstance(theirs, Tensor) and value.is_leaf and value.shape == theirs.shape:
            mended[name] = value
    ours = evaluate(words, names)
    theirs = evaluate(words.get("mended", words), mended)
    return ours.shape != theirs.shape or bool((ours - theirs).abs().max() > CHANGED)


def reads_padding(words: Words, names: Names, good: Names) -> bool:
    batch_in, time_in = words.get("batch-in", 0), words.get("time-in", 1)
    lengths = torch.as_tensor(names[words.get("lengths", "lengths")])

    def padding(x: Tensor) -> Tensor:
        past = torch.arange(x.shape[time_in])[None, :] >= lengths[:, None]
        shape = [1] * x.dim()
        shape[batch_in], shape[time_in] = past.shape
        return (past if batch_in < time_in else past.T).reshape(shape).expand(x.shape)

    if not padding(names[words.get("input", "x")]).any():
        raise NothingSeenError
    if change(words, names, lambda x: ~padding(x)).max() <= CHANGED:
        raise NothingSeenError
    return bool(change(words, names, padding).max() > CHANGED)


def batch_of_one(words: Words, names: Names, good: Names) -> bool:
    batch_in = words.get("batch-in", 0)
    many = evaluate(words, names)
    one = {name: names[name].narrow(batch_in, 0, 1) for name in words.get("inputs", [words.get("input", "x")])}
    try:
        alone = evaluate(words, names, one)
    except (RuntimeError, IndexError, ValueError):
        return True
    return alone.dim() != many.dim()


def broadcasts(words: Words, names: Names, good: Names) -> bool:
    batch_in = words.get("batch-in", 0)
    inputs = {name: names[name] for name in words["inputs"]}
    samples = next(iter(inputs.values())).shape[batch_in]

    def loss_of(at: int) -> Tensor:
        return evaluate(words, names, {name: value.narrow(batch_in, at, 1) for name, value in inputs.items()})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = evaluate(words, names)
        mean = torch.stack([loss_of(at) for at in range(samples)]).mean()
    return bool((whole - mean).abs() > 1e-5)


def no_effect(words: Words, names: Names, good: Names) -> bool:
    first, second = (evaluate(words, names, training=True, seed=seed) for seed in (SEED, SEED + 1))
    return bool((first - second).abs().max() <= CHANGED)


MEASURES: dict[str, Callable[[Words, Names, Names], bool]] = {
    "mixes-samples": mixes_samples,
    "ignores-samples": ignores_samples,
    "looks-ahead": looks_ahead,
    "ignores-time": ignores_time,
    "half-seen": half_seen,
    "unused-parameters": unused_parameters,
    "wrong-size": wrong_size,
    "differs": differs,
    "reads-padding": reads_padding,
    "batch-of-one": batch_of_one,
    "broadcasts": broadcasts,
    "no-effect": no_effect,
}
