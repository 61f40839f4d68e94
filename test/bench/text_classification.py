"""What PyTorch and scikit-learn reach on BANKING77, for docs/results.md.

    python test/bench/text_classification.py

The model, tokens and optimizer are those of configs/text-classification.yaml.
"""

import collections
import csv
import pathlib
import re

import torch
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

FOLDER = pathlib.Path(__file__).parents[2] / "datasets" / "banking77"
EPOCHS, BATCH, LONGEST = 10, 32, 64


def read(name):
    with open(FOLDER / name, encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"].strip() for row in rows], [row["category"] for row in rows]


def tokens(text):
    return re.findall(r"\w+|[^\w\s]+", text.lower())[:LONGEST]


def vocabulary(texts):
    counts = collections.Counter(token for text in texts for token in tokens(text))
    known = sorted((-count, token) for token, count in counts.items() if count >= 2)
    return {token: i + 2 for i, (_, token) in enumerate(known)}


def padded(texts, known):
    rows = [[known.get(token, 1) for token in tokens(text)] or [1] for text in texts]
    width = max(map(len, rows))
    return torch.tensor([row + [0] * (width - len(row)) for row in rows])


def train(seed, size, classes, inputs, targets):
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.EmbeddingBag(size, 128, padding_idx=0), nn.Dropout(0.3), nn.Linear(128, classes)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(EPOCHS):
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs), BATCH):
            batch = order[start : start + BATCH]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[batch]), targets[batch]).backward()
            optimizer.step()
    return model.eval()


def main():
    torch.set_num_threads(1)
    (texts, labels), (others, truth) = read("train.csv"), read("test.csv")
    known = vocabulary(texts)
    names = sorted(set(labels))
    place = {name: i for i, name in enumerate(names)}
    inputs, held_out = padded(texts, known), padded(others, known)
    targets = torch.tensor([place[name] for name in labels])
    expected = torch.tensor([place[name] for name in truth])
    for seed in range(3):
        model = train(seed, len(known) + 2, len(names), inputs, targets)
        share = (model(held_out).argmax(1) == expected).float().mean().item()
        print(f"PyTorch {torch.__version__}, seed {seed}: {share:.1%}", flush=True)
    for vectorizer, c in ((TfidfVectorizer(min_df=2), 10), (CountVectorizer(min_df=2), 1)):
        fitted = make_pipeline(vectorizer, LogisticRegression(C=c, max_iter=1000))
        share = fitted.fit(texts, labels).score(others, truth)
        print(f"{type(vectorizer).__name__} and LogisticRegression(C={c}): {share:.1%}", flush=True)


main()
