"""PyTorch, eager: DataLoader with Pillow, and a tensor in memory."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.measure import Measurement, Stopwatch
from quickdraw import storage
from quickdraw.readers import QuickDrawFeatureReader
from quickdraw.records import example, tfrecord


class Drawings(Dataset):
    """PNG files in memory, decoded with Pillow one by one."""

    def __init__(self, pattern: str, most: int | None = None):
        self.examples = []
        for path in storage.expand(pattern):
            with open(path, "rb") as file:
                for data in tfrecord.read(file, path):
                    features = example.Example.FromString(data).features.feature
                    png = features["image"].bytes_list.value[0]
                    self.examples.append((png, features["label"].int64_list.value[0]))
        self.examples = self.examples[:most]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        png, label = self.examples[row]
        image = torch.from_numpy(np.array(Image.open(io.BytesIO(png))))
        return image.unsqueeze(0).float() / 255, label


def loader(pattern: str, batch_size: int, most: int | None = None) -> DataLoader:
    """A worker process for each core."""
    workers = os.cpu_count() or 1
    return DataLoader(
        Drawings(pattern, most), batch_size, shuffle=True, num_workers=workers, drop_last=True
    )


class InMemory:
    """All drawings as one uint8 tensor, an epoch of shuffled batches at each iteration."""

    def __init__(self, pattern: str, batch_size: int, most: int | None = None):
        batches = list(QuickDrawFeatureReader().batches(pattern, 4096))
        images = np.concatenate([images for images, _ in batches])[:most]
        self.images = torch.from_numpy(images.reshape(len(images), 1, *images.shape[1:3]))
        self.labels = torch.from_numpy(np.concatenate([labels for _, labels in batches])[:most])
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(len(self.labels))
        for rows in order.split(self.batch_size)[: len(order) // self.batch_size]:
            yield self.images[rows].float() / 255, self.labels[rows]


def deep_draw(classes: int) -> nn.Module:
    """Three convolutions with max-pooling, and a dense layer."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 3 * 3, 128),
        nn.ReLU(),
        nn.Linear(128, classes),
    )


def epochs_with_loader(pattern: str, batch_size: int) -> dict[str, Measurement]:
    """The first epoch and the second, no model; the first also reads the records."""
    measured = {}
    with Stopwatch() as watch:
        batches = loader(pattern, batch_size)
        count = sum(1 for _ in batches)
    measured["first epoch"] = watch.rate(count * batch_size)
    with Stopwatch() as watch:
        count = sum(1 for _ in batches)
    return measured | {"later epochs": watch.rate(count * batch_size)}


def epochs_in_memory(pattern: str, batch_size: int) -> dict[str, Measurement]:
    """An epoch of what lies in memory decoded, after one that warms up; no model."""
    batches = InMemory(pattern, batch_size)
    for _ in batches:
        pass
    with Stopwatch() as watch:
        count = sum(1 for _ in batches)
    return {"later epochs": watch.rate(count * batch_size)}


def train(
    pattern: str,
    classes: int,
    batch_size: int,
    train_images: int,
    in_memory: bool,
    channels_last: bool = False,
) -> dict[str, Measurement]:
    """The loop of PyTorch's tutorials: three epochs, of which the first warms up."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = deep_draw(classes).to(memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = (InMemory if in_memory else loader)(pattern, batch_size, train_images // 2)

    def epoch() -> int:
        steps = 0
        for images, labels in batches:
            optimizer.zero_grad()
            logits = model(images.to(memory_format=layout))
            nn.functional.cross_entropy(logits, labels).backward()
            optimizer.step()
            steps += 1
        return steps

    epoch()
    with Stopwatch() as watch:
        steps = epoch() + epoch()
    return {"training": watch.rate(steps * batch_size)}
