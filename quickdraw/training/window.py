"""How the training does since the last report: loss, top-1 and speed."""

from __future__ import annotations

from quickdraw.training.step import Totals


class Window:
    """Sums since the last report. The first call of all, which compiles, gives no speed."""

    def __init__(self) -> None:
        self.calls = 0
        self.clear()

    def clear(self) -> None:
        """Start a new window."""
        self._images = self._timed_images = 0
        self._loss = self._right = self._seconds = self._feed_seconds = 0.0

    def add(self, totals: Totals, images: int, seconds: float, feed_seconds: float) -> None:
        """Add a call: how many images, how long it took, how much of it was spent on the feed."""
        self.calls += 1
        self._images += images
        self._loss += totals.loss
        self._right += totals.right
        if self.calls > 1:
            self._timed_images += images
            self._seconds += seconds
            self._feed_seconds += feed_seconds

    def report(self) -> dict[str, float]:
        """Return mean loss and top-1, images a second, and the feed's share of the time."""
        return {
            "train_loss": self._loss / max(self._images, 1),
            "train_top1": self._right / max(self._images, 1),
            "images_per_second": self._timed_images / self._seconds if self._seconds else 0.0,
            "feed_share": self._feed_seconds / self._seconds if self._seconds else 0.0,
        }

    def __str__(self) -> str:
        report = self.report()
        return f"loss {report['train_loss']:.4f}  top-1 {report['train_top1']:.2%}"
