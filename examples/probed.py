"""`probe(model, x)`: the proof that windows are mixed, as text and as a picture.

    python examples/probed.py [picture.png]

The model is that of `broken/batch_first_forgotten.py`, as it is, and then the same with `batch_first` set. The picture needs
`rnnshape-guard[plot]`.
"""

import runpy
import sys
from pathlib import Path

import torch
from torch import nn

from rnnshape_guard import probe

PROGRAM = Path(__file__).parent / "broken" / "batch_first_forgotten.py"


def main() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 3, 2)
    # x: (batch, time, feature)
    model: nn.Module = runpy.run_path(str(PROGRAM))["Forecaster"](features=2, hidden=5)
    wrong = probe(model, x)
    print(wrong)
    for layer in model.modules():
        if isinstance(layer, nn.RNNBase):
            layer.batch_first = True
    right = probe(model, x)
    right.assert_independent()
    print(f"\nwith batch_first=True: {right.independent=}, and assert_independent() passes")
    for picture in sys.argv[1:2]:
        wrong.plot(picture)
        print(f"\nthe mixed samples as a picture: {Path(picture).resolve()}")


if __name__ == "__main__":
    main()
