"""What bandit, a scanner for unsafe Python, says of the leaderboard: nothing that is not meant.

pip-audit, which looks for known faults of dependencies, asks a server: it is run by hand.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quickdraw import leaderboard

# Meant, each looked at: the server listens to all (B104) by default; names of variables and files
# are no passwords (B105); programs of ours are started without a shell (B404, B603); the client
# checks that an address begins with http (B310); asserts tell the type checker (B101).
MEANT = "B101,B104,B105,B310,B404,B603"


def test_bandit_finds_nothing_that_is_not_meant():
    pytest.importorskip("bandit")
    folder = str(Path(leaderboard.__file__).parent)
    command = [sys.executable, "-m", "bandit", "-q", "-r", folder, "-f", "json", "-s", MEANT]
    done = subprocess.run(command, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["metrics"]["_totals"]["loc"] > 2000  # it looked
    assert [(each["test_id"], each["filename"]) for each in found["results"]] == []
