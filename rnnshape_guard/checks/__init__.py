"""One module per rule: a check judges events and yields findings.

A check is a function whose annotation says what it judges: ``def check(call: RecurrentCalled, log: Log) ->
Iterator[Finding]`` is given every call of a recurrent layer. Its module is named after the rule's page:
`checks/linear_in_features.py` belongs to `rules/RSG201-linear-in-features.md`.
"""
