"""Makes the sample data: synthetic doodles of ten categories, for a first run without a download.

    python -m quickdraw.datasets.sample --output_dir=data/sample

The drawings come from `quickdraw.datasets.doodles.draw`, not from people; they go through the same
rasteriser, splits and writer as real ones, and the same seed gives the same files. Real drawings:
see `python -m quickdraw.datasets.prepare --help`.

Time: about 10 s and 5 MB for the default 1,200 drawings of each category; nothing when run again.
"""

from __future__ import annotations

import dataclasses
import functools
import sys

import numpy as np

from quickdraw import cli
from quickdraw.datasets.doodles.draw import CATEGORIES, draw
from quickdraw.datasets.sources import Images, Source
from quickdraw.datasets.summary import summary
from quickdraw.datasets.writing import writer
from quickdraw.drawings import rasterise
from quickdraw.fields import check_bounds, field
from quickdraw.records.dataset_info import DatasetInfo


class _Doodles:
    """Images of made-up doodles, drawn when the first of them is asked for."""

    def __init__(self, label: int, count: int, seed: int):
        self._label, self._count, self._seed = label, count, seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int, /) -> np.ndarray:
        return self._images[row]

    @functools.cached_property
    def _images(self) -> np.ndarray:
        return np.stack([self._draw(row) for row in range(self._count)])

    def _draw(self, row: int) -> np.ndarray:
        # A generator for each drawing: asking for more of them leaves the first ones as they are.
        rng = np.random.default_rng((self._seed, self._label, row))
        return rasterise.rasterise(draw(CATEGORIES[self._label], rng))


def make_sample(output_dir: str, per_category: int = 1200, seed: int = 0) -> DatasetInfo:
    """Write the sample data: 28x28 doodles of the ten categories in `doodles.CATEGORIES`.

    Args:
        output_dir: folder of the shards, local or gs://; free where they are already there.
        per_category: drawings of each category.
        seed: another seed, other drawings.

    Raises:
        QuickdrawError: a number out of range, or a folder that holds something else or cannot be
            written to.
    """
    check_bounds(per_category, {"low": 1}, "per_category")
    check_bounds(seed, {"low": 0}, "seed")
    images = [
        Images(name, _Doodles(label, per_category, seed)) for label, name in enumerate(CATEGORIES)
    ]
    return writer.write(
        Source("doodles", list(images), list(CATEGORIES)),
        output_dir,
        description="synthetic doodles drawn by the quickdraw package, not by people "
        f"(seed {seed}); for real ones see python -m quickdraw.datasets.prepare --help",
        processes=1,
    )


@dataclasses.dataclass(kw_only=True)
class Flags(cli.Config):
    """The flags of this command."""

    output_dir: str = field("data/sample", "Folder for the shards, local or gs://.", path=True)
    per_category: int = field(1200, "Drawings of each category.", 1)
    seed: int = field(0, "Another seed, other drawings.", 0)


def command(flags: Flags) -> None:
    """Make the sample data and print what is in it."""
    info = make_sample(flags.output_dir, flags.per_category, flags.seed)
    print(summary(info, flags.output_dir))


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-sample`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
