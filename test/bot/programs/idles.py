# A target of Atheris without bugs, which fuzzes until it is stopped.
import sys

import atheris


@atheris.instrument_func
def test_one_input(data):
    if data[:1] == b"A" and data[1:2] == b"B":
        sum(data)


atheris.Setup(sys.argv, test_one_input)
atheris.Fuzz()
