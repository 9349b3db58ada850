"""Which role an axis word names: `batch_size`, `seq len`, `2*hidden`, and the letters of `(N, L, H)`.

    >>> role_of("batchSize"), role_of("src_len - 1"), role_of("num_layers * num_directions")
    (<Role.BATCH: 'batch'>, <Role.TIME: 'time'>, <Role.LAYER: 'layer'>)

A single letter says little by itself; a row of them says a lot:

    >>> role_of("n"), role_of_all(["N", "C", "L"])
    (None, (<Role.BATCH: 'batch'>, <Role.CHANNEL: 'channel'>, <Role.TIME: 'time'>))

A wrong role makes a false alarm and a missing one makes silence, so what is in doubt is None.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rnnshape_guard.shapes.axes import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTING: Final = frozenset({"n", "num", "nb", "numb", "number", "of", "no", "max", "total"})
_NUMBER_OF: Final = frozenset({"n", "num", "nb", "numb", "number", "total"})
_EXTENT: Final = frozenset({"size", "sz", "dim", "dims", "axis"})
_PLACE: Final = _words("src tgt trg target source input output in out enc dec encoder decoder")

# For each role: words that carry it, and the words that may stand beside them without changing it (`batch_first`,
# `num_batches` and `embedding_length` name something else).
_WORDS: Final[dict[Role, tuple[frozenset[str], frozenset[str]]]] = {
    Role.BATCH: (
        _words("batch bs bsz bz bsize nbatch batchsize minibatch 批次 批量 批大小 批次大小 批量大小"),
        _words("size sz dim axis n num mini max local train eval test val current cur real actual"),
    ),
    Role.LAYER: (
        _words("layer layers nlayer nlayers 层数"),
        _COUNTING | _PLACE | _words("rnn lstm gru hidden stacked"),
    ),
    Role.DIRECTION: (
        _words("direction directions ndir ndirs ndirections 方向数"),
        _COUNTING | frozenset({"rnn", "lstm", "gru"}),
    ),
    Role.CHANNEL: (
        _words("channel channels chan chans nchannels 通道 通道数"),
        _COUNTING | _PLACE | frozenset({"size", "dim", "conv"}),
    ),
    Role.HIDDEN: (
        _words("hidden hid nhid nhidden hdim hsize hiddensize hiddendim units 隐藏层大小 隐藏维度 隐层大小"),
        _COUNTING | _PLACE | _EXTENT | _words("dimension rnn lstm gru features feature units"),
    ),
    Role.FEATURE: (
        _words(
            "feature features feat feats nfeat nfeats nfeatures emb embs embed embd embedding embeddings dim dims "
            "dimension dimensions idim odim adim dmodel mel mels mfcc mfccs 特征 特征数 特征维度 维度 词向量维度"
        ),
        frozenset(),  # everything may stand beside these but what changes the meaning: see `_NOT_FEATURES`
    ),
}

_TIME: Final = _words(
    "time times seq sequence timestep timesteps step steps len length seqlen maxlen tmax lmax slen tlen nsteps "
    "nframes frame frames window lookback bptt 时间 时间步 时间步数 时间步长 序列长度 句子长度"
)
_TIME_BESIDE: Final = (
    _COUNTING
    | _PLACE
    | _EXTENT
    | _TIME
    | _words("sent sentence text context query key q k memory padded audio past future history")
)
# `frame_size` is the width of one frame and `step_size` a learning rate's; only of these is the size a length.
_TIME_WITH_SIZE: Final = frozenset({"time", "seq", "sequence", "window", "context", "lookback"})

_NOT_FEATURES: Final = _words(
    "length len lengths index idx id ids mask batch time seq sequence head heads class classes label labels first"
)
_SIZED_FEATURES: Final = _words("input in output out embedding embed emb feature feat word obs observation")
_SIZED_HIDDEN: Final = frozenset({"rnn", "lstm", "gru"})

# Words for axes that have none of our roles, or only in company.
_OTHERS: Final = _words(
    "class classes vocab vocabulary vocabsize tag tags tagset label labels head heads height width freq frequency "
    "freqs speaker speakers spk beam bin bins word words token tokens char chars out output outputs target targets "
    "sample samples utt utts utterance utterances sentences env envs pixels nclasses ntags nvocab item items node "
    "nodes kernel action actions hop hops state states 类别数 词表大小"
)

_SAMPLES: Final = _words("sample samples nsample nsamples utt utts utterance utterances")
_TOKENS: Final = _words("word words token tokens nwords ntokens")
_ENVIRONMENTS: Final = _words("env envs environment environments nenvs")

_LETTERS: Final = frozenset("bntlschdefkmpqwvioru")
_WIDTHS: Final = frozenset("cdefh")
_LENGTHS: Final = frozenset("ls")


class _Trust(IntEnum):
    """How far a word's role can be believed against another claim to the same role."""

    LETTER = 1
    WORD = 2


