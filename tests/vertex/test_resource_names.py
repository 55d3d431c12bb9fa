"""Names that Google Cloud cannot have are told before anything is asked."""

from __future__ import annotations

import pytest

from quickdraw.errors import UsageError
from quickdraw.vertex import resource_names

TENSORBOARD = "projects/1/locations/us-central1/tensorboards/23"


@pytest.mark.parametrize(
    "name",
    [
        *("us-central1", "us-east4", "us-west1", "us-south1", "northamerica-northeast1"),
        *("southamerica-east1", "europe-west12", "europe-central2", "europe-southwest1"),
        *("asia-northeast3", "australia-southeast2", "me-central1", "africa-south1"),
    ],
)
def test_regions_are_known_by_their_form(name):
    resource_names.region(name)


@pytest.mark.parametrize("name", ["", "mars", "us-central", "us-centrl1", "US-CENTRAL1", "EU"])
def test_what_no_region_is_called_is_told(name):
    with pytest.raises(UsageError, match="--region: a region of Google Cloud, such as us-central1"):
        resource_names.region(name)


def test_a_zone_is_no_region():
    with pytest.raises(UsageError, match="'us-central1-a', which is a zone of us-central1"):
        resource_names.region("us-central1-a")


@pytest.mark.parametrize("name", ["p", "my-project-1", "example.com:doodles", "123456"])
def test_ids_and_numbers_of_projects_are_taken(name):
    resource_names.project(name)


@pytest.mark.parametrize("name", ["My Project", "Doodles", "projects/doodles", "내-프로젝트"])
def test_the_name_of_a_project_is_not_its_id(name):
    with pytest.raises(UsageError, match="--project: the id of a project, small letters"):
        resource_names.project(name)


@pytest.mark.parametrize("name", ["a", "Art", "art class", "art-class-", "a" * 64, ".art"])
def test_what_no_bucket_is_called_is_told(name):
    with pytest.raises(UsageError, match="--bucket: small letters"):
        resource_names.bucket(name)


@pytest.mark.parametrize(
    "name", ["", "a@p.iam.gserviceaccount.com", "1-compute@developer.gserviceaccount.com"]
)
def test_accounts_of_services_are_taken(name):
    resource_names.service_account(name)


@pytest.mark.parametrize("name", ["trainer", "me@example.com", "a b@p.iam.gserviceaccount.com"])
def test_other_accounts_are_told(name):
    with pytest.raises(UsageError, match="--service_account: the address of a service account"):
        resource_names.service_account(name)


IMAGES = (
    "us-central1-docker.pkg.dev/my-project/quickdraw/train:latest",
    "europe-docker.pkg.dev/vertex-ai/training/tf-gpu.2-17.py310",
    "gcr.io/example.com/p/train",
    "tensorflow/tensorflow:2.21.0-gpu",
    f"a.io/p/train@sha256:{'0' * 64}",
)


@pytest.mark.parametrize("name", [None, *IMAGES])
def test_images_are_taken(name):
    resource_names.image("image", name)


@pytest.mark.parametrize(
    "name",
    [
        *("foo", "train:latest", "https://gcr.io/p/train", "gs://bucket/image", "gcr.io/p/Train"),
        *("us-docker.pkg.dev/my-project/train", "gcr.io/p/train:", "gcr.io/p/train :latest"),
    ],
)
def test_what_no_image_is_called_is_told(name):
    with pytest.raises(
        UsageError, match="--image: the URI of an image, such as us-central1-docker"
    ):
        resource_names.image("image", name)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("us-docker.pkg.dev/vertex-ai/training/tf-gpu.2-14.py310:latest", "with Python 3.11 or"),
        ("us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py311:latest", "an image for GPUs"),
        ("pre", "the URI of an image"),
    ],
)
def test_googles_images_that_do_not_suit_are_told(name, told):
    with pytest.raises(UsageError, match=f"--prebuilt_image: .*{told}"):
        resource_names.prebuilt_image(name)


@pytest.mark.parametrize("path", ["gs://", "gs://b-1", "gs://b-1/", "gs://B_1/x", "gs:///x"])
def test_paths_of_no_bucket_are_told(path):
    resource_names.gs_path("train_dir", "gs://b-1/x")
    with pytest.raises(UsageError, match=r"--train_dir: gs://BUCKET/… expected"):
        resource_names.gs_path("train_dir", path)


def test_a_tensorboard_is_in_the_region_of_the_job():
    resource_names.tensorboard("", "us-central1")
    resource_names.tensorboard(TENSORBOARD, "us-central1")
    with pytest.raises(UsageError, match="lies in us-central1, the job would run in asia-east1"):
        resource_names.tensorboard(TENSORBOARD, "asia-east1")
    with pytest.raises(UsageError, match=r"gcloud ai tensorboards list --region=us-central1"):
        resource_names.tensorboard("my-board", "us-central1")
