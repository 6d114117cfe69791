"""What `collectstatic` makes of static files, so that a first visit loads little. In debug they stay as they are."""

import re

from django.conf import settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.core.files.base import ContentFile
from lightningcss import process_stylesheet
from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLESHEETS = ("css/bootstrap.min.css", "portal.css", "admin.css")
# What may name a class. A package whose own templates write Bootstrap's classes into our pages would belong here too.
SOURCES = ("directory", "licensing", "portal", "static", "templates")
# What packages bring and no page loads.
NOT_SERVED = [
    "css/bootstrap-*",  # parts of Bootstrap: its grid, its utilities
    "css/bootstrap.css",
    "css/bootstrap.rtl*",
    "js/bootstrap*",
    "*.map",
    "django_htmx/ext/*",
    "django_htmx/*-4*",  # the beta
]


class ServedFinder(AppDirectoriesFinder):
    """Finds every file of a package, and lists for `collectstatic` only those that are served."""

    def list(self, ignore_patterns):
        return super().list([*(ignore_patterns or []), *NOT_SERVED])


class Storage(CompressedManifestStaticFilesStorage):
    """Cuts stylesheets before their content is hashed and compressed."""

    def post_process(self, paths, dry_run=False, **options):
        if dry_run:
            return
        words = our_words()
        for name in STYLESHEETS:
            storage, path = paths[name]
            with storage.open(path) as file:
                css = cut(file.read().decode(), words)
            self.delete(name)  # `collectstatic --link` left a link to the source
            self._save(name, ContentFile(css.encode()))
        yield from super().post_process({**paths, **{name: (self, name) for name in STYLESHEETS}}, **options)


def our_words():
    """Return all words in our templates, stylesheets, scripts and Python: the classes of a page are among them."""
    files = [path for folder in SOURCES for path in (settings.BASE_DIR / folder).rglob("*.*")]
    texts = [path.read_text() for path in files if path.suffix in {".css", ".html", ".js", ".py"}]
    # A hyphen at the end counts where something is put after it: class="alert-{{ look }}".
    return set(re.findall(r"[\w-]*\w(?:-(?={))?", " ".join(texts)))


def cut(css, words):
    """Return a stylesheet minified, and without the rules for classes that are none of the words.

    A word that ends with a hyphen stands for every class that begins so.
    """
    classes = set(re.findall(r"\.([a-z][\w-]*)", css))
    begun = tuple(word for word in words if word.endswith("-"))
    unused = {name for name in classes - words if not name.startswith(begun)}
    # The package does not tell a class from an id or an animation of the same name.
    return process_stylesheet(css, unused_symbols=unused - set(re.findall(r"(?:#|keyframes )([\w-]+)", css)))
