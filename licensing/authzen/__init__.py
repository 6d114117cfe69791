"""The OpenID AuthZEN Authorization API 1.0: how an application asks, of a person, "may they do this here?".

messages reads what is sent, decisions asks the access engine about it, limits counts who asks, views speaks HTTP.
"""
