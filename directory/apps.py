from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "directory"
    verbose_name = "Customers"

    def ready(self):
        from . import own_acts  # the models have to be there

        own_acts.listen()
