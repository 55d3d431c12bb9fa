"""Starts the package that a student submitted, in the image of the class.

    python -m quickdraw.vertex.launch gs://BUCKET/packages/…/quickdraw-0.1.0.tar.gz \\
        quickdraw.train --model=my_models.MyModel

The image holds TensorFlow and the other dependencies; the code of the job comes with it as an
sdist, which is unpacked and run in this process' place. So one image serves all students and every
edit of theirs. The job specs in cloud/ call this.
"""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile

from quickdraw import environment, storage
from quickdraw.errors import QuickdrawError


def unpack(package: str, folder: str) -> str:
    """Unpack an sdist; return the folder in it that holds the code.

    Raises:
        QuickdrawError: it cannot be read, or is no sdist.
    """
    try:
        with (
            storage.open_binary(package) as file,
            tarfile.open(fileobj=file, mode="r:gz") as archive,
        ):
            archive.extractall(folder, filter="data")
        (root,) = os.listdir(folder)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise QuickdrawError(f"{package}: no source distribution ({error})") from None
    return os.path.join(folder, root)


def main(argv: list[str] | None = None) -> int:
    """Become `python -m MODULE FLAGS…`; return an exit code where that fails."""
    argv = sys.argv if argv is None else argv
    if len(argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    _, package, module, *flags = argv
    try:
        os.chdir(unpack(package, tempfile.mkdtemp(prefix="quickdraw-")))
    except QuickdrawError as error:
        print(f"python -m quickdraw.vertex.launch: {error}", file=sys.stderr)
        return environment.exit_code(error.exit_code)
    os.execv(sys.executable, [sys.executable, "-m", module, *flags])


if __name__ == "__main__":
    sys.exit(main())
