"""Answers to notebook 02's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import numpy as np
import torch
from planted import planted_tests, value

from helpers.checks.results import FAILED, WRONG_SHAPE

RIGHT = {
    "fool_the_latch": [
        lambda: ("the cat , which saw the dogs ,", "was"),
        lambda: [("the", "old", "cats", "which", "ate", "near", "the", "dog"), "were"],
        lambda: ("near the dogs , which saw the birds , the cat which often ate", "was"),
        lambda: (["the", "Dogs", ",", "which", "liked", "the", "cat"], "WERE"),
        lambda: ("the cat , often outside ,", "was"),
        lambda: ("the cat that the dogs saw", "was"),
        lambda: ("the cat , near the dogs , which ate and then slept ,", "was"),
    ],
    "choose_w": [
        lambda: 1.52,
        lambda: np.array([1.48]),
        lambda: torch.tensor(1.55, requires_grad=True),
        lambda: [1.5],
    ],
}
WRONG = {
    "fool_the_latch": [
        (value(("the cats which ate", "were")), "must be 3 or more"),
        (value(("the cat which quickly vanished", "was")), "'vanished' is not among the words"),
        (value(("not long ago , the cat which saw the dogs", "was")),
         "it is right on this sentence"),
        (value(("the cat which saw the dogs", "were")), "does not agree"),
        (value(("the cat which saw the dogs was", "was")), "Leave 'was' out"),
        (value(("near the cat which saw the dogs", "was")), "the subject ('the', perhaps"),
        (value(("the cat and the dogs , which ate ,", "were")), "'and' joins two nouns"),
        (value(("the cat saw the dogs often", "was")), "do not make a sentence"),
        (value(("the cat which saw the dogs", "is")), "'is'"),
        (value("the cat which saw the dogs"), "Return two things", FAILED),
        (value(([1, 2, 3], "was")), "a list of strings", FAILED),
        (value(("the cat the the the", "was")), "'the' comes twice in a row"),
        (value(("the cat , the which ate", "was")), "After a 'the' there is no noun"),
        (value(("the cat , dogs near foxes", "was")), "without its 'the'"),
        (value((", the cat which ate near", "was")), "A comma comes first"),
        (value(("the cats that ate the dog", "were")), "'ate' takes no object"),
        (value(("the cat , which that which", "was")), "Nothing is said"),
    ],
    "choose_w": [
        (value(1.0), "pulls the state back too weakly"),
        (value(1.2), "of the bits and leaves ~ 10^-129"),
        (value(2), "A gentler slope would still hold"),
        (value(-1.5), "turns the sign round at every step"),
        (value(0), "between 0 and 20"),
        (value([1.4, 1.5]), "one number is needed", WRONG_SHAPE),
        (value("1.5"), "type str", FAILED),
    ],
}  # fmt: skip

test_right, test_wrong = planted_tests(RIGHT, WRONG)
