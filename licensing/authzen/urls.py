from django.urls import path

from . import views

app_name = "authzen"
urlpatterns = [
    path("access/v1/evaluation", views.evaluation, name="evaluation"),
    path("access/v1/evaluations", views.evaluations, name="evaluations"),
    path("access/v1/search/subject", views.search_subject, name="search_subject"),
    path("access/v1/search/resource", views.search_resource, name="search_resource"),
    path("access/v1/search/action", views.search_action, name="search_action"),
    path("access/v1/openapi.json", views.openapi, name="openapi"),
    path(".well-known/authzen-configuration", views.configuration, name="configuration"),
]
