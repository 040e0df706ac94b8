#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a bench and writes its results: see "make bench".

Every bench is a module here with a function add_options(parser), a function
run(args, results), and the name OURS of the system that the others are
compared with."""

import argparse
import importlib
import os
import signal
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "..", "utilities"))
sys.dont_write_bytecode = True

from fabric_lab import LabError  # noqa: E402
from results import Results  # noqa: E402

BENCHES = ("failover", "grey", "probe", "restart", "tcp")


def main():
    parser = argparse.ArgumentParser(description="Runs a bench.")
    parser.add_argument("--bindir", help="build directory of the switch "
                        "(default: this tree's)")
    parser.add_argument("--results", default="bench-results", metavar="DIR",
                        help="where the results go (default: bench-results)")
    parser.add_argument("--lab", metavar="NAME", help="name of its labs "
                        "(default: benchtcp, benchfail)")
    benches = parser.add_subparsers(dest="bench", metavar="BENCH")
    benches.required = True
    for name in BENCHES:
        module = importlib.import_module(name)
        sub = benches.add_parser(name, help=module.__doc__.split("\n")[0],
                                 description=module.__doc__,
                                 formatter_class=argparse.
                                 RawDescriptionHelpFormatter)
        module.add_options(sub)
        sub.set_defaults(module=module)
    args = parser.parse_args()
    args.lab = args.lab or "bench" + args.bench[:4]

    # So that labs are taken down.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("interrupted"))
    results = Results()
    try:
        args.module.run(args, results)
    except LabError as e:
        results.problem(str(e))
    results.print_tables(args.module.OURS)
    if results.values:
        print("written to " + results.write(args.results, args.bench))
    return 1 if results.problems else 0


if __name__ == "__main__":
    sys.exit(main())