def role_of(word: str, extra: Mapping[str, Collection[str]] | None = None) -> Role | None:
    """The role that a word or a small expression names by itself; None for none and in doubt.

    `extra` adds words to roles: ``{"batch": ["episodes"]}``.
    """
    if extra:
        plain = word.strip().lower()
        for role, words in extra.items():
            if plain in words or word.strip() in words:
                return Role(role)
    return _role_of(word)


def role_of_all(
    words: Sequence[str | int], extra: Mapping[str, Collection[str]] | None = None
) -> tuple[Role | None, ...]:
    """The roles of the axes of one shape, decided together: single letters count, and no role is given twice.

    Where two axes claim one role, a word beats a letter; two equal claims are both None.
    """
    texts = tuple([str(word).strip() for word in words])
    return _roles_together(texts, extra) if extra else _known_together(texts)


@lru_cache(maxsize=4096)
def _known_together(texts: tuple[str, ...]) -> tuple[Role | None, ...]:
    return _roles_together(texts, None)


def _roles_together(texts: tuple[str, ...], extra: Mapping[str, Collection[str]] | None) -> tuple[Role | None, ...]:
    claims: list[tuple[Role, _Trust] | None] = []
    for text in texts:
        role = role_of(text, extra)
        claims.append(None if role is None else (role, _Trust.LETTER if _letter(text) else _Trust.WORD))
    _judge_weak_words(texts, claims)
    _judge_letters(texts, claims)
    best = {
        role: max(claim[1] for claim in claims if claim and claim[0] is role) for role in {c[0] for c in claims if c}
    }
    counts = {role: claims.count((role, trust)) for role, trust in best.items()}
    return tuple(
        claim[0] if claim and claim[1] is best[claim[0]] and counts[claim[0]] == 1 else None for claim in claims
    )


def is_axis_word(word: str) -> bool:
    """Whether a word is one that people name axes with: it has a role, is a letter, or counts classes, heads, words."""
    text = word.strip()
    if _role_of(text) is not None or _letter(text):
        return True
    return bool(set(_split(text)) & _OTHERS)


# -- one word --------------------------------------------------------------------------------------------------------

_EXPRESSION: Final = re.compile(r"[\w\s.'#*+\-/()·×]+")
_PIECE: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_a-zA-Z]+")


@lru_cache(maxsize=4096)
def _role_of(text: str) -> Role | None:
    text = text.strip().strip("`'\"")
    if not text or len(text) > 60 or not _EXPRESSION.fullmatch(text):
        return None
    if not re.search(r"[*+/·×()]", text) and (role := _role_of_word(text.replace("-", " "))):
        return role
    return _role_of_sum(text)


def _role_of_sum(text: str) -> Role | None:
    """The one role that the named terms of a sum share, numbers aside."""
    terms = _parted(text, "+-")
    if terms is None:
        return None
    roles = {_role_of_product(term) for term in terms if not _is_number(term)}
    return roles.pop() if len(roles) == 1 else None


