"""The kinds of assignee: what a license can be assigned to. The only place that knows how a kind is stored."""

from dataclasses import dataclass

from django.db.models import Model, Q

from directory.models import Group, Organization, OrgUnit, User


@dataclass(frozen=True)
class AssigneeKind:
    slug: str  # in URLs, and the word for many
    one: str  # the word for one
    field: str  # on Assignment
    model: type[Model]
    key: int  # target_key modulo 4
    tab: str  # the mission's word on a tab
    choice: str  # and in the dialog
    detail: str  # name of the URL of one's page

    def __str__(self):
        return self.slug

    @property
    def where(self):
        """The condition on Assignment that it is of this kind."""
        return (
            Q(whole_organization=True) if self.field == "whole_organization" else Q(**{f"{self.field}__isnull": False})
        )

    def assigned_to(self, assignee):
        """Return what an Assignment to the assignee has in its fields: {field: value}."""
        return {self.field: True if self.field == "whole_organization" else assignee}

    def candidates(self, organization):
        """Return those of the organization that a license can be assigned to, as a QuerySet."""
        if self.field == "whole_organization":
            return Organization.objects.filter(pk=organization.pk)
        everybody = self.model.objects.filter(organization=organization)
        return everybody.active() if self.model is User else everybody

    def target_key(self, pk):
        return pk * 4 + self.key


USERS = AssigneeKind("users", "user", "user", User, 0, "Users", "Users", "directory:user_detail")
GROUPS = AssigneeKind("groups", "group", "group", Group, 1, "Groups", "Groups", "directory:group_detail")
UNITS = AssigneeKind("units", "unit", "unit", OrgUnit, 2, "Units", "Organization Units", "directory:unit_detail")
# No choice among many: it has its own routes, and one row above the tabs.
ORGANIZATION = AssigneeKind(
    "organization",
    "organization",
    "whole_organization",
    Organization,
    3,
    "Organization",
    "Organization",
    "directory:organization_detail",
)

KINDS = (USERS, GROUPS, UNITS)
_BY_SLUG = {kind.slug: kind for kind in KINDS}
_BY_KEY = (*KINDS, ORGANIZATION)  # in the order of their keys


def kind_of_key(target_key: int) -> AssigneeKind:
    return _BY_KEY[target_key % 4]


class KindConverter:
    """In a URL: users, groups or units."""

    regex = "|".join(_BY_SLUG)

    def to_python(self, value):
        return _BY_SLUG[value]

    def to_url(self, kind):
        return str(kind)
