"""Where providers work: Django's admin over their own catalogue and allocations, and the operator over everybody's."""

from . import activity, allocations, catalogue, customers, licenses, staff, start, tokens

__all__ = ["activity", "allocations", "catalogue", "customers", "licenses", "staff", "start", "tokens"]
