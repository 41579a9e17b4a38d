#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes words.txt, the text that word_count.lua reads.

The text is nonsense with the statistics of prose: a vocabulary of made-up
words whose frequencies fall like 1/rank, in sentences, lines of at most 76
columns and paragraphs. Same output on every run and every Python 3:

    python3 gen_words.py > words.txt
"""

import random
import sys

BYTES = 200_000
VOCABULARY = 3_000
ONSETS = "b c d f g h j k l m n p r s t v w z br cr dr fl gr pl pr sl st tr"
NUCLEI = "a e i o u a e i o ai ea ou"
CODAS = "n r s t l m d ck nd st rt"


class Dice:
    """Choices built on random(), whose sequence Python guarantees."""

    def __init__(self, seed):
        self._random = random.Random(seed).random

    def below(self, limit):
        return int(self._random() * limit)

    def pick(self, items):
        return items[self.below(len(items))]


def make_word(dice):
    parts = []
    for _ in range(1 + dice.below(3)):
        parts.append(dice.pick(ONSETS.split()))
        parts.append(dice.pick(NUCLEI.split()))
    if dice.below(3):
        parts.append(dice.pick(CODAS.split()))
    return "".join(parts)


def make_vocabulary(dice):
    words = []
    known = set()
    while len(words) < VOCABULARY:
        word = make_word(dice)
        if word not in known:
            known.add(word)
            words.append(word)
    return words


def pick_ranked(dice, words):
    """Rank r with a probability of about 1/r."""
    rank = int(len(words) ** dice._random()) - 1
    return words[min(rank, len(words) - 1)]


def make_sentence(dice, words):
    count = 4 + dice.below(14)
    sentence = [pick_ranked(dice, words) for _ in range(count)]
    sentence[0] = sentence[0].capitalize()
    if count > 9:
        sentence[count // 2] += ","
    return " ".join(sentence) + dice.pick("....?!")


def wrap(text):
    """Own wrapping: textwrap's rules may change between versions."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > 76:
            lines.append(line)
            line = word
        else:
            line = line + " " + word if line else word
    return lines + [line]


def main():
    dice = Dice(20240601)
    words = make_vocabulary(dice)
    size = 0
    while size < BYTES:
        sentences = [make_sentence(dice, words)
                     for _ in range(3 + dice.below(6))]
        paragraph = "\n".join(wrap(" ".join(sentences))) + "\n\n"
        sys.stdout.write(paragraph)
        size += len(paragraph)


if __name__ == "__main__":
    main()
