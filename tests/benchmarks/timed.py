#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times programs that take turns.
timed.py run LIST COMMAND...   runs it and appends its time by the clock and that of the processor, with its children's, in seconds, to the file LIST
timed.py report DIR NAME...    of the lists DIR/NAME.ours and DIR/NAME.RIVAL: the middle of each, least and most, and the rival's by ours
"""
import glob
import resource
import statistics
import subprocess
import sys
import time


def run(path, command):
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(path, 'a') as file:
        file.write(f'{wall:.4f} {used.ru_utime + used.ru_stime:.4f}\n')


def rows(path):
    with open(path) as file:
        return list(zip(*(map(float, line.split()) for line in file)))


def spread(values):
    return f'{statistics.median(values):7.3f} ({min(values):.3f} to {max(values):.3f})'


def report(folder, names):
    for name in names:
        ours = rows(f'{folder}/{name}.ours')
        for path in sorted(glob.glob(f'{glob.escape(folder)}/{name}.*')):
            rival = path.rsplit('.', 1)[1]
            if rival == 'ours':
                continue
            theirs = rows(path)
            parts = [f'{what} {spread(o)}, {rival} {spread(t)}: {statistics.median(t) / statistics.median(o):6.2f}'
                     for what, o, t in zip(('clock', 'cpu'), ours, theirs)]
            print(f'{name:15}', '   '.join(parts))


if sys.argv[1] == 'run':
    run(sys.argv[2], sys.argv[3:])
else:
    report(sys.argv[2], sys.argv[3:])
