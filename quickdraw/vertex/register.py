"""Registers the best model of a run in the Model Registry of Vertex AI.

    python -m quickdraw.vertex.register --bucket=my-bucket --run=cnn
    python -m quickdraw.vertex.register --bucket=my-bucket --run=cnn --train_dir=runs/cnn

The model is exported as a SavedModel as quickdraw.export does, uint8 images `[batch, size, size,
channels]` in, calibrated class probabilities out, loaded again and compared, to
gs://BUCKET/runs/RUN/saved_model/STEP, with labels.txt and export.json beside it. The registry
knows it by the name of the run; registering it again makes a new version.
What it prints is the name to deploy: gcloud ai endpoints deploy-model --model=…
"""

from __future__ import annotations

import dataclasses
import datetime
import sys

from quickdraw import cli
from quickdraw.console import log
from quickdraw.fields import field
from quickdraw.storage import transfer
from quickdraw.vertex import resource_names, service, serving_images

_SECONDS = 900.0


@dataclasses.dataclass(kw_only=True)
class Flags(service.ServiceFlags):
    """The flags of this command."""

    bucket: str | None = field(None, "Bucket for the model, without gs://.")
    run: str | None = field(None, "Name of the run, and of the model.")
    train_dir: str | None = field(
        None, "The folder of the run, local or gs://. Without it, gs://BUCKET/runs/RUN.", path=True
    )
    serving_image: str | None = field(
        None,
        "The image that serves the model: own, that of your jobs; or any URI. Without it, the "
        "newest of Google's that is offered today, else own.",
    )


def command(flags: Flags) -> None:
    """Export and register as the flags say."""
    resource_names.bucket(flags.bucket)
    resource_names.run(flags.run or "")
    if flags.serving_image != serving_images.OWN:
        resource_names.image("serving_image", flags.serving_image)
    folder = f"gs://{flags.bucket}/runs/{flags.run}"
    own = service.default_image(flags)
    image = serving_images.choose(flags.serving_image, own, datetime.date.today())
    cli.load_tensorflow()
    from quickdraw import runs
    from quickdraw.export import write

    train_dir = flags.train_dir or folder
    trained = runs.load(train_dir)
    target = f"{folder}/saved_model/{trained.step}"
    with transfer.mirrored(target) as local:
        write.write(write.prepare([trained], [train_dir]), "saved_model", local)
    log(f"exported the model of step {trained.step:,} to {target}")
    print(_upload(flags, target, image))


def _upload(flags: Flags, target: str, image: serving_images.ServingImage) -> str:
    """Register what lies at `target`; return the name of the model's new version."""
    from google.api_core.exceptions import NotFound
    from google.cloud import aiplatform_v1

    models = service.connect(aiplatform_v1.ModelServiceClient, flags)
    parent = service.parent(flags)
    request: dict[str, object] = {
        "parent": parent,
        "model": aiplatform_v1.Model(
            display_name=flags.run,
            artifact_uri=target,
            container_spec=aiplatform_v1.ModelContainerSpec(**image.container()),
            labels={service.LABEL: "true"},
        ),
    }
    earlier = f"{parent}/models/{flags.run}"
    with service.explained("Model Registry"):
        try:
            request["parent_model"] = models.get_model(name=earlier).name
        except NotFound:
            request["model_id"] = flags.run
        made = models.upload_model(request).result(timeout=_SECONDS)
    return f"{made.model}@{made.model_version_id}"


def main(argv: list[str] | None = None) -> int:
    """Run the console command `quickdraw-register`; return its exit code."""
    return cli.run(Flags, command, argv)


if __name__ == "__main__":
    sys.exit(main())
