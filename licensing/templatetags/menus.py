"""What an Editor can do with a row of a list: the same in every list, and on the page of the thing."""

from django import template
from django.urls import reverse

from directory.models import Role
from portal.templatetags.components import RowMenu

register = template.Library()


@register.simple_tag(takes_context=True)
def user_menu(context, person):
    """Of somebody; what is only for who may change them is left out. person: a User (with_open_invitations)."""
    by_admin = context.request.member.role == Role.ADMIN
    may_change = _may_change(context, person)
    menu, pk = RowMenu(context["here"], person, f"user-{person.pk}"), person.pk
    if may_change:
        menu.opens("Edit", "pencil-square", "licensing:edit_user", pk)
    menu.opens("Add to Group", "user-group", "licensing:add_groups", pk)
    menu.opens("Add to Organization Unit", "rectangle-group", "licensing:place_user", pk)
    menu.leads("Compare", "arrows-right-left", f"{reverse('licensing:compare')}?one={pk}")
    if person.account_id and by_admin:
        menu.opens("Reset Password", "lock-closed", "directory:reset_password", pk)
    elif not person.account_id and person.email and person.is_active and may_change:
        if person.open_invitations:
            menu.opens("Resend invitation", "envelope", "directory:resend_invitation", person.open_invitations[0].pk)
        else:
            menu.opens("Invite", "envelope", "directory:invite_user", pk)
    if may_change:
        if person.is_active:
            menu.opens("Deactivate", "pause-circle", "licensing:deactivate_user", pk)
        else:
            menu.opens("Reactivate", "play-circle", "licensing:reactivate_user", pk)
        menu.removes("Offboard", "arrow-right-start-on-rectangle", "licensing:offboard_user", pk)
        menu.removes("Delete", "trash", "licensing:delete_user", pk)
    return menu


@register.simple_tag(takes_context=True)
def group_menu(context, group):
    """Of a Group."""
    menu, pk = RowMenu(context["here"], group, f"group-{group.pk}"), group.pk
    menu.opens("Edit", "pencil-square", "directory:edit_group", pk)
    menu.opens("Add people", "user-plus", "licensing:add_to_group", pk)
    menu.removes("Remove people", "user-minus", "licensing:remove_people_from_group", pk)
    menu.removes("Delete", "trash", "licensing:delete_group", pk)
    return menu


@register.simple_tag(takes_context=True)
def unit_menu(context, unit):
    """Of an OrgUnit."""
    menu, pk = RowMenu(context["here"], unit, f"unit-{unit.pk}"), unit.pk
    menu.opens("Edit", "pencil-square", "directory:edit_unit", pk)
    menu.opens("Add people", "user-plus", "licensing:add_to_unit", pk)
    menu.opens("Create unit below", "plus", "directory:create_unit_below", pk)
    menu.opens("Move", "arrows-up-down", "licensing:move_unit", pk)
    menu.removes("Remove people", "user-minus", "licensing:remove_people_from_unit", pk)
    menu.removes("Delete", "trash", "licensing:delete_unit", pk)
    return menu


@register.simple_tag(takes_context=True)
def assignment_menu(context, assignment, name):
    """Of an Assignment: the same on all five places. name: of the row."""
    menu, pk = RowMenu(context["here"], name, assignment.pk), assignment.pk
    menu.opens("Manage Optional Policies", "adjustments-horizontal", "licensing:choose_policies", pk)
    menu.opens("Change dates", "calendar", "licensing:change_dates", pk)
    menu.removes("Unassign License", "x-circle", "licensing:unassign", pk)
    return menu


@register.simple_tag(takes_context=True)
def member_menu(context, person, place, view):
    """Of a User in the list of a Group or OrgUnit. view: of the URL that takes them out of it."""
    menu = RowMenu(context["here"], person, person.pk)
    menu.removes(f"Remove from {place}", "x-circle", view, place.pk, person.pk)
    return menu


@register.simple_tag(takes_context=True)
def membership_menu(context, group, person):
    """Of a Group in the list of a User's."""
    menu = RowMenu(context["here"], group, group.pk)
    menu.removes(f"Remove {person} from {group}", "x-circle", "licensing:remove_from_group", group.pk, person.pk)
    return menu


@register.simple_tag(takes_context=True)
def invitation_menu(context, invitation):
    """Of an Invitation; nothing, where nothing is left to do with it."""
    person = invitation.user
    if not invitation.is_unfinished or not _may_change(context, person):
        return ""
    menu = RowMenu(context["here"], person, invitation.pk)
    if person.is_active:
        menu.opens("Resend", "envelope", "directory:resend_invitation", invitation.pk)
    menu.removes("Cancel invitation", "x-circle", "directory:cancel_invitation", invitation.pk)
    return menu


def _may_change(context, person):
    """Return whether who asks may change this person, as directory.services holds it: an Editor changes no Admin."""
    return person.role != Role.ADMIN or context.request.member.role == Role.ADMIN
