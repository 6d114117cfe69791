import os
import secrets


def own_secret_key(path):
    """Return the secret key of this installation: made at its first start, kept in a file that only its user reads."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text()
