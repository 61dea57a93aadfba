"""What the distance between a guess and the measurement teaches, by the guess's name.

It stands here, not in the cell that measures, so that no page gives it away beforehand.
"""

LESSONS = {
    # 00
    "words with the same state": "At the second 'the' the pasts differ, and a state carries its "
    "past.",
    "more weights": "The same W, U and b serve every step; a feed-forward layer would need 160 "
    "more.",
    "words back": "One word back, a name may open a sentence or close it; the word before it "
    "decides.",
    "left at 'cats'": "Each word back takes its own share of what is left: the losses multiply.",
    # 01
    "first noun": "In half of the sentences the first noun is the subject, in the others a coin "
    "toss.",
    "right at gap 4": "Guessing gives 50. This network reads the subject's number and says the "
    "opposite.",
    "learned at gap 80": "All of them still guess.",
    "bag of words sides with the subject": "It counts votes: about four nouns against one.",
    # 02
    "units that are enough": "Three are enough. We have not tried whether two would do.",
    "powers of ten": "So a small signal does not mean that the network forgot.",
    "factor of one step": "Below 1, although w is above 1: there the curve is flatter than the "
    "diagonal.",
    # 03
    "share of word 1": "Three factors of about one half leave several percent; very "
    "small weights leave hardly any.",
    # 05
    "border at s = 2": "Input pushes it from gain 1 to the right.",
    "1.5^k in float32": "The step grows with the logarithm of the largest number: a huge range "
    "buys few steps.",
    "signal after one step": "Exactly 0: every path is shut off.",
    "gaps 3 to 15": "They come while memory is being learned.",
    # 07
    "leaky step, power of ten": "0.9 to the power 200 is 10^-9. The old state also comes back "
    "through W, inside the tanh.",
    "an untrained GRU": "A gate near one half keeps half, and the other ways back add a little.",
    "left at the subject": "Nearly 1/e: (1 - 1/T)^T.",
}
