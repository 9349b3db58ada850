"""Models that are built in one file and used in another: what a whole project says, file by file."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from rnnshape_guard.settings import Overrides, SettingsResolver
from rnnshape_guard.static import analyst
from rnnshape_guard.static.engine import Report, check_paths

ENCODER = """
import torch
from torch import nn

class Encoder(nn.Module):
    def __init__(self, features, hidden, bidirectional=False):
        super().__init__()
        self.rnn = nn.LSTM(features, hidden, batch_first=True, bidirectional=bidirectional)

    def forward(self, x):
        out, _ = self.rnn(x)
        return out
"""

HEAD = """
class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = {encoder}(8, 16, bidirectional=True)
        self.head = nn.Linear({width}, 5)

    def forward(self, x):
        return self.head(self.encoder(x))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(files: Mapping[str, str], *paths: str) -> list[tuple[str, str, int]]:
    return [(it.span.filename, it.code, it.span.start.row) for it in report(files, *paths).diagnostics]


def report(files: Mapping[str, str], *paths: str, ignore: tuple[str, ...] = ("RSG102",)) -> Report:
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    found = check_paths(paths or (".",), SettingsResolver(Overrides(ignore=ignore)), jobs=1)
    assert not found.failures
    return found


def tagger(imports: str, width: int, encoder: str = "Encoder") -> str:
    return f"{imports}\nfrom torch import nn\n" + HEAD.format(encoder=encoder, width=width)


IMPORTS = {
    "absolute": ("from pkg.encoder import Encoder", "Encoder", {"pkg/__init__.py": "", "pkg/encoder.py": ENCODER}),
    "module": ("import pkg.encoder", "pkg.encoder.Encoder", {"pkg/__init__.py": "", "pkg/encoder.py": ENCODER}),
    "alias": ("import pkg.encoder as e", "e.Encoder", {"pkg/__init__.py": "", "pkg/encoder.py": ENCODER}),
    "submodule": ("from pkg import encoder", "encoder.Encoder", {"pkg/__init__.py": "", "pkg/encoder.py": ENCODER}),
    "re-export": (
        "from pkg import Encoder",
        "Encoder",
        {"pkg/__init__.py": "from .encoder import Encoder\n", "pkg/encoder.py": ENCODER},
    ),
    "star": (
        "from pkg import *",
        "Encoder",
        {"pkg/__init__.py": "from .encoder import *\n", "pkg/encoder.py": "__all__ = ['Encoder']\n" + ENCODER},
    ),
    "namespace": ("from pkg.encoder import Encoder", "Encoder", {"pkg/encoder.py": ENCODER}),
    "beside": ("from encoder import Encoder", "Encoder", {"encoder.py": ENCODER}),
    "source folder": ("from pkg.encoder import Encoder", "Encoder", {"src/pkg/encoder.py": ENCODER}),
    "renamed": ("from encoder import Encoder as Front", "Front", {"encoder.py": ENCODER}),
    "guarded": (
        "try:\n    from encoder import Encoder\nexcept ImportError:\n    Encoder = None\n",
        "Encoder",
        {"encoder.py": ENCODER},
    ),
}


@pytest.mark.parametrize("form", IMPORTS)
def test_a_class_of_another_file_is_known_where_it_is_used(form: str) -> None:
    imports, name, files = IMPORTS[form]
    wrong = check({**files, "tagger.py": tagger(imports, 16, name)})
    row = tagger(imports, 16, name).splitlines().index("        self.head = nn.Linear(16, 5)") + 1
    assert wrong == [("tagger.py", "RSG201", row)]
    assert check({**files, "tagger.py": tagger(imports, 32, name)}) == []


@pytest.mark.parametrize("imports", ["from .encoder import Encoder", "from ..pkg.encoder import Encoder"])
def test_relative_imports_inside_a_package(imports: str) -> None:
    package = {"top/__init__.py": "", "top/pkg/__init__.py": "", "top/pkg/encoder.py": ENCODER}
    assert [code for _, code, _ in check({**package, "top/pkg/tagger.py": tagger(imports, 16)})] == ["RSG201"]
    assert check({**package, "top/pkg/tagger.py": tagger(imports, 32)}) == []


