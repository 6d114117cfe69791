from django.core.exceptions import ValidationError

from portal.audit.log import record
from portal.transactions import one_transaction

from ..models import Organization
from .invitations import Invitee, invite_first_admin
from .rules import target


@one_transaction
def create_organization(*, name, slug, time_zone="UTC", admin_email="", admin_name="", actor):
    """Create an Organization; with an address, its first Admin is invited at once.

    Raises ValidationError at the field, also at admin_email or admin_name.
    """
    organization = Organization(name=name, slug=slug, time_zone=time_zone)
    organization.full_clean()
    organization.save()
    record(actor, "organization.created", [target(organization)], organization_id=organization.pk)
    if admin_email:
        try:
            admin = Invitee.of(admin_email, admin_name)
        except ValidationError as error:
            raise ValidationError({f"admin_{field}": errors for field, errors in error.error_dict.items()}) from error
        invite_first_admin(organization, admin, actor=actor)
    return organization
