"""The parameters of a run, flat, for experiment trackers."""

from __future__ import annotations

from quickdraw.runs.record import Run


def parameters(run: Run) -> dict[str, int | float | str | bool]:
    """Return the parameters of a run by name: `seed`, `model_params.filters`, `augment.flip`.

    Unset parameters are left out; lists become comma-separated text.
    """
    found = {
        "model": run.model,
        "model_params": run.model_params,
        "label_loss": run.label_loss,
        "loss_params": run.loss_params,
        "image_size": run.image_size,
        "classes": len(run.labels),
        **run.settings,
    }
    return dict(_flat("", found))


def _flat(name: str, value: object) -> list[tuple[str, int | float | str | bool]]:
    if isinstance(value, dict):
        inner = [(f"{name}.{key}" if name else key, of) for key, of in value.items()]
        return [pair for each in inner for pair in _flat(*each)]
    if isinstance(value, (list, tuple)):
        return [(name, ", ".join(map(str, value)))]
    if value is None:
        return []
    return [(name, value if isinstance(value, (int, float, str)) else str(value))]
