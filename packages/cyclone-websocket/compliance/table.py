"""Make the table of results.md from the reports of the Autobahn test suite.

Usage: table.py TITLE=INDEX.json [INDEX.json ...]; each title becomes one column.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

SECTIONS = {
    1: "framing",
    2: "pings and pongs",
    3: "reserved bits",
    4: "opcodes",
    5: "fragmentation",
    6: "UTF-8",
    7: "close handling",
    9: "limits and performance",
    10: "auto-fragmentation",
    12: "compression, different payloads",
    13: "compression, different parameters",
}


def load(names: list[str]) -> dict[int, Counter[str]]:
    """How often each verdict, by section; the close behaviour counts as well."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for name in names:
        for cases in json.loads(Path(name).read_text()).values():
            for case, result in cases.items():
                verdict = result["behavior"]
                if result["behaviorClose"] not in ("OK", "INFORMATIONAL"):
                    verdict = f"{case}: {verdict}, close {result['behaviorClose']}"
                elif verdict not in ("OK", "INFORMATIONAL"):
                    verdict = f"{case}: {verdict}"
                found[int(case.partition(".")[0])][verdict] += 1
    return found


def cell(counts: Counter[str]) -> str:
    """One cell: how many of each verdict."""
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())) or "-"


def main(arguments: list[str]) -> None:
    """Print the table."""
    columns: dict[str, list[str]] = {}
    for argument in arguments:
        title, equals, name = argument.rpartition("=")
        if equals:
            columns[title] = [name]
        else:
            columns[list(columns)[-1]].append(name)
    results = {title: load(names) for title, names in columns.items()}
    print("| section | " + " | ".join(results) + " |")
    print("|---|" + "---|" * len(results))
    for number, name in SECTIONS.items():
        cells = " | ".join(cell(counts[number]) for counts in results.values())
        print(f"| {number} {name} | {cells} |")
    totals = [sum((counts[n] for n in SECTIONS), Counter()) for counts in results.values()]
    print("| all | " + " | ".join(cell(total) for total in totals) + " |")


if __name__ == "__main__":
    main(sys.argv[1:])
