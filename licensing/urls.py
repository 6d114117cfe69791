from django.urls import path, register_converter

from .kinds import KindConverter
from .views import assignees, assignments, bulk, compare, explain, find, home, licenses, places, users

register_converter(KindConverter, "kind")

app_name = "licensing"
urlpatterns = [
    path("", home.home, name="home"),
    path("find/", find.find, name="find"),
    path("explain/", explain.explain_access, name="explain_access"),
    path("users/without-license/", home.people_without_license, name="people_without_license"),
    path("users/without-license/first/", home.first_without_license, name="first_without_license"),
    path("licenses/", licenses.license_list, name="license_list"),
    path("licenses/<int:allocation>/", licenses.license_assignees, name="license_detail"),
    path("licenses/<int:allocation>/seats/", licenses.seats, name="seats"),
    path("licenses/<int:allocation>/access/", licenses.license_access, name="license_access"),
    path("licenses/<int:allocation>/access.csv", licenses.license_access_csv, name="license_access_csv"),
    path("licenses/<int:allocation>/<kind:kind>/", licenses.license_assignees, name="license_assignees"),
    path("licenses/<int:allocation>/<kind:kind>/assign/", licenses.choose_assignees, name="choose_assignees"),
    path("organization/licenses/", assignees.organization_licenses, name="organization_licenses"),
    path("organization/licenses/assign/", assignees.choose_organization_license, name="choose_organization_license"),
    path("<kind:kind>/<int:pk>/licenses/", assignees.assignee_licenses, name="assignee_licenses"),
    path("<kind:kind>/<int:pk>/licenses/assign/", assignees.choose_license, name="choose_license"),
    path("assignments/<int:pk>/policies/", assignments.choose_policies, name="choose_policies"),
    path("assignments/<int:pk>/dates/", assignments.change_dates, name="change_dates"),
    path("assignments/<int:pk>/unassign/", assignments.unassign, name="unassign"),
    path("users/", users.user_list, name="user_list"),
    path("users/<int:pk>/edit/", users.edit_user, name="edit_user"),
    path("users/<int:pk>/add-to-groups/", users.add_groups, name="add_groups"),
    path("users/<int:pk>/unit/", users.place_user, name="place_user"),
    path("users/<int:pk>/deactivate/", users.deactivate, name="deactivate_user"),
    path("users/<int:pk>/reactivate/", users.reactivate, name="reactivate_user"),
    path("users/<int:pk>/offboard/", users.offboard, name="offboard_user"),
    path("users/<int:pk>/delete/", users.delete_user, name="delete_user"),
    path("users/bulk/group/", bulk.add_to_group, name="bulk_group"),
    path("users/bulk/leave/", bulk.remove_from_group, name="bulk_leave"),
    path("users/bulk/unit/", bulk.add_to_unit, name="bulk_unit"),
    path("users/bulk/deactivate/", bulk.deactivate, name="bulk_deactivate"),
    path("users/bulk/reactivate/", bulk.reactivate, name="bulk_reactivate"),
    path("<kind:kind>/bulk/assign/", bulk.assign, name="bulk_assign"),
    path("<kind:kind>/bulk/unassign/", bulk.unassign, name="bulk_unassign"),
    path("users/compare/", compare.compare, name="compare"),
    path("users/<int:pk>/like/<int:other>/", compare.give, name="give_what_other_has"),
    path("groups/<int:pk>/delete/", places.delete_group, name="delete_group"),
    path("units/<int:pk>/move/", places.move_unit, name="move_unit"),
    path("units/<int:pk>/delete/", places.delete_unit, name="delete_unit"),
    path("groups/<int:pk>/add/", places.add_to_group, name="add_to_group"),
    path("groups/<int:pk>/remove/<int:user>/", places.remove_from_group, name="remove_from_group"),
    path("units/<int:pk>/add/", places.add_to_unit, name="add_to_unit"),
    path("units/<int:pk>/remove/<int:user>/", places.remove_from_unit, name="remove_from_unit"),
    path("my-access/", assignees.my_access, name="my_access"),
]
