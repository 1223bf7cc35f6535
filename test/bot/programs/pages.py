# Two bugs of a Python program, fuzzed by Atheris, which writes tracebacks to standard output.
import sys

import atheris


def read_title(data):
    fields = {"author": data[1:]}
    return fields["title"] if data[1] > 64 else fields["author"]


def read_page(data):
    pages = ["first", "second"]
    return pages[data[1]]


@atheris.instrument_func
def test_one_input(data):
    if len(data) < 2:
        return
    if data[:1] == b"T":
        read_title(data)
    if data[:1] == b"P":
        read_page(data)


atheris.Setup(sys.argv, test_one_input)
atheris.Fuzz()
