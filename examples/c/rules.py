"""A Python program that asks rules written in Ruff, by way of ctypes."""

import ctypes
import sys

rules = ctypes.CDLL(sys.argv[1])

ABI_VERSION = 1
assert rules.ruff_abi_version() == ABI_VERSION

CONTEXT = ctypes.c_void_p
VALUE = ctypes.c_void_p
WRITE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t)


class Options(ctypes.Structure):
    _fields_ = [
        ("output", WRITE),
        ("output_data", ctypes.c_void_p),
        ("arg_count", ctypes.c_int),
        ("args", ctypes.c_void_p),
    ]


class String(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_char)), ("length", ctypes.c_size_t)]

    def text(self):
        return ctypes.string_at(self.data, self.length).decode()


rules.ruff_library_rules.restype = ctypes.c_void_p
rules.ruff_context_new.argtypes = [
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.POINTER(Options),
    ctypes.POINTER(CONTEXT),
]
rules.ruff_context_free.argtypes = [CONTEXT]
rules.ruff_error_message.argtypes = [CONTEXT]
rules.ruff_error_message.restype = ctypes.c_char_p
rules.ruff_rules_add.argtypes = [
    CONTEXT,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.POINTER(ctypes.c_int64),
]
rules.ruff_rules_greeting.argtypes = [
    CONTEXT,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.POINTER(String),
]
rules.ruff_value_int.argtypes = [CONTEXT, ctypes.c_int64]
rules.ruff_value_int.restype = VALUE
rules.ruff_value_release.argtypes = [VALUE]
rules.ruff_rules_show.argtypes = [CONTEXT, VALUE]


def output(_, text, length):
    print("rules:", ctypes.string_at(text, length).decode(), end="")


def check(status):
    if status != 0:
        raise RuntimeError(rules.ruff_error_message(context).decode())


context = CONTEXT()
options = Options(WRITE(output), None, 0, None)
check(rules.ruff_context_new(rules.ruff_library_rules(), ABI_VERSION, options, context))

total = ctypes.c_int64()
check(rules.ruff_rules_add(context, 40, 2, total))
print(total.value)

greeting = String()
name = "Python ❤".encode()
check(rules.ruff_rules_greeting(context, name, len(name), greeting))
print(greeting.text())

value = rules.ruff_value_int(context, 7)
check(rules.ruff_rules_show(context, value))
rules.ruff_value_release(value)

try:
    check(rules.ruff_rules_add(context, 2**63 - 1, 1, total))
except RuntimeError as error:
    print("error:", error)

rules.ruff_context_free(context)
