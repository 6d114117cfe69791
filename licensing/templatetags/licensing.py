from dataclasses import dataclass

from django import template
from django.utils import timezone

from directory.trees import unit_paths, write_path
from licensing.access import sources_of
from licensing.kinds import GROUPS, ORGANIZATION, UNITS
from portal.templatetags import components

register = template.Library()
MOVES_LOOKED_AT, MOVES_SHOWN = 200, 8


@register.simple_tag
def licenses_of_moves(moves):
    """Return what an Import's moves do to access, the most people first, and how many moves more there are.

    [(sign, number of people, verb, name or path, [Allocation that it has in effect])]: only places that have something
    besides what everybody has. Whether a person has it some other way is not asked: that would take each of them.
    """
    now, found = timezone.now(), []
    for key, sign, verbs, kind in [
        ("groups", "gain", ("joins", "join"), GROUPS),
        ("units", "gain", ("comes to", "come to"), UNITS),
        ("left", "loss", ("leaves", "leave"), UNITS),
    ]:
        most = sorted(moves.get(key, {}).items(), key=lambda pair: -pair[1])[:MOVES_LOOKED_AT]
        places = list(kind.model.objects.filter(pk__in=[pk for pk, _ in most]))
        sources, numbers = sources_of(kind, places, at=now, with_policies=False), dict(most)
        paths = unit_paths([place.pk for place in places]) if kind is UNITS else {}
        for place in places:
            own = [source for source in sources[place.pk] if source.in_effect and source.kind is not ORGANIZATION]
            licenses = list(dict.fromkeys(source.assignment.allocation for source in own))
            if licenses:
                number = numbers[str(place.pk)]
                where = write_path(paths[place.pk]) if kind is UNITS else place
                found.append((sign, number, verbs[number > 1], where, licenses))
    found.sort(key=lambda move: -move[1])
    return found[:MOVES_SHOWN], len(found[MOVES_SHOWN:])


@register.simple_tag
def source_link(source):
    """A Source, with the way to where it can be changed."""
    if source.is_direct:
        return components.source("user", source.label)
    if source.kind is ORGANIZATION:
        return components.source(source.kind.one, source.label, "licensing:organization_licenses")
    assignee = source.assignment.assignee
    return components.source(source.kind.one, source.label, "licensing:assignee_licenses", source.kind, assignee.pk)


@dataclass(frozen=True)
class UnitLicenses:
    """The Sources of a unit: what is assigned to it, and to units above it."""

    direct: list
    above: list


@register.simple_tag
def licenses_of_units(units):
    """Return what units have in effect besides what everybody has, of those that have any: {pk: UnitLicenses}."""
    found = sources_of(UNITS, units, at=timezone.now(), with_policies=False)
    own = {
        pk: [source for source in sources if source.in_effect and source.kind is not ORGANIZATION]
        for pk, sources in found.items()
    }
    return {
        pk: UnitLicenses([each for each in sources if each.is_direct], [each for each in sources if not each.is_direct])
        for pk, sources in own.items()
        if sources
    }
