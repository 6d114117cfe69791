from django.urls import path

from .views import groups, organizations, units, users

app_name = "directory"
urlpatterns = [
    path("users/", users.user_list, name="user_list"),
    path("users/<int:pk>/", users.user_detail, name="user_detail"),
    path("users/<int:pk>/groups/", users.user_groups, name="user_groups"),
    path("groups/", groups.group_list, name="group_list"),
    path("groups/<int:pk>/", groups.group_detail, name="group_detail"),
    path("units/", units.unit_list, name="unit_list"),
    path("units/<int:pk>/", units.unit_detail, name="unit_detail"),
    path("organization/", organizations.organization_detail, name="organization_detail"),
    path("organization/switch/", organizations.switch_organization, name="switch_organization"),
]
