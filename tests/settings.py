"""The settings of the tests: the real ones, except for what would make a test slow or depend on the machine."""

import os

os.environ.update(DEBUG="off", DEMO="off", HTTPS="off", SECRET_KEY="a key for the tests only")

from portal.settings import *  # noqa: E402, F403 the environment comes first
from portal.settings import STORAGES  # noqa: E402

# A page may be asked for without `collectstatic`.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# The real one takes its time on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
