from django import template

register = template.Library()


@register.inclusion_tag("licensing/_assignment_menu.html", takes_context=True)
def assignment_menu(context, assignment, name, up=False):
    """The three dots of an assignment's row, for who may change it; without JavaScript they lead back here."""
    request = context["request"]
    return {"assignment": assignment, "name": name, "up": up, "here": request.get_full_path()}
