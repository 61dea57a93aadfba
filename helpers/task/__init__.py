"""The task of the course: its sentences, words, baselines and evaluation set."""

from helpers.task.agreement import (
    ATTRACTORS,
    AgreementTask,
    OneNearNoun,
    Sentence,
    coin,
    flip,
    flip_test,
    flipped,
)
from helpers.task.baselines import accuracy, first_noun, majority, nearest_noun
from helpers.task.evaluation import evaluation_accuracy, load_evaluation
from helpers.task.lecture import (
    BOOK_WORDS,
    LONG_SENTENCE,
    MINIMAL_PAIR,
    CountryTask,
    bag_of_words_accuracy,
    childrens_book,
    clouds_and_sky,
    surprise,
)
from helpers.task.lexicon import lexicon, other_number, vocabulary, word_classes, word_numbers
