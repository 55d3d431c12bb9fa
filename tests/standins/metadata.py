"""A machine's metadata server, as far as google-auth and TensorFlow ask it: who we are, a token.

Source: google-auth, `google/auth/compute_engine/_metadata.py`.
"""

from __future__ import annotations

import json
import re

_EMAIL = "robot@project.iam.gserviceaccount.com"


def is_metadata(path: str) -> bool:
    return path == "/" or path.startswith("/computeMetadata/")


def answer(path: str, token: str) -> tuple[bytes, int, dict[str, str]]:
    """Body, status and headers of the answer about `path`."""
    kind, body = "application/text", ""
    if path.endswith("/token"):
        kind = "application/json"
        body = json.dumps({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})
    elif re.search("/service-accounts/[^/]+/$", path):
        kind = "application/json"
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        body = json.dumps({"aliases": ["default"], "email": _EMAIL, "scopes": scopes})
    else:
        texts = {"project-id": "project", "email": _EMAIL, "universe-domain": "googleapis.com"}
        body = texts.get(path.rpartition("/")[2].replace("_", "-"), "")
    return body.encode(), 200, {"Metadata-Flavor": "Google", "Content-Type": kind}
