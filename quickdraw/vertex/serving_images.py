"""Which image serves a registered model: one of Google's while there is one, else the class' own.

Source: Vertex AI documentation, "Prebuilt containers for inference and explanation" (end of
availability), "Custom container requirements for inference".
"""

from __future__ import annotations

import dataclasses
import datetime

from quickdraw.console import log

OWN = "own"
"""The value of `--serving_image` for the image that cloud/cloudbuild.yaml made."""
# TensorFlow's minor version, and the last day on which Google offers the image; newest first.
_GOOGLES = {"2-15": datetime.date(2027, 1, 14)}
_SOON = datetime.timedelta(days=180)
_PORT = 8080


@dataclasses.dataclass(frozen=True)
class ServingImage:
    """An image and how it is started.

    Attributes:
        uri: its name.
        own: whether it is the class' own, which is told what to run.
    """

    uri: str
    own: bool = False

    def container(self) -> dict[str, object]:
        """Return the fields of a ModelContainerSpec."""
        if not self.own:
            return {"image_uri": self.uri}
        return {
            "image_uri": self.uri,
            "command": ["python", "-m", "quickdraw.vertex.endpoint"],
            "ports": [{"container_port": _PORT}],
            "predict_route": "/predict",
            "health_route": "/health",
        }


def choose(given: str | None, own: str, today: datetime.date) -> ServingImage:
    """Return the image that serves, and say so where it will not for long.

    Args:
        given: the value of `--serving_image`: a URI, "own", or None for a choice by date.
        own: URI of the class' own image.
        today: the date.
    """
    if given:
        return ServingImage(own, own=True) if given in (OWN, own) else ServingImage(given)
    for version, end in _GOOGLES.items():
        if today <= end:
            if end - today < _SOON:
                log(
                    f"warning: Google's serving image of TensorFlow {version.replace('-', '.')} is "
                    f"offered until {end}, and no newer one is known here: --serving_image={OWN} "
                    "serves with the image of your jobs, for as long as you like"
                )
            uri = f"us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.{version}:latest"
            return ServingImage(uri)
    log(f"no serving image of Google's is known that is offered today: {own} serves")
    return ServingImage(own, own=True)
