"""Whom a provider's change gives or takes something, in numbers, as it is told to each customer later."""

from collections import Counter

from ..access.previews import count_by_organization


def effects_of(change, things):
    """Return what a Change that is not made yet will do, for audit entries: ({organization: effects}, effects of all).

    things: the Allocations or Policies that are told of. effects: [{"sign": "+" or "-", "what": name, "people": n}].
    """
    found = count_by_organization(change, things)
    total = Counter()
    for effects in found.values():
        for sign, thing, number in effects:
            total[sign, thing] += number
    return (
        {organization: _written(effects) for organization, effects in found.items()},
        _written((sign, thing, number) for (sign, thing), number in total.items()),
    )


def _written(effects):
    return [{"sign": sign, "what": str(thing), "people": number} for sign, thing, number in effects]
