from django import template
from django.utils import timezone

from licensing.access import sources_of
from licensing.kinds import UNITS

register = template.Library()


@register.inclusion_tag("licensing/_assignment_menu.html", takes_context=True)
def assignment_menu(context, assignment, name, up=False):
    """The three dots of an assignment's row, for who may change it; without JavaScript they lead back here."""
    request = context["request"]
    return {"assignment": assignment, "name": name, "up": up, "here": request.get_full_path()}


@register.simple_tag
def licenses_of_units(units):
    """Return what units have in effect: {pk: (direct sources, sources from units above)}."""
    found = sources_of(UNITS, units, at=timezone.now())
    return {
        pk: (
            [source for source in sources if source.in_effect and source.is_direct],
            [source for source in sources if source.in_effect and not source.is_direct and source.kind is UNITS],
        )
        for pk, sources in found.items()
    }
