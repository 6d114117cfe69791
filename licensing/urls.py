from django.urls import path, register_converter

from .kinds import KindConverter
from .views import assignees, assignments, explain, exports, find, home, licenses, people

register_converter(KindConverter, "kind")

app_name = "licensing"
urlpatterns = [
    path("", home.home, name="home"),
    path("find/", find.find, name="find"),
    path("explain/", explain.explain_access, name="explain_access"),
    path("users/without-license/", home.people_without_license, name="people_without_license"),
    path("users/without-license.csv", exports.people_without_license_csv, name="people_without_license_csv"),
    path("users/without-license/first/", home.first_without_license, name="first_without_license"),
    path("licenses/", licenses.license_list, name="license_list"),
    path("licenses.csv", exports.licenses_csv, name="licenses_csv"),
    path("licenses/<int:allocation>/", licenses.license_assignees, name="license_detail"),
    path("licenses/<int:allocation>/seats/", licenses.seats, name="seats"),
    path("licenses/<int:allocation>/access/", licenses.license_access, name="license_access"),
    path("licenses/<int:allocation>/access.csv", licenses.license_access_csv, name="license_access_csv"),
    path("licenses/<int:allocation>/<kind:kind>/", licenses.license_assignees, name="license_assignees"),
    path("licenses/<int:allocation>/<kind:kind>.csv", exports.license_assignees_csv, name="license_assignees_csv"),
    path("licenses/<int:allocation>/<kind:kind>/assign/", licenses.choose_assignees, name="choose_assignees"),
    path("organization/licenses/", assignees.organization_licenses, name="organization_licenses"),
    path("organization/licenses.csv", exports.organization_licenses_csv, name="organization_licenses_csv"),
    path("organization/licenses/assign/", assignees.choose_organization_license, name="choose_organization_license"),
    path("<kind:kind>/<int:pk>/licenses/", assignees.assignee_licenses, name="assignee_licenses"),
    path("<kind:kind>/<int:pk>/licenses.csv", exports.assignee_licenses_csv, name="assignee_licenses_csv"),
    path("<kind:kind>/<int:pk>/licenses/assign/", assignees.choose_license, name="choose_license"),
    path("assignments/<int:pk>/policies/", assignments.choose_policies, name="choose_policies"),
    path("assignments/<int:pk>/dates/", assignments.change_dates, name="change_dates"),
    path("assignments/<int:pk>/unassign/", assignments.unassign, name="unassign"),
    path("groups/<int:pk>/add/", people.add_to_group, name="add_to_group"),
    path("groups/<int:pk>/remove/<int:user>/", people.remove_from_group, name="remove_from_group"),
    path("units/<int:pk>/add/", people.add_to_unit, name="add_to_unit"),
    path("units/<int:pk>/remove/<int:user>/", people.remove_from_unit, name="remove_from_unit"),
    path("my-access/", assignees.my_access, name="my_access"),
]
