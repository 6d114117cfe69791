"""The provider's catalogue: applications, policies, licenses and what is in them."""

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.models import ProtectedError
from django.db.models.deletion import Collector
from django.utils import timezone

from portal.audit.log import Target, record
from portal.text import join_some
from portal.transactions import one_transaction

from ..access import changes, count_holders
from ..models import Allocation, Application, AssignmentPolicy, License, LicensePolicy, Policy, Provider
from .effects import effects_of


@one_transaction
def save(thing, *, actor):
    """Create or change a Provider, Application, Policy or License after checking it whole; returns it.

    Of a Policy or License that changes, customers who have it are told, in their own log.
    """
    verb = "changed" if thing.pk else "created"
    if (
        isinstance(thing, Policy)
        and thing.pk
        and thing.license_policies.exclude(license__provider=thing.application.provider).exists()
    ):
        raise ValidationError({"application": "A license has this policy, and that application is another provider's."})
    differences = _changes(thing) if thing.pk else {}
    thing.full_clean()
    thing.save()
    target = _target(thing)
    details, customers = _told(thing, differences) if verb == "changed" else ({}, {})
    record(
        actor,
        f"{target.kind}.{verb}",
        [target],
        provider_id=_provider_of(thing).pk,
        details=differences | details,
        customers=customers,
    )
    return thing


@one_transaction
def delete(thing, *, actor):
    """Delete an Application, Policy or License that nothing uses; raises ValidationError saying what does."""
    target, provider_id = _target(thing), _provider_of(thing).pk
    try:
        thing.delete()
    except ProtectedError as error:
        raise ValidationError(_still_used(thing, error.protected_objects), code="used") from None
    record(actor, f"{target.kind}.deleted", [target], provider_id=provider_id)


def why_kept(thing):
    """Return what would keep delete() from deleting the thing, in words, or None."""
    try:
        Collector(DEFAULT_DB_ALIAS, origin=thing).collect([thing])
    except ProtectedError as error:
        return _still_used(thing, error.protected_objects)


@one_transaction
def set_license_policies(license, *, default, optional, actor):
    """Make `default` and `optional` (lists of Policy, in their order) the policies of a License.

    Defaults are never copied: whoever is reached has a new one at once and loses one that is not default any more,
    until it is chosen. What was chosen of a policy that becomes default, or goes, is deleted. Raises ValidationError
    for a policy of another provider, one that is both, and an allocated license left without a default policy.
    """
    license = License.objects.select_for_update(no_key=True).filter(pk=license.pk).first()
    if license is None:
        raise ValidationError("This license was deleted meanwhile.", code="gone")
    wanted = {policy: position for position, policy in enumerate([*default, *optional])}
    if both := set(default) & set(optional):
        _refuse(
            "optional_policies", f"{join_some(sorted(map(str, both)))}: choose it as default or as optional, not both."
        )
    if any(policy.application.provider_id != license.provider_id for policy in wanted):
        raise ValidationError(f"Choose from the policies of {license.provider} only.", code="foreign")
    if not default and license.allocations.exists():
        _refuse("default_policies", "This license is allocated: it keeps at least one, or who has it could do nothing.")
    locked = LicensePolicy.objects.select_for_update(no_key=True, of=("self",)).filter(license=license)
    rows = {row.policy: row for row in locked.select_related("policy")}
    before = {policy: row.is_default for policy, row in rows.items()}
    after = {policy: policy in default for policy in wanted}
    change = changes.changing_policies(license, default, optional, at=timezone.now())
    effects, of_all = effects_of(change, {*rows, *wanted}) if after != before else ({}, [])

    gone = [policy for policy in rows if policy not in wanted]
    now_default = [policy for policy in default if policy in rows and not rows[policy].is_default]
    AssignmentPolicy.objects.filter(license=license, policy__in=[*gone, *now_default]).delete()
    LicensePolicy.objects.filter(license=license, policy__in=gone).delete()
    for policy, position in wanted.items():
        row = rows.get(policy) or LicensePolicy(license=license, policy=policy)
        row.is_default, row.position = policy in default, position
        row.save()
    if after != before:
        customers = license.allocations.values_list("organization_id", flat=True)
        details = {"provider": license.provider.name, **_differences(before, after), "effects": of_all}
        record(
            actor,
            "license.policies",
            [_target(license)],
            provider_id=license.provider_id,
            details=details,
            customers={pk: {"effects": effects.get(pk, [])} for pk in customers},
        )


def _refuse(field, message):
    raise ValidationError({field: ValidationError(message, code="policies")})


def _differences(before, after):
    """Return what changed between {Policy: is default} then and now, as names."""
    changed = {
        "added_default": [policy for policy in after if after[policy] and policy not in before],
        "added_optional": [policy for policy in after if not after[policy] and policy not in before],
        "now_default": [policy for policy in after if after[policy] and before.get(policy) is False],
        "now_optional": [policy for policy in after if not after[policy] and before.get(policy) is True],
        "removed": [policy for policy in before if policy not in after],
    }
    return {how: [policy.name for policy in policies] for how, policies in changed.items()}


def _provider_of(thing):
    return (
        thing
        if isinstance(thing, Provider)
        else thing.application.provider
        if isinstance(thing, Policy)
        else thing.provider
    )


def _target(thing):
    kind = {Provider: "provider", Application: "application", Policy: "policy", License: "license"}[type(thing)]
    return Target(kind, thing.pk, thing.name)


def _changes(thing):
    """Return what differs from what is stored: {"old": {field: value}, "new": {field: value}}."""
    stored = type(thing).objects.filter(pk=thing.pk).values().first() or {}
    changed = [name for name, value in stored.items() if getattr(thing, name) != value]
    return {"old": {name: stored[name] for name in changed}, "new": {name: getattr(thing, name) for name in changed}}


TOLD = {Policy: {"name", "description", "actions", "role", "application_id"}, License: {"name", "description"}}


def _told(thing, differences):
    """Return what is told of a change of a Policy or License, and to whom: (details, {organization: its own})."""
    changed = TOLD.get(type(thing), set()) & differences["new"].keys()
    if not changed:
        return {}, {}
    details = {"provider": _provider_of(thing).name}
    if isinstance(thing, License):
        return details, {pk: {} for pk in thing.allocations.values_list("organization_id", flat=True)}
    if "application_id" in changed:
        details["application"] = thing.application.name
    organizations = Allocation.objects.filter(license__policies=thing).values_list("organization_id", flat=True)
    holders = count_holders([thing], at=timezone.now())
    details["people"] = sum(holders.values())
    return details, {pk: {"people": holders.get(pk, 0)} for pk in organizations}


def _still_used(thing, users):
    """Say what keeps a thing of the catalogue from being deleted."""
    if isinstance(thing, License):
        # By one query: a license may be allocated to thousands.
        customers = list(thing.allocations.order_by("organization__name").values_list("organization__name", flat=True))
        return f"{thing} is allocated to {join_some(customers)}, cancelled or not, so it stays."
    of_thing = {"policy__application": thing} if isinstance(thing, Application) else {"policy": thing}
    licenses = sorted(set(LicensePolicy.objects.filter(**of_thing).values_list("license__name", flat=True)))
    have = f"{join_some(licenses)} {'has' if len(licenses) == 1 else 'have'}"
    if isinstance(thing, Policy):
        return f"{have} the policy {thing}. Take it out first."
    if licenses:
        return f"{have} policies of {thing}. Take them out first."
    return f"{thing} has policies: {join_some(sorted(policy.name for policy in users))}. Delete them first."
