from django.urls import path

from . import views

app_name = "directory"
urlpatterns = [
    path("users/", views.user_list, name="user_list"),
    path("users/<int:pk>/", views.user_detail, name="user_detail"),
    path("users/<int:pk>/groups/", views.user_groups, name="user_groups"),
    path("groups/", views.group_list, name="group_list"),
    path("groups/<int:pk>/", views.group_detail, name="group_detail"),
    path("units/", views.unit_list, name="unit_list"),
    path("units/<int:pk>/", views.unit_detail, name="unit_detail"),
    path("organization/", views.organization_detail, name="organization_detail"),
    path("organization/switch/", views.switch_organization, name="switch_organization"),
]
