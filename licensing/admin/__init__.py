"""Where providers work: Django's admin over their own catalogue and allocations, and the operator over everybody's."""

from . import activity, catalogue, customers, tokens

__all__ = ["activity", "catalogue", "customers", "tokens"]
