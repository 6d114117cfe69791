"""What was done, as the sentence that a message says."""

from portal.text import join_some, join_words

from .kinds import ORGANIZATION


def say_assigned(outcome):
    who = "the whole organization" if outcome.kind is ORGANIZATION else join_some(outcome.done)
    skipped = f"{join_some(outcome.skipped)} had it already."
    if not outcome.done:
        return f"Nothing changed: {skipped}"
    sentence = f"{outcome.allocation} is now assigned to {who}, with {join_words(outcome.policies)}."
    return f"{sentence} {skipped}" if outcome.skipped else sentence


def say_policies(assignment, added_removed):
    added, removed = added_removed
    if not added and not removed:
        return "Nothing changed."
    said = [f"now has {join_words(added)}"] if added else []
    said += [f"no longer has {join_words(removed)}"] if removed else []
    return f"{name_of(assignment)} {' and '.join(said)} with {assignment.allocation}."


def say_dates(assignment, changed):
    return (
        f"The dates of {assignment.allocation} for {name_of(assignment)} are changed."
        if changed
        else "Nothing changed."
    )


def say_unassigned(assignment):
    return f"{assignment.allocation} is no longer assigned to {name_of(assignment)}."


def name_of(assignment):
    return "the whole organization" if assignment.kind is ORGANIZATION else assignment.assignee.name
