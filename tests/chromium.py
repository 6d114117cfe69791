"""Where this machine keeps Chromium, for the tests marked `browser`."""

import os
import shutil

MISSING = "Chromium is not installed (Debian: apt install chromium)"

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATH = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
