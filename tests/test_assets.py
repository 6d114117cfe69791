"""What we take from packages is what its makers published, and nothing is asked of another host."""

import base64
import hashlib
import re
from pathlib import Path

from django.contrib.staticfiles import finders

# Bootstrap publishes this with its 5.3.8: the carrier package need not be trusted.
BOOTSTRAP = "sha384-sRIl4kxILFvY47J16cr9ZwB07vP4J8+LH7qKQnuqkuIAvNWLzeN8tE5YBujZqJLB"
TREE = Path(__file__).parent.parent


def test_bootstrap_is_the_published_one():
    content = Path(finders.find("css/bootstrap.min.css")).read_bytes()
    assert f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}" == BOOTSTRAP


def test_templates_have_no_inline_script_or_style_and_name_no_other_host():
    wrong = []
    for path in (TREE / "templates").rglob("*.html"):
        text = path.read_text()
        for pattern in (
            r"\sstyle=",
            r"<style",
            r"<script(?![^>]*\ssrc=)",
            r"\son(?:click|change|input|submit|load|key\w+|mouse\w+)=",
            r"hx-on",
            r"hx-boost",
            r"https?://",
        ):
            wrong += [f"{path.relative_to(TREE)}: {found}" for found in re.findall(pattern, text)]
    assert wrong == []


def test_requirements_hold_hashes_and_no_addresses():
    for name in ("requirements.txt", "requirements-test.txt"):
        text = (TREE / name).read_text()
        assert "http" not in text
        packages = re.findall(r"^[\w.-]+==", text, flags=re.MULTILINE)
        assert len(packages) <= text.count("--hash=sha256:")