def test_data_fed_in_a_script_speak_against_the_layer_in_its_own_file() -> None:
    model = (
        "from torch import nn\n"
        + HEAD.format(encoder="Encoder", width=5).split("class")[0]
        + textwrap.dedent("""
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.GRU(8, 16)

            def forward(self, x):
                out, _ = self.rnn(x)
                return out
        """)
    )
    script = """
        import torch
        from torch.utils.data import DataLoader, TensorDataset
        from model import Model

        loader = DataLoader(TensorDataset(torch.randn(100, 12, 8)), batch_size=10)
        net = Model()
        for (x,) in loader:
            net(x)
        """
    found = report({"model.py": model, "train.py": script}, ignore=())
    (finding,) = found.diagnostics
    row = model.splitlines().index("        self.rnn = nn.GRU(8, 16)") + 1
    assert (finding.span.filename, finding.code, finding.span.start.row) == ("model.py", "RSG101", row)
    assert {note.span.filename for note in finding.evidence if note.span is not None} == {"train.py"}


SIZES = {
    "constant": ("HIDDEN = 16\n", "from config import HIDDEN", "HIDDEN"),
    "module": ("HIDDEN = 16\n", "import config", "config.HIDDEN"),
    "dataclass": (
        "from dataclasses import dataclass\n\n@dataclass\nclass Config:\n    hidden: int = 16\n",
        "from config import Config\nconfig = Config()",
        "config.hidden",
    ),
    "dict": ("CONFIG = {'hidden': 16}\n", "from config import CONFIG", "CONFIG['hidden']"),
    "arguments": (
        """
        import argparse

        def options():
            parser = argparse.ArgumentParser()
            parser.add_argument('--hidden', type=int, default=16)
            return parser.parse_args()
        """,
        "from config import options\nargs = options()",
        "args.hidden",
    ),
}


@pytest.mark.parametrize("kind", SIZES)
def test_sizes_come_from_other_files(kind: str) -> None:
    text, imports, size = SIZES[kind]
    model = """
        import torch
        from torch import nn
        {imports}

        rnn = nn.LSTM(8, {size}, batch_first=True, bidirectional=True)
        head = nn.Linear({width}, 3)
        out, _ = rnn(torch.randn(4, 7, 8))
        y = head(out)
        """
    model = textwrap.dedent(model)
    wrong = check({"config.py": text, "model.py": model.format(imports=imports, size=size, width=16)})
    assert [code for _, code, _ in wrong] == ["RSG201"]
    assert check({"config.py": text, "model.py": model.format(imports=imports, size=size, width=32)}) == []


def test_a_base_class_of_another_file_brings_its_layers() -> None:
    base = """
        from torch import nn

        class Base(nn.Module):
            def __init__(self, features, hidden):
                super().__init__()
                self.hidden = hidden
                self.rnn = nn.GRU(features, hidden, bidirectional=True, batch_first=True)
        """
    model = """
        from torch import nn
        from base import Base

        class Model(Base):
            def __init__(self, features, hidden):
                super().__init__(features, hidden)
                self.head = nn.Linear(self.hidden, 2)

            def forward(self, x):
                return self.head(self.rnn(x)[0])
        """
    assert check({"base.py": base, "model.py": model}) == [("model.py", "RSG201", 8)]
    assert check({"base.py": base, "model.py": model.replace("self.hidden,", "2 * self.hidden,")}) == []


def test_a_factory_of_another_file_builds_layers() -> None:
    factory = """
        from torch import nn

        def make_rnn(kind, features, hidden):
            return getattr(nn, kind)(features, hidden, batch_first=True, bidirectional=True)
        """
    model = """
        import torch
        from torch import nn
        from layers import make_rnn

        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = make_rnn("GRU", 8, 16)
                self.head = nn.Linear(16, 2)

            def forward(self, x):
                out, _ = self.rnn(x)
                return self.head(out)
        """
    assert check({"layers.py": factory, "model.py": model}) == [("model.py", "RSG201", 10)]


