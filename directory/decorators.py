"""Who may enter a view. Templates hide what would be refused, but these are the check."""

from functools import wraps

from django.core.exceptions import PermissionDenied
from django.shortcuts import render

from .models import Role


def member_required(view):
    """An active User of the current organization; sees their own access."""
    return _roles_required(view, {"", *Role.values})


def viewer_required(view):
    """A portal role: sees everything, changes nothing."""
    return _roles_required(view, {Role.VIEWER, Role.EDITOR, Role.ADMIN})


def editor_required(view):
    """Changes the directory and assignments."""
    return _roles_required(view, {Role.EDITOR, Role.ADMIN})


def admin_required(view):
    """Changes roles and credentials too."""
    return _roles_required(view, {Role.ADMIN})


def _roles_required(view, roles):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        if request.member is None:
            return render(request, "directory/no_organization.html", status=403)
        if request.member.role not in roles:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    wrapper.roles = roles
    return wrapper
