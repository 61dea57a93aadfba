"""The task of the course: its sentences, words, baselines and evaluation set."""

from helpers.task.agreement import (
    ATTRACTORS,
    NOUNS,
    AgreementTask,
    Sentence,
    coin,
    flip,
    flip_test,
    flipped,
)
from helpers.task.baselines import (
    NO_NOUN,
    accuracy,
    first_noun,
    majority,
    nearest_noun,
)
from helpers.task.evaluation import EvaluationScores, evaluation_accuracy, load_evaluation
from helpers.task.lecture import (
    BOOK_NAMES,
    BOOK_WORDS,
    CHILDHOOD,
    CLOUDS_AND_SKY,
    LANGUAGES,
    LAST_WORDS,
    LECTURE_SENTENCES,
    LONG_SENTENCE,
    MINIMAL_PAIR,
    CountryTask,
    Task,
    bag_of_words,
    bag_of_words_accuracy,
    childrens_book,
    clouds_and_sky,
    surprise,
)
from helpers.task.lexicon import (
    NUMBERS,
    VERBS,
    Lexicon,
    Vocabulary,
    lexicon,
    other_number,
    vocabulary,
    word_classes,
    word_numbers,
)
from helpers.task.near_noun import OneNearNoun