def test_a_condition_that_every_construction_in_sight_rules_out_is_no_finding() -> None:
    model = """
        from torch import nn

        class Model(nn.Module):
            def __init__(self, hidden, bidirectional):
                super().__init__()
                self.rnn = nn.GRU(8, hidden, batch_first=True, bidirectional=bidirectional)
                self.head = nn.Linear(hidden, 2)

            def forward(self, x):
                out, _ = self.rnn(x)
                return self.head(out)
        """
    use = "from model import Model\n\nnet = Model(16, bidirectional={flag})\n"
    (alone,) = report({"model.py": model}).diagnostics
    assert (alone.code, alone.severity, alone.condition) == ("RSG201", "warning", "bidirectional")
    assert check({"model.py": model, "use.py": use.format(flag=False)}) == []
    (used,) = report({"model.py": model, "use.py": use.format(flag=True)}).diagnostics
    assert (used.code, used.severity, used.condition) == ("RSG201", "error", "")


def test_modules_that_import_one_another_in_a_ring() -> None:
    files = {
        "a.py": "from b import make\n" + ENCODER + "\ndef built():\n    return make()\n",
        "b.py": tagger("from a import Encoder", 16) + "\ndef make():\n    return Tagger()\n",
    }
    assert check(files) == [("b.py", "RSG201", 8)]


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="missing"),
        pytest.param({"encoder.py": "class Encoder(:\n"}, id="broken"),
        pytest.param({"encoder.py": "from encoder import Encoder\n"}, id="imports itself"),
        pytest.param({"encoder.py": ENCODER + "\nEncoder = load('encoder')\n"}, id="replaced"),
        pytest.param({"encoder.py": ENCODER, "tagger.py": "def Encoder(*sizes): ...\n"}, id="unused"),
    ],
)
def test_what_cannot_be_followed_is_unknown(files: dict[str, str]) -> None:
    shadow = "from encoder import Encoder\nfrom elsewhere import Encoder\n" if "tagger.py" in files else ""
    found = check({**files, "tagger.py": tagger(shadow or "from encoder import Encoder", 16)}, "tagger.py")
    assert found == []


def test_the_later_of_two_imports_counts() -> None:
    other = ENCODER.replace("hidden, batch_first", "hidden // 2, batch_first")
    files = {"one.py": ENCODER, "two.py": other}
    right = tagger("from one import *\nfrom two import *", 16)
    assert check({**files, "tagger.py": right}) == []
    assert [
        code for _, code, _ in check({**files, "tagger.py": tagger("from two import *\nfrom one import *", 16)})
    ] == ["RSG201"]


def test_classes_of_one_name_in_two_files_are_two() -> None:
    files = {
        "one.py": ENCODER,
        "two.py": ENCODER.replace("Encoder", "Encoder").replace("hidden, batch_first", "hidden // 2, batch_first"),
        "a.py": tagger("from one import Encoder", 32),
        "b.py": tagger("from two import Encoder", 16),
    }
    assert check(files) == []


def test_a_suppression_in_the_file_of_the_finding_counts() -> None:
    model = """
        import torch
        from torch import nn

        class Model(nn.Module):
            def __init__(self, bidirectional):
                super().__init__()
                self.rnn = nn.GRU(8, 16, batch_first=True, bidirectional=bidirectional)
                self.head = nn.Linear(16, 2){comment}

            def forward(self, x):
                return self.head(self.rnn(x)[0])
        """
    use = "from model import Model\n\nnet = Model(True)\n"
    assert check({"model.py": model.format(comment=""), "use.py": use}) == [("model.py", "RSG201", 9)]
    assert check({"model.py": model.format(comment="  # noqa: RSG201"), "use.py": use}) == []


