"""Make the README's pictures, from the course's own networks, figures and record.

python -m tools.pictures writes all of them into notebooks/, and their descriptions into the
README; names after it ask for some alone. hero.gif: the signal goes back over a sentence, word
by word, in three networks that were not trained. film.gif: a GRU is trained, and the signal at
every word rises while the loss is flat. scoreboard.png: what five networks of the record
learned. vanished.png: a gradient that rounds to 0 in a network whose answers are right.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from helpers import figures, measure, networks, task, training
from helpers.figures.look import COLOURS, QUIET, SUBJECT
from helpers.figures.picture import Picture, canvas, described, entitle
from helpers.figures.picture import in_course_style as in_style
from helpers.record import Record, load_record
from helpers.validation import Array

ROOT = Path(__file__).resolve().parents[1]
GAP, FILM_GAP, FAR = 24, 40, 1000
BOARD = {  # the record's names, and the README's
    "RNN": "plain RNN",
    "ReLU, identity": "ReLU, W from the identity",
    "LSTM, forget bias 1": "LSTM, forget bias 1",
    "LSTM, both log(gap)": "LSTM, both biases for the gap",
    "GRU": "GRU, as PyTorch makes it",
}
ARRIVED = 0.1  # of the signal, at the subject
WIDTH, SHADES = 800, 128  # of a frame: pixels across, colours
STEP_MS, LAST_MS = 300, 4000  # a frame is shown, and the last one


def hero() -> list[Picture]:
    """Draw the signal on its way back over one sentence, in three fresh networks.

    The last picture is the whole sentence, with its description.
    """
    sentence, size = task.AgreementTask(GAP, seed=3).sentence(), len(task.vocabulary())
    tokens = torch.tensor(task.vocabulary().encode(sentence.words))[None]
    bias = networks.bias_for_span(GAP)
    models = {
        "plain RNN": networks.rnn_classifier(size),
        "GRU, as PyTorch makes it": networks.gru_classifier(size),
        "GRU whose gate keeps": networks.gru_classifier(size, update_bias=bias),
    }
    signals = {name: measure.signal(each.double(), tokens)[0] for name, each in models.items()}
    last, first = len(sentence.words) - 1, sentence.subject
    stops = [*range(last, first, -2), first]
    return [
        figures.ink(
            sentence.words,
            signals,
            subject=first,
            verb=sentence.verb,
            title="How much of the verb's gradient reaches each word?",
            reached=reached,
        )
        for reached in (*stops, None)
    ]


def filmed() -> tuple[Array, Array, Array]:
    """Train a GRU as PyTorch makes it at gap 40, and look at it every 10 steps.

    Returns the steps (checks,), the share of the signal at each word from the subject on
    (checks, words), as median over 64 sentences not trained on, and their mean loss in
    nats (checks,).
    """
    tokens, labels = task.AgreementTask(FILM_GAP, seed=500).batch(64)

    def look(model: torch.nn.Module) -> tuple[Array, float]:
        signal = measure.signal(model, tokens)[:, -FILM_GAP - 1 :]
        with torch.no_grad():
            loss = torch.nn.functional.cross_entropy(model(tokens), labels)
        return np.median(signal / signal[:, -1:], axis=0), loss.item()

    run = training.train(
        networks.gru_classifier(len(task.vocabulary())),
        *(task.AgreementTask(FILM_GAP, seed=seed) for seed in (0, 1000)),
        steps=600,
        learning_rate=1e-2,
        batch_size=16,
        check_every=10,
        title=f"a GRU at gap {FILM_GAP}",
        watch=look,
    )
    shares, losses = zip(*run.watched, strict=True)
    steps = [0, *(step for step, _ in run.checks)]
    return np.array(steps), np.array(shares), np.array(losses)


@in_style
def film_frame(steps: Array, shares: Array, losses: Array, until: int) -> Picture:
    """Draw a training up to its check number `until`: the signal over the words, the loss.

    steps, losses: (checks,). shares: (checks, words), of the signal at the last word.
    """
    figure, (above, below) = canvas(height=5.2, nrows=2, height_ratios=(3, 2))
    back = np.arange(shares.shape[1])[::-1]
    for share in shares[:until]:
        above.plot(back, share, color=COLOURS[5], lw=0.8, alpha=0.6)
    above.plot(back, shares[until], color=COLOURS[0], lw=2.5)
    above.plot(back[0], shares[until, 0], "o", color=SUBJECT, markersize=7)
    above.set(yscale="log", xlim=(back[0] + 2, 0), ylim=(shares.min() / 3, 30))
    above.set(xlabel="words before the verb", ylabel="share of the signal")
    left = figures.what_is_left(shares[until, 0])
    above.text(
        0.98, 0.08, f"subject: {left}", transform=above.transAxes, ha="right",
        color=SUBJECT, weight="bold",
    )  # fmt: skip
    below.plot(steps[: until + 1], losses[: until + 1], color=COLOURS[2])
    below.plot(steps[until], losses[until], "o", color=COLOURS[2], markersize=7)
    below.axhline(np.log(2), color=QUIET, lw=1, ls="--")
    below.set(
        xlim=(-5, steps[-1] + 5), ylim=(0, 1.1), xlabel="optimizer step", ylabel="loss (nats)"
    )
    below.text(0, np.log(2) - 0.04, "guessing", color=QUIET, fontsize=9.5, va="top")
    told = ""
    for step in steps[: until + 1][shares[: until + 1, 0] > ARRIVED][:1]:
        below.axvline(step, color=SUBJECT, lw=1.3, ls="--")
        below.text(step + 4, 0.06, "a tenth of the signal arrives", color=SUBJECT, weight="bold")
        told = f" A tenth of the signal first reached it at step {step}."
    entitle(figure, "The signal reaches the subject long before the loss falls")
    alt_text = (
        f"A GRU is trained at gap {FILM_GAP}. Above, the share of the signal at each word; below, "
        f"the loss. At step {steps[until]} the subject has {left}, and the loss is "
        f"{losses[until]:.2f} nats.{told}"
    )
    return Picture(figure, alt_text)


def film() -> list[Picture]:
    """Draw a training at every second check, to the end."""
    seen = filmed()
    last = len(seen[0]) - 1
    return [film_frame(*seen, until) for until in (*range(0, last, 2), last)]


def scoreboard(record: Record) -> Picture:
    """Draw how many seeds of five networks learned each gap, without nouns in the middle."""
    gaps = record.gaps("none")
    counts = {
        name: {
            gap: (cell.learned, cell.seeds)
            for gap in gaps
            if (cell := record.cell(network, "none", gap))
        }
        for network, name in BOARD.items()
    }
    title = "How far each network learns, at its own best rate"
    return figures.learned_by_gap(counts, title=title)


def forgotten() -> dict[str, tuple[Array, float]]:
    """Read at gap 1,000 with a plain RNN, before and after notebook 04's training on gaps 3 to 15.

    Returns for each the log10 of the signal (words,), from the verb back to the subject, as
    median over 32 sentences, and how many percent of 256 verbs are right.
    """
    tokens, _ = task.AgreementTask(FAR, seed=3).batch(32)

    def read(model: networks.Classifier) -> tuple[Array, float]:
        log10 = np.median(measure.log_signal(model, tokens), axis=0)[: -FAR - 2 : -1]
        right = training.accuracy(model, task.AgreementTask(FAR, seed=2), 256)
        return log10 - log10[0], 100 * right

    model = networks.rnn_classifier(len(task.vocabulary()))
    untrained = read(model)
    pair = [task.AgreementTask((3, 15), seed=seed) for seed in (0, 1000)]
    training.train(model, *pair, steps=1000, learning_rate=2e-3, target=1.01, title=None)
    return {"untrained": untrained, "trained on gaps 3 to 15": read(model)}


def vanished(readings: dict[str, tuple[Array, float]]) -> Picture:
    """Draw the signal on its way back over 1,000 words beside how often the verb is right.

    readings: for each network the log10 of its signal (words,), verb first, and a percentage.
    """
    title = "Its gradient rounds to 0, and its answers are right"
    words = np.arange(FAR + 1)
    lines = {f"{name}: {right:.1f} % right": log10 for name, (log10, right) in readings.items()}
    drawn = figures.curves(
        words, lines, title=title, log_y=False, xlabel="words before the verb",
        ylabel="signal, in powers of ten",
        level=(np.log10(np.finfo(np.float64).smallest_subnormal), "below this, float64 holds 0"),
    )  # fmt: skip
    told = (
        f"{name}: 10^{log10[-1]:.0f} of the signal is left at the subject, "
        f"and {right:.1f} % of the verbs are right"
        for name, (log10, right) in readings.items()
    )
    where = f"A plain RNN reads sentences of gap {FAR:,}"
    return Picture(drawn.figure, described(title, where, *told))


def write_gif(path: Path, pictures: Sequence[Picture]) -> None:
    """Write pictures of one size as an animation of few colours that repeats for ever.

    The last one's description goes with them.
    All share the last one's palette, so that what does not move is stored once.
    """
    frames = [_frame(picture) for picture in pictures]
    palette = frames[-1].quantize(SHADES, dither=Image.Dither.NONE)
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    shown = [STEP_MS] * (len(few) - 1) + [LAST_MS]
    few[0].save(
        path, save_all=True, append_images=few[1:], duration=shown, loop=0, optimize=True,
        comment=pictures[-1].alt_text,
    )  # fmt: skip


def _frame(picture: Picture) -> Image.Image:
    """A picture in the pixels of a frame."""
    canvas = FigureCanvasAgg(picture.figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    return image.resize(
        (WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS
    )


def write_png(path: Path, picture: Picture) -> None:
    """Write a picture with its description, twice as large as a page shows it."""
    about = PngInfo()
    about.add_itxt("Description", picture.alt_text)
    with Image.open(io.BytesIO(picture.png())) as image:
        image.save(path, pnginfo=about, optimize=True)


def describe(page: str, name: str, alt_text: str) -> str:
    """Return a page in Markdown with a new description of one of its pictures."""
    found = re.compile(rf"!\[[^]]*\]\(notebooks/{re.escape(name)}\)")
    return found.sub(lambda _: f"![{alt_text}](notebooks/{name})", page)


MAKERS = {
    "hero.gif": hero,
    "film.gif": film,
    "scoreboard.png": lambda: [scoreboard(load_record())],
    "vanished.png": lambda: [vanished(forgotten())],
}


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Make all of the pictures, or those that are named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="pictures", description="Make the README's pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MAKERS))
    names = parser.parse_args(arguments).names
    if unknown := {*names} - {*MAKERS}:
        parser.error(f"no picture is named {min(unknown)}; there are {', '.join(MAKERS)}")
    readme = root / "README.md"
    for name in names or MAKERS:
        pictures = MAKERS[name]()
        path, alt_text = root / "notebooks" / name, pictures[-1].alt_text
        if path.suffix == ".gif":
            write_gif(path, pictures)
        else:
            write_png(path, pictures[-1])
        page = describe(readme.read_text(encoding="utf-8"), name, alt_text)
        readme.write_text(page, encoding="utf-8")
        print(f"{name}: {alt_text}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