def _role_of_product(text: str) -> Role | None:
    """``2*hidden`` is hidden, ``layers*directions`` layers; a multiple of the batch is no batch."""
    factors = _parted(text, "*/·×")
    if factors is None:
        return None
    named = [factor for factor in factors if not _is_number(factor)]
    roles = {_role_of_sum(factor[1:-1]) if factor.startswith("(") else _role_of_word(factor) for factor in named}
    if roles == {Role.LAYER, Role.DIRECTION}:
        return Role.LAYER
    if roles == {Role.HIDDEN, Role.DIRECTION}:
        return Role.HIDDEN
    if len(named) != 1 or (len(factors) > 1 and Role.BATCH in roles):
        return None
    return roles.pop()


def _parted(text: str, operators: str) -> list[str] | None:
    """The operands outside brackets; None where brackets do not match or an operand is empty."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return None
        if depth == 0 and character in operators:
            parts.append("")
        else:
            parts[-1] += character
    stripped = [part.strip() for part in parts]
    stripped = [part for index, part in enumerate(stripped) if part or not (index and text.count("//"))]
    return None if depth or not all(stripped) else stripped


def _is_number(text: str) -> bool:
    return text.lstrip("(-").rstrip(")").isdigit()


def _role_of_word(word: str) -> Role | None:
    if "(" in word or ")" in word:
        return None
    pieces = _split(word)
    if not pieces:
        return None
    if len(pieces) == 1 and len(pieces[0]) == 1:
        return {"b": Role.BATCH, "t": Role.TIME}.get(pieces[0])
    if (letter := _letter(word)) is not None:
        return {"b": Role.BATCH, "t": Role.TIME}.get(letter)
    tokens = frozenset(pieces)
    if _is_time(tokens):
        return Role.TIME
    for role in (Role.BATCH, Role.LAYER, Role.DIRECTION, Role.CHANNEL, Role.HIDDEN):
        words, beside = _WORDS[role]
        if tokens & words:
            return role if tokens <= words | beside else None
    if pieces in (("b", "size"), ("b", "sz")):
        return Role.BATCH
    if tokens & (_SIZED_HIDDEN | {"h"}) and tokens <= _SIZED_HIDDEN | {"h", "size", "dim"}:
        return Role.HIDDEN if tokens & {"size", "dim"} else None
    if tokens & _NOT_FEATURES:
        return None
    if tokens & _WORDS[Role.FEATURE][0] or (tokens & _SIZED_FEATURES and "size" in tokens) or pieces == ("d", "model"):
        return Role.FEATURE
    return Role.FEATURE if tokens <= {"n", "in"} and len(tokens) > 1 else None


def _is_time(tokens: frozenset[str]) -> bool:
    if not tokens & _TIME or not tokens <= _TIME_BESIDE:
        return False
    if tokens & _TIME <= {"seq", "sequence"} and tokens & _NUMBER_OF:
        return False  # a number of sequences, as likely as the length of one
    return not tokens & _EXTENT or bool(tokens & _TIME_WITH_SIZE)


def _split(word: str) -> tuple[str, ...]:
    """The lower-case pieces of a name: the last part of a dotted one, parted at underscores, humps and spaces."""
    last = word.strip().rpartition(".")[2] if " " not in word.strip() else word
    pieces = [piece.lower() for piece in _PIECE.findall(last)]
    words = [piece for piece in pieces if not piece.isdigit()]
    return tuple(words)


def _letter(word: str) -> str | None:
    """The lower-case letter that a word is, alone or with a tag: ``T``, ``T_out``, ``B'``; of ``2*H``, h."""
    match = _LETTER.fullmatch(word.strip())
    if match is None or ("_" in word and not match["letter"].isupper()):
        return None
    letter = match["letter"].lower()
    return letter if letter in _LETTERS and (match[0] == match["word"] or letter in _WIDTHS) else None


_LETTER: Final = re.compile(r"(?:\d+\s?\*?\s?)?(?P<word>(?P<letter>[A-Za-z])(?:'*|_?\d+|_\w+))(?:\s?[*/]{1,2}\s?\d+)?")


# -- in company ------------------------------------------------------------------------------------------------------


