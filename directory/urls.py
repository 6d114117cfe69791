from django.urls import path

from . import views

app_name = "directory"
urlpatterns = [
    path("", views.home, name="home"),
    path("users/", views.user_list, name="user_list"),
    path("users/<int:pk>/", views.user_detail, name="user_detail"),
    path("users/<int:pk>/groups/", views.user_groups, name="user_groups"),
    path("groups/", views.group_list, name="group_list"),
    path("groups/<int:pk>/", views.group_detail, name="group_detail"),
    path("groups/<int:pk>/add/", views.add_to_group, name="add_to_group"),
    path("groups/<int:pk>/remove/<int:user>/", views.remove_from_group, name="remove_from_group"),
    path("units/", views.unit_list, name="unit_list"),
    path("units/<int:pk>/", views.unit_detail, name="unit_detail"),
    path("units/<int:pk>/add/", views.add_to_unit, name="add_to_unit"),
    path("units/<int:pk>/remove/<int:user>/", views.remove_from_unit, name="remove_from_unit"),
    path("organization/", views.organization_detail, name="organization_detail"),
    path("organization/switch/", views.switch_organization, name="switch_organization"),
]
