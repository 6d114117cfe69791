"""The pages and modals of licenses, by what they show."""
