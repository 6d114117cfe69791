from django.core.exceptions import ValidationError

from portal.audit.log import record
from portal.transactions import one_transaction

from ..models import Organization
from .invitations import invite_first_admin
from .rules import lock, target


@one_transaction
def create_organization(*, name, slug, time_zone="UTC", admin_email="", admin_name="", actor):
    """Create an Organization; with an address, its first Admin is invited at once.

    Raises ValidationError at the field, also at admin_email or admin_name.
    """
    organization = Organization(name=name, slug=slug, time_zone=time_zone)
    organization.full_clean()
    if admin_name and not admin_email:
        message = "Without an e-mail address nobody can be invited. Write one, or leave their name empty."
        raise ValidationError({"admin_email": message})
    organization.save()
    record(actor, "organization.created", [target(organization)], organization_id=organization.pk)
    if admin_email:
        try:
            invite_first_admin(organization, email=admin_email, name=admin_name, actor=actor)
        except ValidationError as error:
            raise ValidationError({f"admin_{field}": words for field, words in error.message_dict.items()}) from error
    return organization


@one_transaction
def update_organization(organization, *, name, time_zone, actor):
    """Change an Organization's name and time zone; returns it. Its slug stays: machines know it by that."""
    organization = lock(Organization, organization)
    old = {"name": organization.name, "time_zone": organization.time_zone}
    organization.name, organization.time_zone = name, time_zone
    organization.full_clean()
    organization.save()
    new = {field: value for field, value in (("name", name), ("time_zone", time_zone)) if value != old[field]}
    if new:
        details = {"new": new, "old": {field: old[field] for field in new}}
        record(actor, "organization.changed", [target(organization)], organization_id=organization.pk, details=details)
    return organization
