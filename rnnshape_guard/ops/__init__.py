"""What each tensor operation does to shapes: pure functions over the shape algebra, and one table from names to them.

>>> from rnnshape_guard.shapes.axes import Shape
>>> from rnnshape_guard.shapes.dims import Dim
>>> x = Shape.sized(8, 20, 64, names=("batch", "time", "feature"))
>>> permute = find("Tensor.permute")
>>> _, outcome = perform(permute, (x, Dim.of(1), Dim.of(0), Dim.of(2)), {})
>>> print(outcome.result, outcome.result.contiguous)
(time, batch, feature) False
>>> _, outcome = perform(find("Tensor.view"), (outcome.result, Dim.of(8), Dim.of(-1)), {})
>>> outcome.misfits[0].fault
<Fault.STRIDES: 'strides'>
"""

from rnnshape_guard.ops.operation import REQUIRED, Bound, Kind, Operation, Parameter, bind, perform
from rnnshape_guard.ops.operators import binary
from rnnshape_guard.ops.select import index
from rnnshape_guard.ops.table import find, paths

__all__ = [
    "REQUIRED",
    "Bound",
    "Kind",
    "Operation",
    "Parameter",
    "binary",
    "bind",
    "find",
    "index",
    "paths",
    "perform",
]
