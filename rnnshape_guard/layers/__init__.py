"""What each torch.nn layer takes and gives: a spec dataclass and a pure function per family.

`find` names a layer, `build` constructs its spec, `call` runs it on operands; `FUNCTIONS` holds the functions of
torch.nn.utils.rnn. None of it needs torch. In a `Misfit`, features (the last axis of an input) are axis -1, every
other axis counts from the front, and a PackedSequence counts as ``(batch, time, features)``.
"""

from rnnshape_guard.layers.arguments import Argument, Bound, Flag, Parameter, Size, Spec, bind, settled
from rnnshape_guard.layers.dense import BilinearSpec, LinearSpec
from rnnshape_guard.layers.embedding import EmbeddingBagSpec, EmbeddingSpec
from rnnshape_guard.layers.kinds import Built, LayerKind
from rnnshape_guard.layers.packing import FUNCTIONS
from rnnshape_guard.layers.recurrent import RecurrentSpec
from rnnshape_guard.layers.table import KINDS, build, call, find

__all__ = [
    "FUNCTIONS",
    "KINDS",
    "Argument",
    "Bound",
    "Built",
    "EmbeddingSpec",
    "Flag",
    "LayerKind",
    "LinearSpec",
    "Parameter",
    "RecurrentSpec",
    "Size",
    "Spec",
    "bind",
    "build",
    "call",
    "find",
    "settled",
]
