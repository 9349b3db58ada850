"""How a program spells a size: as a number, a parameter, an attribute, a constant, a field of a config."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Way = Literal["literal", "parameter", "default", "constant", "config", "class"]

NAMES: dict[str, tuple[str, ...]] = {
    "feature": ("input_size", "input_dim", "n_features", "in_dim", "feature_dim", "nin"),
    "embed": ("embed_dim", "embedding_dim", "emb_size", "ninp", "word_dim", "d_model"),
    "hidden": ("hidden_size", "hidden_dim", "n_hidden", "nhid", "h_dim", "rnn_size", "units"),
    "decoder": ("decoder_hidden", "dec_dim", "dec_size"),
    "layers": ("num_layers", "n_layers", "nlayers", "layers", "layer_dim"),
    "vocab": ("vocab_size", "num_tokens", "ntoken", "n_vocab", "dict_size"),
    "classes": ("num_classes", "n_classes", "output_size", "output_dim", "nout", "tagset_size"),
    "channels": ("channels", "conv_dim", "n_filters", "num_filters"),
    "latent": ("latent_dim", "z_dim", "latent_size", "code_size"),
    "middle": ("fc_dim", "mlp_dim", "proj_dim", "dense_units"),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A size of the whole program: what it is, its value, its name, and how it is spelled."""

    role: str
    value: int
    name: str
    way: Way


@dataclass(frozen=True, slots=True)
class Config:
    """A config object: how it is made, and how a field of it is read from a name."""

    kind: str
    short: str
    outer: str

    def read(self, holder: str, field_name: str) -> str:
        """A field of the config, from the name that holds it."""
        return f'{holder}["{field_name}"]' if self.kind == "dict" else f"{holder}.{field_name}"


@dataclass(slots=True)
class Size:
    """A number as one class writes it: `init` in its constructor, `later()` in its other methods."""

    value: int
    init: str
    _later: Callable[[], str]

    def later(self) -> str:
        """The text in a method; asking for it makes the constructor keep what it needs."""
        return self._later()

    def times(self, factor: int, init: str, later: Callable[[], str] | None = None, *, first: bool = False) -> Size:
        """This many times the size, the factor spelled as given."""

        def joined(size: str, by: str) -> str:
            return f"{by} * {size}" if first else f"{size} * {by}"

        return Size(
            self.value * factor, joined(self.init, init), lambda: joined(self.later(), (later or (lambda: init))())
        )


def number(value: int) -> Size:
    """A literal."""
    return Size(value, str(value), lambda: str(value))


@dataclass(slots=True)
class Parameter:
    """A parameter of a constructor: its default in words, if it has one, and what a caller gives, if anything."""

    name: str
    default: str = ""
    given: Quantity | str | None = None
    hint: str = ""

    def text(self, *, hints: bool) -> str:
        """The parameter in a signature."""
        hint = f": {self.hint}" if hints and self.hint else ""
        equals = " = " if hint else "="
        return f"{self.name}{hint}{equals}{self.default}" if self.default else f"{self.name}{hint}"


@dataclass(slots=True)
class Signature:
    """The parameters of a constructor, those with defaults last."""

    parameters: list[Parameter] = field(default_factory=list)

    def add(self, parameter: Parameter) -> None:
        """A further parameter, unless it is there."""
        if all(one.name != parameter.name for one in self.parameters):
            self.parameters.append(parameter)

    def ordered(self) -> list[Parameter]:
        """Required ones first."""
        return [one for one in self.parameters if not one.default] + [one for one in self.parameters if one.default]
