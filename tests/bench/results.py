# SPDX-License-Identifier: Apache-2.0
"""The results of a bench: collected, summarised, printed, written."""

import json
import os
import statistics


class Results:
    """Values by (case, metric, unit, system), in the order of their first
    appearance."""

    def __init__(self):
        self.values = {}
        self.problems = []

    def add(self, case, metric, unit, system, value):
        self.values.setdefault((case, metric, unit, system),
                               []).append(value)

    def problem(self, text):
        print("problem: " + text, flush=True)
        self.problems.append(text)

    def rows(self):
        return [{"case": case, "metric": metric, "unit": unit,
                 "system": system, "median": statistics.median(values),
                 "min": min(values), "max": max(values), "n": len(values)}
                for (case, metric, unit, system), values
                in self.values.items()]

    def write(self, directory, name):
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, name + ".json")
        with open(path, "w") as f:
            json.dump(self.rows(), f, indent=1)
            f.write("\n")
        return path

    def print_tables(self, ours):
        """One table for each case and metric.  Its last column is what
        'ours', a system, has as a multiple of each system's median."""
        tables = {}
        for row in self.rows():
            title = "%s: %s, %s" % (row["case"], row["metric"], row["unit"])
            tables.setdefault(title, []).append(row)
        for title, rows in tables.items():
            base = [r["median"] for r in rows if r["system"] == ours]
            print("\n%s\n" % title)
            print("  %-16s %10s %10s %10s %4s  %s" % (
                "system", "median", "min", "max", "n", ours + " is"))
            for r in rows:
                ratio = ("%.2fx" % (base[0] / r["median"])
                         if base and r["median"] else "-")
                print("  %-16s %10.3f %10.3f %10.3f %4d  %s" % (
                    r["system"], r["median"], r["min"], r["max"], r["n"],
                    ratio))
        print()
