from django.urls import path

from .views import exports, groups, organizations, units, users

app_name = "directory"
urlpatterns = [
    path("users/", users.user_list, name="user_list"),
    path("users.csv", exports.users_csv, name="users_csv"),
    path("users/<int:pk>/", users.user_detail, name="user_detail"),
    path("users/<int:pk>/groups/", users.user_groups, name="user_groups"),
    path("users/<int:pk>/groups.csv", exports.user_groups_csv, name="user_groups_csv"),
    path("groups/", groups.group_list, name="group_list"),
    path("groups.csv", exports.groups_csv, name="groups_csv"),
    path("groups/<int:pk>/", groups.group_detail, name="group_detail"),
    path("groups/<int:pk>/users.csv", exports.group_users_csv, name="group_users_csv"),
    path("units/", units.unit_list, name="unit_list"),
    path("units.csv", exports.units_csv, name="units_csv"),
    path("units/<int:pk>/", units.unit_detail, name="unit_detail"),
    path("units/<int:pk>/users.csv", exports.unit_users_csv, name="unit_users_csv"),
    path("organization/", organizations.organization_detail, name="organization_detail"),
    path("organization/switch/", organizations.switch_organization, name="switch_organization"),
]
