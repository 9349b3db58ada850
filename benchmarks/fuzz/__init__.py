"""A differential fuzzer: random recurrent programs with at most one mistake each, judged by torch, then by us."""
