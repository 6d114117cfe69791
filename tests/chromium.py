"""Where this machine keeps Chromium, and how it is started, for the tests marked `browser` and for tests/look."""

import os
import shutil

MISSING = "Chromium is not installed (Debian: apt install chromium)"

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATH = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)

ARGS = [
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
]
if os.geteuid() == 0:
    ARGS.append("--no-sandbox")  # Chromium's sandbox does not work for root
