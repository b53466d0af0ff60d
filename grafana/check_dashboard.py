"""Holds a dashboard against the schema that Grafana publishes (grafana-foundation-sdk on PyPI).

    python3 check_dashboard.py pfwatch.json

What the schema does not know would be lost on the way into its classes and back; what has another type than they say is
found by their annotations. Prints each difference, and ends with 1 if there is one. Called by tests/web.
"""

import enum
import json
import sys
import types
import typing

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard


def encoded(read):
    """As it would be written."""
    return json.loads(JSONEncoder(sort_keys=True).encode(read))


def lost(before, after, place):
    """Everything that stood there before and does not any more."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key not in after:
                # The classes leave out what says nothing.
                if value not in (None, [], {}, ""):
                    yield f"{place}.{key}: the schema does not know it"
            else:
                yield from lost(value, after[key], f"{place}.{key}")
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{place}: {len(before)} became {len(after)}"
        for i, (old, new) in enumerate(zip(before, after)):
            yield from lost(old, new, f"{place}[{i}]")
    elif before != after:
        yield f"{place}: {before!r} became {after!r}"


def fits(value, hint, names):
    """Whether a value has the type of an annotation."""
    if isinstance(hint, str):
        hint = eval(hint, names)  # The SDK quotes the names of its own classes.
    if hint is typing.Any or hint is object:
        return True
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, typing.ForwardRef):
        return fits(value, hint.__forward_arg__, names)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one, names) for one in inner)
    if origin is typing.Literal:
        return value in inner
    if origin is list:
        return isinstance(value, list) and all(fits(v, inner[0], names) for v in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(v, inner[1], names) for v in value.values())
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return value in [member.value for member in hint] or isinstance(value, hint)
    if isinstance(value, dict) and hasattr(hint, "from_json"):  # Some classes keep what they hold as it was.
        read = hint.from_json(value)
        return not [*lost(value, encoded(read), ""), *wrong(read, "")]
    return isinstance(value, hint) if isinstance(hint, type) else True


def wrong(value, place):
    """Every attribute of the SDK's objects that has another type than it should."""
    if isinstance(value, (list, tuple)):
        for i, one in enumerate(value):
            yield from wrong(one, f"{place}[{i}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from wrong(one, f"{place}.{key}")
    elif type(value).__module__.startswith("grafana_foundation_sdk."):
        names = vars(sys.modules[type(value).__module__])
        for name, hint in getattr(type(value), "__annotations__", {}).items():
            one = getattr(value, name)
            if not fits(one, hint, names):
                yield f"{place}.{name}: {one!r} is no {hint}"
            yield from wrong(one, f"{place}.{name}")


def main(path):
    register_default_plugins()
    with open(path, encoding="utf-8") as file:
        before = json.load(file)
    read = dashboard.Dashboard.from_json(before)
    found = list(lost(before, encoded(read), "dashboard")) + list(wrong(read, "dashboard"))
    ids = [panel["id"] for panel in before["panels"]]
    found += [f"two panels have the id {i}" for i in set(ids) if ids.count(i) > 1]
    for line in found:
        print(line)
    print(f"{len(before['panels'])} panels, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