def test_a_finding_in_a_file_that_was_not_named_is_told_unless_that_file_is_excluded() -> None:
    model = """
        from torch import nn

        class Model(nn.Module):
            def __init__(self, bidirectional):
                super().__init__()
                self.rnn = nn.GRU(8, 16, batch_first=True, bidirectional=bidirectional)
                self.head = nn.Linear(16, 2)

            def forward(self, x):
                return self.head(self.rnn(x)[0])
        """
    use = "from {package}model import Model\n\nnet = Model(True)\n"
    assert check({"model.py": model, "use.py": use.format(package="")}, "use.py") == [("model.py", "RSG201", 8)]
    files = {
        "pyproject.toml": "[tool.rnnshape-guard]\nextend-exclude = ['vendored']\n",
        "vendored/model.py": model,
        "other.py": use.format(package="vendored."),
    }
    assert check(files, "other.py") == []


def test_tensors_made_by_an_imported_modules_own_code_are_unknown() -> None:
    data = "import torch\n\nx = torch.zeros(5, 7, 9)\nwidth = 9\n"
    model = """
        from torch import nn
        from data import x, width

        rnn = nn.GRU(width + 1, 4, batch_first=True)
        out, h = rnn(x)
        """
    assert check({"data.py": data, "model.py": model}) == []


def test_the_screen_of_files_loses_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging every file there is finds nothing that judging the screened ones does not find."""
    files = dict(IMPORTS["re-export"][2])
    files |= {
        "tagger.py": tagger("from pkg import Encoder", 16),
        "wrapper.py": "import tagger\n\ndef build():\n    return tagger.Tagger()\n",
        "train.py": "import torch\nfrom wrapper import build\n\nnet = build()\ny = net(torch.randn(3, 5, 9))\n",
        "plain.py": "import os\n\ndef f(x):\n    return os.path.join(x, 'y')\n",
        "config.py": "WIDTH = 3\n",
    }
    screened = check(files)
    assert {(name, code) for name, code, _ in screened} >= {("tagger.py", "RSG201")}
    monkeypatch.setattr(analyst, "may_matter", lambda source: True)
    assert check(files, *files) == screened


PADDING = """
from torch.nn.utils.rnn import pad_sequence

class Padding:
    def __init__(self, batch_first):
        self.batch_first = batch_first

    def __call__(self, samples):
        texts = [text for text, _ in samples]
        return pad_sequence(texts, batch_first=self.batch_first), [label for _, label in samples]
"""
READING = """
import torch
from torch import nn
from torch.utils.data import DataLoader
from padding import Padding

class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 8)
        self.gru = nn.GRU(8, 16, batch_first=True)
        self.out = nn.Linear(16, 4)

    def forward(self, x):
        states, _ = self.gru(self.words(x))
        return self.out(states)

def read(texts, labels):
    reader = Reader()
    for text, _ in DataLoader(list(zip(texts, labels)), batch_size=4, collate_fn=Padding({flag})):
        yield reader(text)
"""


@pytest.mark.parametrize(("flag", "found"), [("False", [("reading.py", "RSG101", 11)]), ("True", [])])
def test_a_batch_is_what_the_program_makes_of_the_samples(flag: str, found: list[tuple[str, str, int]]) -> None:
    assert check({"padding.py": PADDING, "reading.py": READING.replace("{flag}", flag)}) == found


SAMPLES = """
import torch
from torch.nn.utils.rnn import pad_sequence

PAD, END = 0, 1

def joined(samples):
    texts, labels = zip(*samples)
    return pad_sequence(texts, padding_value=PAD), torch.tensor(labels)
"""
MASKED = """
from torch import nn
from torch.utils.data import DataLoader
from samples import PAD, joined

class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 8)
        self.gru = nn.GRU(8, 16, batch_first=False)
        self.out = nn.Linear(16, 4)

    def forward(self, x, kept):
        states, _ = self.gru(self.words(x))
        return self.out((states * kept.unsqueeze(-1)).sum(dim={dim}))

def read(texts, labels):
    reader = Reader()
    for text, _ in DataLoader(list(zip(texts, labels)), batch_size=4, collate_fn=joined):
        yield reader(text, text != PAD)
