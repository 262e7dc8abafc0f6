"""Compares the types of webhook events that the SDK knows with those that Holdfast knows.

    python event_types.py CHECKOUT

Exits with 1 and names what is missing in docs/EVENTS.md.
"""

import pathlib
import re
import sys
import typing

from anthropic.types import beta


def types_of_sdk():
    """The class of `data` by its `type`, for each member of the SDK's union."""
    # The older generation named the event after the helper that makes it.
    event = getattr(beta, "BetaWebhookEvent", None) or beta.UnwrapWebhookEvent
    return {typing.get_args(data.model_fields["type"].annotation)[0]: data for data in members(event.model_fields["data"].annotation)}


def members(union):
    """The classes of a union, however deep it is wrapped."""
    if isinstance(union, type):
        return [union]
    return [found for part in typing.get_args(union) for found in members(part) if hasattr(found, "model_fields")]


def types_of_holdfast(checkout):
    """Where the types are listed, and which are."""
    document = checkout / "docs/EVENTS.md"
    return document, set(re.findall(r"^\| `([a-z_.]+)` \|", document.read_text(), re.MULTILINE))


def main():
    document, ours = types_of_holdfast(pathlib.Path(sys.argv[1]))
    theirs = set(types_of_sdk())
    missing = sorted(theirs - ours)
    if missing:
        print(f"{document} lacks {len(missing)} of the SDK's {len(theirs)} event types: {', '.join(missing)}", file=sys.stderr)
        return 1
    print(f"all {len(theirs)} event types of the SDK are among the {len(ours)} in {document.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
