from django.urls import path

from .views import accounts, groups, invitations, organizations, units, users

app_name = "directory"
urlpatterns = [
    path("users/", users.user_list, name="user_list"),
    path("users/invite/", invitations.invite_people, name="invite_people"),
    path("users/invitations/", invitations.invitation_list, name="invitation_list"),
    path("users/<int:pk>/", users.user_detail, name="user_detail"),
    path("users/<int:pk>/groups/", users.user_groups, name="user_groups"),
    path("users/<int:pk>/invite/", invitations.invite_user, name="invite_user"),
    path("users/<int:pk>/reset-password/", accounts.reset_password, name="reset_password"),
    path("invitations/<int:pk>/resend/", invitations.resend_invitation, name="resend_invitation"),
    path("invitations/<int:pk>/cancel/", invitations.cancel_invitation, name="cancel_invitation"),
    path("invitations/<str:token>/", invitations.accept_invitation, name="accept_invitation"),
    path("groups/", groups.group_list, name="group_list"),
    path("groups/<int:pk>/", groups.group_detail, name="group_detail"),
    path("units/", units.unit_list, name="unit_list"),
    path("units/<int:pk>/", units.unit_detail, name="unit_detail"),
    path("organization/", organizations.organization_detail, name="organization_detail"),
    path("organization/switch/", organizations.switch_organization, name="switch_organization"),
    path("accounts/", accounts.profile, name="profile"),
]
