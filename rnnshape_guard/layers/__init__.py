"""What each torch.nn layer takes and gives: a spec dataclass and a pure function per family.

`find` names a layer, `build` constructs its spec, `call` runs it on operands; `FUNCTIONS` holds the functions of
torch.nn.utils.rnn. None of it needs torch. In a `Misfit`, features (the last axis of an input) are axis -1, every
other axis counts from the front, and a PackedSequence counts as ``(batch, time, features)``.
"""

from rnnshape_guard.layers.arguments import REQUIRED, Argument, Bound, Flag, Parameter, Size, Spec, bind, settled
from rnnshape_guard.layers.cells import CellSpec
from rnnshape_guard.layers.containers import ContainerSpec
from rnnshape_guard.layers.convolution import ConvSpec
from rnnshape_guard.layers.dense import BilinearSpec, LinearSpec
from rnnshape_guard.layers.elementwise import ActivationSpec, DropoutSpec, PReLUSpec, SoftmaxSpec
from rnnshape_guard.layers.embedding import EmbeddingBagSpec, EmbeddingSpec
from rnnshape_guard.layers.flattening import FlattenSpec, UnflattenSpec
from rnnshape_guard.layers.kinds import Built, LayerKind
from rnnshape_guard.layers.losses import FUNCTIONAL_LOSSES
from rnnshape_guard.layers.normalization import ChannelNormSpec, GroupNormSpec, TrailingNormSpec
from rnnshape_guard.layers.packing import FUNCTIONS
from rnnshape_guard.layers.pooling import AdaptivePoolSpec, PoolSpec
from rnnshape_guard.layers.recurrent import RecurrentSpec
from rnnshape_guard.layers.table import CELLS, KINDS, RECURRENT, WRAPPERS, build, call, find

__all__ = [
    "CELLS",
    "FUNCTIONAL_LOSSES",
    "FUNCTIONS",
    "KINDS",
    "RECURRENT",
    "REQUIRED",
    "WRAPPERS",
    "ActivationSpec",
    "AdaptivePoolSpec",
    "Argument",
    "BilinearSpec",
    "Bound",
    "Built",
    "CellSpec",
    "ChannelNormSpec",
    "ContainerSpec",
    "ConvSpec",
    "DropoutSpec",
    "EmbeddingBagSpec",
    "EmbeddingSpec",
    "Flag",
    "FlattenSpec",
    "GroupNormSpec",
    "LayerKind",
    "LinearSpec",
    "PReLUSpec",
    "Parameter",
    "PoolSpec",
    "RecurrentSpec",
    "Size",
    "SoftmaxSpec",
    "Spec",
    "TrailingNormSpec",
    "UnflattenSpec",
    "bind",
    "build",
    "call",
    "find",
    "settled",
]
