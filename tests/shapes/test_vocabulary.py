"""Words for axes: what each names alone, and what the letters of one shape name together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnshape_guard.shapes.axes import Role
from rnnshape_guard.shapes.vocabulary import is_axis_word, role_of, role_of_all

LETTERS = {
    "B": Role.BATCH, "T": Role.TIME, "F": Role.FEATURE, "H": Role.HIDDEN,
    "C": Role.CHANNEL, "L": Role.LAYER, "D": Role.DIRECTION, "-": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.BATCH, "batch b bs bsz batch_size n_batch nbatch B batchSize self.batch_size batch-size max_batch_size"),
        (Role.TIME, "time t seq seq_len len length steps timesteps max_len T src_len tgt_len frames n_frames seqLen"),
        (Role.TIME, "sequence_length Tmax T_out seq_len-1 T//4 (seq_len-1) window_size num_steps 序列长度"),
        (Role.FEATURE, "feature feat n_features emb embed_dim dim input_size input_dim emb_size d_model n_mfcc n_in"),
        (Role.HIDDEN, "hidden hid hidden_size self.hidden_dim n_hidden 2*hidden hidden//2 enc_hid_dim h_dim rnn_size"),
        (Role.HIDDEN, "num_directions*hidden_size"),
        (Role.CHANNEL, "channel channels in_channels n_channels"),
        (Role.LAYER, "layer layers num_layers n_layers num_layers*num_directions"),
        (Role.DIRECTION, "directions num_directions"),
    ],
)
def test_words_that_name_a_role(role: Role, words: str) -> None:
    assert {word: role_of(word) for word in words.split()} == dict.fromkeys(words.split(), role)


@pytest.mark.parametrize(
    "words", ["batch size", "src len", "dec hid dim", "sequence length", "num_layers * num_directions"]
)
def test_words_with_spaces(words: str) -> None:
    assert role_of(words) is not None


@pytest.mark.parametrize(
    "word",
    [
        *"n l s c h d x y out batch_first num_batches batch_idx embedding_length step_size frame_size hidden_state".split(),
        *"B*T 2*batch batch+time len(x) vocab_size num_classes heads mask 512 -1 ... _ () + [".split(),
        *("", " ", "a batch of things"),
    ],
)  # fmt: skip
def test_words_that_name_none_or_not_surely(word: str) -> None:
    assert role_of(word) is None


@pytest.mark.parametrize(
    ("axes", "roles"),
    [
        ("N L H", "BTH"), ("N C L", "BCT"), ("L N D", "TBF"), ("T N 16", "TB-"), ("B T H", "BTH"), ("b t d", "BTF"),
        ("N L H_in", "BTH"), ("L N H_in", "TBH"), ("S N E", "TBF"), ("N C T", "BCT"), ("B F T", "BFT"), ("B L", "BT"),
        ("B C H W", "BC--"), ("N C H W", "BC--"), ("b h t d", "B-TF"), ("B T 2*H", "BTH"),
        ("layers batch hidden", "LBH"), ("samples timesteps features", "BTF"), ("batch words dim", "BTF"),
        ("n_steps n_envs obs_size", "TBF"), ("num_envs steps", "BT"), ("envs batch time", "-BT"), ("n_envs hidden", "-H"),
    ],
)  # fmt: skip
def test_letters_are_read_in_company(axes: str, roles: str) -> None:
    assert role_of_all(axes.split()) == tuple(LETTERS[role] for role in roles)


@pytest.mark.parametrize(
    ("axes", "roles"),
    [
        ("batch n d", "B-F"),
        ("B N T K", "B-T-"),
        ("batch tgt_len src_len", "B--"),
        ("B T T", "B--"),
        ("seq batch n_words emb", "TB-F"),
        ("L N H", "-BH"),  # layers or time
        ("N D", "--"),
        ("h c", "--"),
        ("x y z", "---"),
    ],
)
def test_a_doubtful_axis_has_no_role(axes: str, roles: str) -> None:
    assert role_of_all(axes.split()) == tuple(LETTERS[role] for role in roles)


def test_words_of_the_users_own() -> None:
    extra = {"batch": ["episodes"], "time": ["ticks"]}
    assert role_of("episodes", extra) is Role.BATCH
    assert role_of_all(["episodes", "ticks", "dim"], extra) == (Role.BATCH, Role.TIME, Role.FEATURE)
    assert role_of("episodes") is None


def test_words_without_a_role_are_still_words_for_axes() -> None:
    assert all(map(is_axis_word, ["num_classes", "vocab size", "heads", "B", "batch"]))
    assert not any(map(is_axis_word, ["below", "memory", "default"]))


@given(st.lists(st.text(max_size=12) | st.integers(-2, 600), max_size=6))
def test_any_words_at_all_get_an_answer_and_no_role_twice(words: list[str | int]) -> None:
    roles = role_of_all(words)
    assert len(roles) == len(words)
    given_roles = [role for role in roles if role is not None]
    assert len(given_roles) == len(set(given_roles))
