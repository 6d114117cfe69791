from django.urls import path, register_converter

from . import views
from .kinds import KindConverter

register_converter(KindConverter, "kind")

app_name = "licensing"
urlpatterns = [
    path("licenses/", views.license_list, name="license_list"),
    path("licenses/<int:allocation>/", views.license_assignees, name="license_detail"),
    path("licenses/<int:allocation>/seats/", views.seats, name="seats"),
    path("licenses/<int:allocation>/<kind:kind>/", views.license_assignees, name="license_assignees"),
    path("licenses/<int:allocation>/<kind:kind>/assign/", views.choose_assignees, name="choose_assignees"),
    path("organization/licenses/", views.organization_licenses, name="organization_licenses"),
    path("organization/licenses/assign/", views.choose_organization_license, name="choose_organization_license"),
    path("<kind:kind>/<int:pk>/licenses/", views.assignee_licenses, name="assignee_licenses"),
    path("<kind:kind>/<int:pk>/licenses/assign/", views.choose_license, name="choose_license"),
    path("assignments/<int:pk>/policies/", views.choose_policies, name="choose_policies"),
    path("assignments/<int:pk>/dates/", views.change_dates, name="change_dates"),
    path("assignments/<int:pk>/unassign/", views.unassign, name="unassign"),
    path("my-access/", views.my_access, name="my_access"),
]
