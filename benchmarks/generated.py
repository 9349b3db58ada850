"""A tree of any size to measure growth on: packages such as people write, of which one file in a hundred is recurrent.

The same number always gives the same tree, and a larger tree begins with the smaller. A package has a configuration,
helpers, data sets, plain and recurrent models and scripts that train them, which import one another.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

FILES_A_PACKAGE = 100
RECURRENT_A_PACKAGE = 1

_HEAD = '"""{title}."""\n\nfrom __future__ import annotations\n\nimport logging\nfrom dataclasses import dataclass\nfrom pathlib import Path\n'

_FUNCTION = '''

def {verb}_{noun}(items: list[{kind}], limit: int = {number}) -> dict[str, {kind}]:
    """{Verb} the {noun} of every item, at most `limit` of them.

    Items that carry no {noun} are passed over; the last one of a name wins.
    """
    found: dict[str, {kind}] = {{}}
    for index, item in enumerate(items):
        if index >= limit:
            log.warning("more than %d {noun}, %d are left out", limit, len(items) - limit)
            break
        name = f"{noun}-{{index % {number}}}"
        if name in found and found[name] != item:
            log.debug("%s: %r takes the place of %r", name, item, found[name])
        found[name] = item
    return found
'''

_CLASS = '''

@dataclass
class {Noun}{Verb}:
    """Keeps what is known of one {noun}."""

    name: str
    size: int = {number}
    rate: float = 0.{number}
    place: Path | None = None

    def {verb}(self, values: list[float]) -> float:
        """The mean over `size` values, weighted by the rate."""
        if not values:
            return 0.0
        kept = values[-self.size :]
        total = sum(value * self.rate**index for index, value in enumerate(reversed(kept)))
        return total / len(kept)

    def describe(self) -> str:
        """One line for the log."""
        return f"{{self.name}}: {noun} of {{self.size}} at {{self.rate:.3f}}, {{self.place or 'nowhere'}}"
'''

_PLAIN_MODEL = '''

class {Noun}Block(nn.Module):
    """A residual block over {noun} features."""

    def __init__(self, width: int = {number}, dropout: float = 0.1):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.up(self.norm(x)))
        return x + self.dropout(self.down(hidden))
'''

_RECURRENT_MODEL = '''

class {Noun}Encoder(nn.Module):
    """Reads sequences of {noun} in both directions."""

    def __init__(self, words: int, width: int = {number}, layers: int = 2):
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True, bidirectional=True)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """From (batch, time) to (batch, time, 2 * width) and the last states of both directions."""
        out, (h_n, _) = self.lstm(self.embedding(tokens))
        return out, torch.cat([h_n[-2], h_n[-1]], dim=1)


class {Noun}Tagger(nn.Module):
    """A tag for every {noun}."""

    def __init__(self, words: int, tags: int, width: int = {number}):
        super().__init__()
        self.encoder = {Noun}Encoder(words, width)
        self.head = nn.Linear({wide}, tags)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        out, _ = self.encoder(tokens)
        return self.head(out)
'''

_TRAINING = '''

def train(epochs: int = {number}) -> float:
    """Train for some epochs and give the last loss."""
    model = {Noun}Tagger(words=1000, tags=9)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss = torch.zeros(())
    for epoch in range(epochs):
        tokens = torch.randint(0, 1000, (32, 50))
        scores = model(tokens)
        loss = nn.functional.cross_entropy(scores.transpose(1, 2), tokens % 9)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log.info("epoch %d: %.3f", epoch, loss.item())
    return loss.item()


if __name__ == "__main__":
    train()
'''

_VERBS = "collect merge read write count scale split rank trim order filter group index sample".split()
_NOUNS = "token label frame record batch segment signal vector page window channel speaker phrase sentence".split()


def write(folder: Path, files: int) -> None:
    """Write a tree of so many files, or add what is missing to a smaller one."""
    for number in range(0, files, FILES_A_PACKAGE):
        package = folder / f"package_{number // FILES_A_PACKAGE:05}"
        if package.exists():
            continue
        package.mkdir(parents=True)
        for name, text in _package(random.Random(number)):
            (package / name).write_text(text, encoding="utf-8")


def _package(chance: random.Random) -> Iterator[tuple[str, str]]:
    """The files of one package."""
    yield "__init__.py", '"""A package."""\n\nfrom .module_01 import log as log\n'
    noun = chance.choice(_NOUNS)
    for number in range(RECURRENT_A_PACKAGE):
        yield (
            f"encoder_{number}.py",
            _module(chance, "Recurrent models", (), torch=True, parts=(_RECURRENT_MODEL,), noun=noun),
        )
    imports: tuple[str, ...] = (f"from .encoder_0 import {noun.title()}Tagger",)
    yield "train.py", _module(chance, "Training", imports, torch=True, parts=(_TRAINING,), noun=noun)
    for number in range(FILES_A_PACKAGE - RECURRENT_A_PACKAGE - 2):
        others = chance.sample(range(number), min(number, 2))
        imports = tuple(f"from .module_{other:02} import log as log_{other:02}" for other in others)
        torch = chance.random() < 0.3
        kinds = (_FUNCTION, _CLASS, _PLAIN_MODEL) if torch else (_FUNCTION, _CLASS)
        parts = tuple(chance.choice(kinds) for _ in range(chance.randint(2, 8)))
        yield f"module_{number:02}.py", _module(chance, "Helpers", imports, torch=torch, parts=parts)


def _module(
    chance: random.Random, title: str, imports: tuple[str, ...], *, torch: bool, parts: tuple[str, ...], noun: str = ""
) -> str:
    lines = [_HEAD.format(title=title)]
    lines += ["\nimport torch\nfrom torch import nn\n"] if torch else []
    lines += [f"{line}\n" for line in ("", *imports, "", "log = logging.getLogger(__name__)")]
    for part in parts:
        verb, of = chance.choice(_VERBS), noun or chance.choice(_NOUNS)
        words = {
            "verb": verb,
            "Verb": verb.title(),
            "noun": of,
            "Noun": of.title(),
            "kind": chance.choice(["int", "str", "float"]),
            "number": chance.randint(2, 90),
            # One recurrent package in four has a head that takes the features of one direction only.
            "wide": "width" if chance.random() < 0.25 else "2 * width",
        }
        lines.append(part.format(**words))
    return "".join(lines)
