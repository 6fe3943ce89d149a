"""The process that makes decoders, whose signal may come while it handles the same signal."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_TWO_ENDS = """
import os
from image_similarity.inference.decoders.zygote import Zygote

zygote = Zygote.__new__(Zygote)
zygote._running, zygote._ended = {}, {}
for number in (1, 2):
    pid = os.fork()
    if pid == 0:
        os._exit(number)
    zygote._running[pid] = number
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
convert = os.waitstatus_to_exitcode

def interrupted(status):
    os.waitstatus_to_exitcode = convert
    zygote._collect()
    return convert(status)

os.waitstatus_to_exitcode = interrupted
zygote._collect()
print(sorted(zygote._ended.items()), zygote._running)
"""


def test_the_end_of_a_decoder_while_another_ones_is_noted() -> None:
    command = [sys.executable, "-c", _TWO_ENDS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.returncode) == ("[(1, 1), (2, 2)] {}\n", 0), done.stderr
