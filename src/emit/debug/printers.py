"""Shows values of Ruff programs in gdb.

Load it with `source`, or start gdb with `-x`.  It knows programs by their debug
information alone, so it does not matter which ruffc has made them.
"""

import gdb
import gdb.printing

MOST_ELEMENTS = 200
MOST_TEXT = 10000

VALUE = "ruff_value"
APART = "ruff_apart."


def named(name):
    """The type of that name; `ruff_` types are structs, unions and enums."""
    return gdb.lookup_type(name)


def value_at(address):
    return gdb.Value(address).cast(named("struct ruff_value").pointer()).dereference()


def text_of(pointer):
    length = min(int(pointer["len"]), MOST_TEXT)
    start = int(pointer) + member_offset(pointer, "text")
    data = gdb.selected_inferior().read_memory(start, length) if length else b""
    text = bytes(data).decode("utf-8", "replace")
    return text if length == int(pointer["len"]) else text + "..."


def member_offset(pointer, name):
    return pointer.type.target().strip_typedefs()[name].bitpos // 8


def names():
    """Identifiers by their numbers; the program has them, its modules' objects do not."""
    try:
        fields = named("enum ruff_name").fields()
    except gdb.error:
        return {}
    return {int(field.enumval): field.name.split(".", 1)[1] for field in fields}


class Unset:
    """A variable that was not set yet, or whose value was moved to its last user."""

    def to_string(self):
        return "<unset>"


class Plain:
    """An object of which only the kind is shown."""

    def __init__(self, name):
        self.name = name

    def to_string(self):
        return "<%s>" % self.name


class String:
    def __init__(self, pointer):
        self.pointer = pointer

    def to_string(self):
        return '"%s"' % text_of(self.pointer).replace("\\", "\\\\").replace('"', '\\"')


class Array:
    def __init__(self, pointer):
        self.pointer = pointer

    def to_string(self):
        return "array of %d" % int(self.pointer["len"])

    def children(self):
        kind = int(self.pointer["flags"])
        name = {0: "struct ruff_value", 1: "int", 2: "float", 3: "bool"}.get(kind)
        if name is None:
            # Structs that lie flat: only code that shows no variables makes them.
            return
        element = named(name) if kind == 0 else ruff_base(name)
        data = self.pointer["data"].cast(element.pointer())
        for index in range(min(int(self.pointer["len"]), MOST_ELEMENTS)):
            yield str(index), (data + index).dereference()

    def display_hint(self):
        return "array"


class Dict:
    def __init__(self, pointer):
        self.pointer = pointer

    def to_string(self):
        return "dict of %d" % int(self.pointer["len"])

    def children(self):
        entry = self.pointer["entries"]
        left = min(int(self.pointer["len"]), MOST_ELEMENTS)
        while left > 0:
            one = entry.dereference()
            entry += 1
            # What was removed leaves an unset key.
            if int(one["key"]["tag"]) == 0:
                continue
            left -= 1
            yield "key", one["key"]
            yield "value", one["value"]

    def display_hint(self):
        return "map"


class Struct:
    def __init__(self, pointer):
        self.pointer = pointer
        self.shape = pointer["shape"].dereference()
        self.names = names()

    def to_string(self):
        return self.names.get(int(self.shape["name"]), "struct")

    def children(self):
        start = int(self.pointer) + member_offset(self.pointer, "fields")
        for index in range(int(self.shape["count"])):
            value = value_at(start + 16 * index)
            if int(value["tag"]) != 0:
                number = int((self.shape["fields"] + index).dereference())
                yield self.names.get(number, "field%d" % index), value


class Apart:
    """A struct that a variable holds as its fields."""

    def __init__(self, value, name):
        self.value = value
        self.name = name

    def to_string(self):
        return self.name

    def children(self):
        for field in self.value.type.strip_typedefs().fields():
            yield field.name, self.value[field]


class Variant:
    def __init__(self, pointer):
        self.pointer = pointer

    def to_string(self):
        kind = int(self.pointer["flags"])
        if kind < 4:
            return ["Ok", "Err", "Some", "None"][kind]
        return "%s::%s" % (text_of(self.pointer["enum_name"]), text_of(self.pointer["name"]))

    def children(self):
        start = int(self.pointer) + member_offset(self.pointer, "values")
        for index in range(int(self.pointer["len"])):
            yield str(index), value_at(start + 16 * index)


class Value:
    """A value whose kind is known when the program runs."""

    def __init__(self, value):
        self.tag = str(value["tag"])
        self.value = value

    def object(self):
        kind = "struct ruff_" + self.tag[len("tag_"):]
        return self.value["payload"]["object"].cast(named(kind).pointer())

    def to_string(self):
        payload = self.value["payload"]
        if self.tag == "tag_unset":
            return "<unset>"
        if self.tag == "tag_null":
            return "null"
        if self.tag == "tag_builtin":
            return "<builtin>"
        if self.tag in ("tag_int", "tag_float", "tag_bool"):
            return payload[self.tag[len("tag_"):]]
        return self.object()


def ruff_base(name):
    """A basic type of Ruff, which C may have another one of."""
    members = named("union ruff_payload").fields()
    return next(member.type for member in members if member.name == name)


OBJECTS = {
    "ruff_string": String,
    "ruff_array": Array,
    "ruff_dict": Dict,
    "ruff_struct": Struct,
    "ruff_variant": Variant,
}


def lookup(value):
    kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_STRUCT and kind.name == VALUE:
        return Value(value)
    if kind.code == gdb.TYPE_CODE_STRUCT and (kind.name or "").startswith(APART):
        return Apart(value, kind.name[len(APART):])
    if kind.code != gdb.TYPE_CODE_PTR:
        return None
    name = kind.target().strip_typedefs().name
    if name is None or not name.startswith("ruff_"):
        return None
    if int(value) == 0:
        return Unset()
    if name in OBJECTS:
        return OBJECTS[name](value)
    return Plain(name[len("ruff_"):].replace("_", " "))


lookup.name = "ruff"
lookup.enabled = True
gdb.printing.register_pretty_printer(None, lookup, replace=True)