def _judge_weak_words(texts: Sequence[str], claims: list[tuple[Role, _Trust] | None]) -> None:
    """``(samples, timesteps, features)`` is a batch of samples; in ``(batch, words, dim)`` the words are the time, and in
    ``(steps, envs, dim)`` the environments, which run side by side, the batch."""
    roles = {claim[0] for claim in claims if claim}
    for index, text in enumerate(texts):
        if claims[index] is not None:
            continue
        tokens = set(_split(text)) - _COUNTING
        if tokens and tokens <= _SAMPLES and Role.TIME in roles and Role.BATCH not in roles and index == 0:
            claims[index] = (Role.BATCH, _Trust.LETTER)
        elif tokens and tokens <= _TOKENS and Role.BATCH in roles and Role.TIME not in roles and index < 2:
            claims[index] = (Role.TIME, _Trust.LETTER)
        elif tokens and tokens <= _ENVIRONMENTS and Role.TIME in roles and Role.BATCH not in roles and index < 2:
            claims[index] = (Role.BATCH, _Trust.LETTER)


def _judge_letters(texts: Sequence[str], claims: list[tuple[Role, _Trust] | None]) -> None:
    letters = [_letter(text) for text in texts]
    rank = len(texts)
    if rank < 2 or "w" in letters:
        _judge_picture(letters, claims)
        return

    def claim(index: int, role: Role) -> None:
        claims[index] = (role, _Trust.LETTER)

    def where(role: Role) -> list[int]:
        return [index for index, each in enumerate(claims) if each and each[0] is role]

    _judge_lengths(texts, letters, claim, where)
    time = where(Role.TIME)
    for index, letter in enumerate(letters):
        if (
            len(time) == 1
            and letter == "n"
            and rank >= 3
            and not where(Role.BATCH)
            and (index == 0 or (index == 1 and time == [0]))
        ):
            claim(index, Role.BATCH)
    known = len(where(Role.BATCH)) + len(where(Role.TIME))
    for index, letter in enumerate(letters):
        if letter is None or letter not in _WIDTHS or claims[index] is not None or not known:
            continue
        last = index == rank - 1
        before_time = rank == 3 and index == 1 and time == [2]
        match letter:
            case "c" if before_time:
                claim(index, Role.CHANNEL)
            case "h" if last and rank <= 3:
                claim(index, Role.HIDDEN)
            case "c" | "d" | "e" | "f" if last or (before_time and letter != "e"):
                claim(index, Role.FEATURE)


def _judge_lengths(
    texts: Sequence[str],
    letters: list[str | None],
    claim: Callable[[int, Role], None],
    where: Callable[[Role], list[int]],
) -> None:
    """L and S are lengths beside a batch: ``(N, L, H)``, ``(L, N, E)``, ``(N, C, L)``; in ``(L, N, H)`` L may be layers."""
    rank = len(letters)
    if where(Role.TIME):
        return
    lengths = [index for index, letter in enumerate(letters) if letter in _LENGTHS]
    batches = where(Role.BATCH) or ([i for i, letter in enumerate(letters) if letter == "n"] if rank == 3 else [])
    if len(lengths) != 1 or len(batches) != 1:
        return
    (length,), (batch,) = lengths, batches
    is_state = letters[-1] == "h" or where(Role.HIDDEN)
    if rank == 3 and length == 0 and batch == 1 and is_state and texts[2] != "H_in":
        if letters[1] == "n":
            claim(1, Role.BATCH)
        return
    if letters[length] == "s" and rank > 3:
        return
    follows = batch == 0 and (length == 1 or (length == 2 and rank == 3 and letters[1] in _WIDTHS))
    leads = rank == 3 and length == 0 and batch == 1
    if follows or leads:
        claim(length, Role.TIME)


def _judge_picture(letters: list[str | None], claims: list[tuple[Role, _Trust] | None]) -> None:
    """``(N, C, H, W)``: height and width have no role; the channels stand before them."""
    if letters[-3:] == ["c", "h", "w"]:
        claims[len(letters) - 3] = (Role.CHANNEL, _Trust.LETTER)
        if letters[0] == "n" and len(letters) == 4:
            claims[0] = (Role.BATCH, _Trust.LETTER)
