"""Why samples are mixed, where that can be told: BatchNorm in training, a lost order, a recurrence along the batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from rnnshape_guard.runtime.probing.company import acting_together
from rnnshape_guard.runtime.probing.dependence import Dependence, listed
from rnnshape_guard.runtime.probing.measuring import Baseline, Measure
from rnnshape_guard.runtime.probing.running import Runner


def cause_of(
    measure: Measure,
    runner: Runner,
    batches: Mapping[str, int | None],
    most: int,
    samples: int,
    numbers: Sequence[str],
) -> str:
    """The layers that mix samples by design: BatchNorm that takes its statistics from the batch, where the mixing goes when it is taken out."""
    blamed = {
        path: module
        for path, module in runner.named_modules().items()
        if isinstance(module, _BatchNorm) and (module.training or module.running_mean is None)
    }
    if not blamed:
        return ""
    with runner.adjusted([partial(_stand_aside, each) for each in blamed.values()]):
        try:
            plain = Baseline.of(runner.run(), runner.run())
            again = Measure(runner, measure.inputs, plain, nan=False)
            along = again.along("batch", samples, batches, most)
            pairs = [acting_together(runner, again, samples, name) for name in numbers if batches.get(name) is None]
        except Exception:  # noqa: BLE001 - without the layer the model may not run at all; then nothing is blamed
            return ""
    names = listed([f"`{path}` ({type(module).__name__})" for path, module in blamed.items()])
    how = "in training mode" if all(module.training for module in blamed.values()) else "without running statistics"
    if any(each.clean is False for each in along.dependences) or any(pairs):
        return f"something mixes them, and not only {names} {how}: they stay mixed without it"
    remedy = "; in eval mode it does not" if how == "in training mode" and _has_statistics(blamed.values()) else ""
    return f"{names} {how} normalises each sample with the others{remedy}"


def pattern_of(runner: Runner, batch: Sequence[Dependence], time: Sequence[Dependence]) -> str:
    """What the pattern tells: samples in another order, or a recurrence that carries from sample to sample."""
    mixed = [each for each in batch if each.clean is False]
    if mixed and all(each.is_reordered for each in mixed):
        return "they come out in another order than they went in"
    alone = {each.output for each in time if len(each.rows) > 1 and each.is_alone}
    layers = [
        f"`{path or type(module).__name__}` (batch_first={module.batch_first})"
        for path, module in runner.named_modules().items()
        if isinstance(module, nn.RNNBase)
    ]
    if not layers or not mixed or not all(each.output in alone for each in mixed):
        return ""
    walks = "walks" if len(layers) == 1 else "walk"
    return f"{listed(layers)} {walks} along them as if they were steps, and no step sees another"


def _has_statistics(modules: Iterable[_BatchNorm]) -> bool:
    return all(module.running_mean is not None for module in modules)


def _stand_aside(module: nn.Module) -> None:
    """Make a layer give back what it is given; the next run begins with it as it was."""
    module.__dict__["forward"] = lambda given, *_: given
