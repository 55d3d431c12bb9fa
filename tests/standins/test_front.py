"""TensorFlow's own gs:// client, as it is, works with the stand-in: students' code may use it."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

import pytest
from standins import front, gcs
from standins.gcs_store import Store

PROGRAM = """
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

gfile = tf.io.gfile
with gfile.GFile("gs://b/x/a.txt", "w") as file:
    file.write("hello")
gfile.rename("gs://b/x/a.txt", "gs://b/x/b.txt")
gfile.copy("gs://b/x/b.txt", "gs://b/y/c.txt")
gfile.makedirs("gs://b/z/k")
with gfile.GFile("gs://b/x/b.txt", "a") as file:
    file.write(" more")
assert gfile.GFile("gs://b/x/b.txt").read() == "hello more"
assert gfile.exists("gs://b/y/c.txt") and not gfile.exists("gs://b/nothing")
assert gfile.listdir("gs://b/x") == ["b.txt"] and gfile.glob("gs://b/*/*.txt")
with tf.io.TFRecordWriter("gs://b/r.tfrecord") as writer:
    writer.write(b"1" * 3_000_000)
(record,) = tf.data.TFRecordDataset("gs://b/r.tfrecord")
assert len(record.numpy()) == 3_000_000
writer = tf.summary.create_file_writer("gs://b/events")
with writer.as_default():
    tf.summary.scalar("loss", 0.5, 7)
writer.close()
events = EventAccumulator("gs://b/events").Reload()  # what tensorboard --logdir=gs://… does
assert events.Tags()["tensors"] == ["loss"]
gfile.rmtree("gs://b/x")
gfile.remove("gs://b/y/c.txt")
"""


@pytest.mark.slow
def test_tensorflow_reads_and_writes(tmp_path):
    store = Store()
    store.make_bucket("b", private=True)
    with gcs.serve(store) as server:
        server.token, port = "token", server.server_address[1]
        hosts = dict.fromkeys(("www.googleapis.com", "storage.googleapis.com"), port)
        with front.serve(hosts, tmp_path, port) as proxy:
            server.fail("/b/b/o", after=3, times=2, status=503)
            environment = {**os.environ, **proxy.environment, "TF_CPP_MIN_LOG_LEVEL": "2"}
            subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True)
    names = {name.partition("/")[0] for name in store.objects("b")}
    assert names == {"r.tfrecord", "events", "z"}
