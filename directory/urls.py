from django.urls import path

from .views import accounts, exports, groups, invitations, organizations, units, users

app_name = "directory"
urlpatterns = [
    path("users/suggest/", users.suggest_people, name="suggest_people"),
    path("users/<int:pk>/", users.user_detail, name="user_detail"),
    path("users/<int:pk>/groups/", users.user_groups, name="user_groups"),
    path("groups/suggest/", groups.suggest_groups, name="suggest_groups"),
    path("groups/create/", groups.create_group, name="create_group"),
    path("groups/<int:pk>/edit/", groups.edit_group, name="edit_group"),
    path("users/<int:pk>/groups.csv", exports.user_groups_csv, name="user_groups_csv"),
    path("users/invite/", invitations.invite_people, name="invite_people"),
    path("users/invitations/", invitations.invitation_list, name="invitation_list"),
    path("users/invitations.csv", exports.invitations_csv, name="invitations_csv"),
    path("users/<int:pk>/invite/", invitations.invite_user, name="invite_user"),
    path("users/<int:pk>/reset-password/", accounts.reset_password, name="reset_password"),
    path("invitations/<int:pk>/resend/", invitations.resend_invitation, name="resend_invitation"),
    path("invitations/<int:pk>/cancel/", invitations.cancel_invitation, name="cancel_invitation"),
    path("invitations/<str:token>/", invitations.accept_invitation, name="accept_invitation"),
    path("groups/", groups.group_list, name="group_list"),
    path("groups.csv", exports.groups_csv, name="groups_csv"),
    path("groups/<int:pk>/", groups.group_detail, name="group_detail"),
    path("units/suggest/", units.suggest_units, name="suggest_units"),
    path("units/create/", units.create_unit, name="create_unit"),
    path("units/<int:pk>/create/", units.create_unit, name="create_unit_below"),
    path("units/<int:pk>/edit/", units.edit_unit, name="edit_unit"),
    path("groups/<int:pk>/users.csv", exports.group_users_csv, name="group_users_csv"),
    path("units/", units.unit_list, name="unit_list"),
    path("units.csv", exports.units_csv, name="units_csv"),
    path("units/<int:pk>/", units.unit_detail, name="unit_detail"),
    path("units/<int:pk>/users.csv", exports.unit_users_csv, name="unit_users_csv"),
    path("organization/", organizations.organization_detail, name="organization_detail"),
    path("organization/switch/", organizations.switch_organization, name="switch_organization"),
    path("accounts/", accounts.profile, name="profile"),
]
