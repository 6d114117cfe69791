from django.urls import path, register_converter

from .kinds import KindConverter
from .views import assignees, assignments, licenses

register_converter(KindConverter, "kind")

app_name = "licensing"
urlpatterns = [
    path("licenses/", licenses.license_list, name="license_list"),
    path("licenses/<int:allocation>/", licenses.license_assignees, name="license_detail"),
    path("licenses/<int:allocation>/seats/", licenses.seats, name="seats"),
    path("licenses/<int:allocation>/<kind:kind>/", licenses.license_assignees, name="license_assignees"),
    path("licenses/<int:allocation>/<kind:kind>/assign/", licenses.choose_assignees, name="choose_assignees"),
    path("organization/licenses/", assignees.organization_licenses, name="organization_licenses"),
    path("organization/licenses/assign/", assignees.choose_organization_license, name="choose_organization_license"),
    path("<kind:kind>/<int:pk>/licenses/", assignees.assignee_licenses, name="assignee_licenses"),
    path("<kind:kind>/<int:pk>/licenses/assign/", assignees.choose_license, name="choose_license"),
    path("assignments/<int:pk>/policies/", assignments.choose_policies, name="choose_policies"),
    path("assignments/<int:pk>/dates/", assignments.change_dates, name="change_dates"),
    path("assignments/<int:pk>/unassign/", assignments.unassign, name="unassign"),
    path("my-access/", assignees.my_access, name="my_access"),
]