"""


@pytest.mark.parametrize(("dim", "found"), [("1", [("masked.py", "RSG401", 15)]), ("0", [])])
def test_samples_that_are_not_known_one_by_one_fall_into_columns(dim: str, found: list[tuple[str, str, int]]) -> None:
    assert check({"samples.py": SAMPLES, "masked.py": MASKED.replace("{dim}", dim)}) == found


OPTIONS = """
import json
from dataclasses import asdict, dataclass, field, replace

@dataclass
class Sizes:
    features: int = 8
    hidden: int = field(default=16)

@dataclass
class Options(Sizes):
    bidirectional: bool = False
    width: int = 0

    def __post_init__(self):
        self.width = self.hidden * (2 if self.bidirectional else 1)
"""
OPTED = """
import torch
from json import loads
from torch import nn
from options import Options, asdict, replace

class Net(nn.Module):
    def __init__(self, features, hidden, bidirectional, width):
        super().__init__()
        self.rnn = nn.GRU(features, hidden, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear({size}, 4)

    def forward(self, x):
        return self.head(self.rnn(x)[0])

def one():
    return Net(**{made})(torch.randn(4, 7, 8))
"""


@pytest.mark.parametrize(
    ("made", "size", "codes"),
    [
        ("asdict(Options())", "hidden", []),
        ("asdict(Options(8, 16, True))", "hidden", ["RSG201"]),
        ("asdict(replace(Options(), bidirectional=True))", "hidden", ["RSG201"]),
        ("asdict(replace(Options(), bidirectional=True))", "width", []),
        ("vars(replace(Options(), **loads('{\"bidirectional\": true}')))", "hidden", ["RSG201"]),
        ("{**asdict(Options()), 'bidirectional': True}", "width", ["RSG201"]),
    ],
)
def test_an_object_made_of_fields_is_read_and_changed_by_them(made: str, size: str, codes: list[str]) -> None:
    found = check(
        {"options.py": OPTIONS, "opted.py": OPTED.replace("{made}", made).replace("{size}", size)}, "opted.py"
    )
    assert [code for _, code, _ in found] == codes


REPLAY = """
import random
import torch

class Replay:
    def __init__(self):
        self.kept = []

    def add(self, {kept}):
        self.kept.append({kept})

    def some(self, count):
        drawn = random.sample(self.kept, count)
        return torch.stack([{picked} for one in drawn], dim={dim})
"""
PLAYER = """
import torch
from torch import nn
from replay import Replay

class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 16)
        self.value = nn.Linear(16, 1)

    def forward(self, seen):
        return self.value(self.rnn(seen)[0])

def play():
    replay, critic = Replay(), Critic()
    for _ in range(40):
        replay.add(torch.randn(9, 6), 1.0)
    return critic(replay.some(8))
"""


@pytest.mark.parametrize(
    ("kept", "picked", "dim", "found"),
    [
        ("*pair", "one[0]", "0", [("player.py", "RSG101", 9)]),
        ("*pair", "one[0]", "1", []),
        ("frame, _", "one", "0", []),
    ],
)
def test_records_that_are_drawn_are_a_batch(
    kept: str, picked: str, dim: str, found: list[tuple[str, str, int]]
) -> None:
    replay = REPLAY.replace("add(self, {kept})", f"add(self, {kept})")
    replay = replay.replace("append({kept})", f"append({kept.strip('*').partition(',')[0]})")
    files = {"replay.py": replay.replace("{picked}", picked).replace("{dim}", dim), "player.py": PLAYER}
    assert check(files) == found


ORDERED = """
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

class Walks(Dataset):
    def __init__(self):
        self.walks = [torch.zeros(9, 6) for _ in range(40)]

    def __len__(self):
        return len(self.walks)

    def __getitem__(self, at):
        return self.walks[at]

class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 16, batch_first=False)
        self.out = nn.Linear(16, 4)

    def forward(self, walk):
        return self.out(self.rnn(walk)[0])

def read():
    reader = Reader()
    for walk in DataLoader(Walks(), batch_size=8, collate_fn=lambda walks: torch.stack(walks, {dim})):
        yield reader(walk)
