"""Answers to notebook 02's exercises: right ones written differently, wrong ones named."""

from __future__ import annotations

import math

import numpy as np
import torch
from planted import planted_tests, rows, value

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
FOOL = rows(
    "fool_the_latch",
    ("gap 2", value(("the cats which ate", "were")), "must be 3 or more"),
    ("unknown word", value(("the cat which quickly vanished", "was")),
     "'vanished' is not among the words"),
    ("opener", value(("not long ago , the cat which saw the dogs", "was")),
     "it is right on this sentence"),
    ("wrong verb", value(("the cat which saw the dogs", "were")), "does not agree"),
    ("verb inside", value(("the cat which saw the dogs was", "was")), "Leave 'was' out"),
    ("no subject", value(("near the cat which saw the dogs", "was")),
     "the subject ('the', perhaps"),
    ("two subjects", value(("the cat and the dogs , which ate ,", "were")),
     "'and' joins two nouns"),
    ("own verb", value(("the cat saw the dogs often", "was")), "do not make a sentence"),
    ("other verb", value(("the cat which saw the dogs", "is")), "'is'"),
    ("words alone", value("the cat which saw the dogs"), "Return two things", FAILED),
    ("numbers", value(([1, 2, 3], "was")), "a list of strings", FAILED),
    ("the the the", value(("the cat the the the", "was")), "'the' comes twice in a row"),
    ("the which", value(("the cat , the which ate", "was")), "After a 'the' there is no noun"),
    ("which which", value(("the cat which which ate", "was")), "twice in a row"),
    ("nouns", value(("the cat , dogs near foxes", "was")), "without its 'the'"),
    ("commas", value(("the cat , , , ,", "was")), "',' comes twice in a row"),
    ("comma first", value((", the cat which ate near", "was")), "A comma comes first"),
    ("no noun", value(("the cat which ate near the old", "was")), "there is no noun"),
    ("no object", value(("the cats that ate the dog", "were")), "'ate' takes no object"),
    ("nothing said", value(("the cat , which that which", "was")), "Nothing is said"),
)  # fmt: skip
CHOOSE = rows(
    "choose_w",
    ("no pull", value(1.0), "pulls the state back too weakly"),
    ("the picture's", value(1.2), "of the bits and leaves ~ 10^-129"),
    ("too firm", value(2), "A gentler slope would still hold"),
    ("negative", value(-1.5), "turns the sign round at every step"),
    ("zero", value(0), "between 0 and 20"),
    ("two", value([1.4, 1.5]), "return one w", WRONG_SHAPE),
    ("a word", value("1.5"), "type str", FAILED),
    ("NaN", value(math.nan), "between 0 and 20"),
)  # fmt: skip
WRONG = [*FOOL, *CHOOSE]

test_right, test_wrong = planted_tests(RIGHT, WRONG)