"""


@pytest.mark.parametrize(("dim", "codes"), [("0", ["RSG101"]), ("1", [])])
def test_samples_are_the_batch_where_they_are_stacked(dim: str, codes: list[str]) -> None:
    assert [code for _, code, _ in check({"ordered.py": ORDERED.replace("{dim}", dim)})] == codes


METERS = """
import torch
from torch.utils.data import Dataset

class Meters(Dataset):
    def __init__(self, steps):
        self.readings = {readings}
        self.steps = steps

    def __len__(self):
        return 40 - self.steps

    def __getitem__(self, at):
        return self.readings[at : at + self.steps].unsqueeze(-1), self.readings[at + self.steps]
"""
FITTING = """
from torch import nn
from torch.utils.data import DataLoader
from meters import Meters

class Forecast(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 16, batch_first=True)
        self.value = nn.Linear(16, 1)

    def forward(self, x):
        return self.value(self.rnn(x)[0][:, -1])

def fit():
    forecast, loss = Forecast(), nn.MSELoss()
    for x, y in DataLoader(Meters(steps=6), batch_size=8):
        loss(forecast(x), y).backward()
"""


@pytest.mark.parametrize(
    ("readings", "codes"),
    [
        ("torch.as_tensor([0.5] * 40)", ["RSG705"]),
        ("torch.tensor([float(at) for at in range(40)])", ["RSG705"]),
        ("torch.as_tensor([[float(at)] for at in range(40)]).squeeze(-1).unsqueeze(-1)[..., 0:1]", []),
    ],
)
def test_a_tensor_of_a_list_of_numbers_has_one_axis(readings: str, codes: list[str]) -> None:
    files = {"meters.py": METERS.replace("{readings}", readings), "fitting.py": FITTING}
    assert [code for _, code, _ in check(files)] == codes


@pytest.mark.parametrize(
    ("labels", "codes"), [("[label for _, label in samples]", []), ("[len(text) for text, _ in samples]", ["RSG705"])]
)
def test_what_is_not_known_to_be_a_number_is_none(labels: str, codes: list[str]) -> None:
    text = f"""
        import torch
        from torch import nn

        def fit(rnn: nn.GRU, samples):
            x = torch.stack([text for text, _ in samples])
            out, h = nn.GRU(6, 16, batch_first=True)(x.view(-1, 9, 6))
            scores = nn.Linear(16, 1)(h[-1])
            return nn.MSELoss()(scores, torch.tensor({labels}))
        """
    assert [code for _, code, _ in check({"fit.py": text})] == codes


CODES = """
from torch import nn

class Squeeze(nn.Module):
    def __init__(self, n_features, latent_size):
        super().__init__()
        self.rnn = nn.GRU(n_features, latent_size)

    def forward(self, x):
        return self.rnn(x)[1]

class Unfold(nn.Module):
    def __init__(self, n_features, latent_size):
        super().__init__()
        self.rnn = nn.GRU(n_features, latent_size)

    def forward(self, x, h):
        return self.rnn(x, h)[0]
"""
CODING = """
import torch
from codes import Squeeze, Unfold

def build(x):
    features, latent = 6, 20
    squeeze = Squeeze({squeeze})
    unfold = Unfold({unfold})
    return unfold(torch.randn(9, 4, features), squeeze(x))
"""


@pytest.mark.parametrize(
    ("squeeze", "unfold", "line"),
    [
        ("features, latent", "features, latent", 0),
        ("latent, features", "features, latent", 7),
        ("features, latent", "features, 2 * latent", 8),
    ],
)
def test_swapped_arguments_are_named_where_they_are_given(squeeze: str, unfold: str, line: int) -> None:
    coding = CODING.replace("{squeeze}", squeeze).replace("{unfold}", unfold)
    found = [(name, at) for name, code, at in check({"codes.py": CODES, "coding.py": coding}) if code == "RSG204"]
    assert found == ([("coding.py", line)] if line else [])
