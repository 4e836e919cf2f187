#!/usr/bin/python3
"""Checks the rooms of ext and vec against tests/rooms.tsv: who includes whom, circles of files, sizes.

Prints what breaks a rule, a line each; exit code 1 if anything did.
"""
import collections
import os
import re
import subprocess
import sys

MOST_FILES, MOST_LINES = 15, 5000
INCLUDE = re.compile(r'^#include ["<]([^">]+)[">]', re.M)
ROOTS = ("ext", ".")  # the compiler's -Iext -I.
PUBLIC = "ext/llmcost.h"  # for everybody


def read_rules():
    """{room: rooms below it} and {library: rooms that may include it}."""
    below, libraries = {}, collections.defaultdict(set)
    for line in open("tests/rooms.tsv"):
        if line.startswith("#") or not line.strip():
            continue
        room, libs, rooms = line.rstrip("\n").split("\t")
        for lib in libs.split():
            libraries[lib].add(room)
        below[room] = set() if rooms == "-" else set(rooms.split())
    return below, libraries


def find(include):
    """The file of ours that is included, or None."""
    paths = (os.path.normpath(os.path.join(root, include)) for root in ROOTS)
    return next((p for p in paths if os.path.isfile(p)), None)


def module(path):
    """A C file and its headers, index_internal.h with index.h."""
    return re.sub(r"(_internal)?\.[ch]$", "", path)


def circle(graph):
    """Some way round, or None."""
    done, way = set(), []

    def visit(node):
        if node in way:
            return way[way.index(node):] + [node]
        if node in done:
            return None
        way.append(node)
        found = next(filter(None, map(visit, sorted(graph.get(node, ())))), None)
        way.pop()
        done.add(node)
        return found

    return next(filter(None, map(visit, sorted(graph))), None)


def main():
    below, libraries = read_rules()
    files = subprocess.run(["git", "ls-files", "ext/*.[ch]", "vec/*.[ch]", "sql/*.h"], check=True,
                           capture_output=True, text=True).stdout.split()
    said, modules, size = [], collections.defaultdict(set), collections.defaultdict(lambda: [0, 0])
    for path in filter(os.path.isfile, files):
        room, text = os.path.dirname(path), open(path).read()
        size[room][0] += 1
        size[room][1] += text.count("\n")
        if room not in below:
            said.append(f"{path}: the room {room} does not stand in tests/rooms.tsv")
            continue
        for include in INCLUDE.findall(text):
            theirs = find(include)
            if theirs == PUBLIC:
                continue
            lib = re.match(r"sqlite3|curl|(?=)", include).group()
            if theirs and os.path.dirname(theirs) not in below[room] | {room}:
                said.append(f"{path}: {room} may not include {theirs}")
            elif not theirs and lib and room not in libraries[lib]:
                said.append(f"{path}: {room} may not include <{include}>")
            if theirs and module(theirs) != module(path):
                modules[module(path)].add(module(theirs))
    for what, way in (("rooms", circle(below)), ("files", circle(modules))):
        if way:
            said.append(f"a circle of {what}: " + " → ".join(way))
    for room, (n, lines) in size.items():
        if n > MOST_FILES or lines > MOST_LINES:
            said.append(f"{room}: {n} files, {lines} lines: more than {MOST_FILES} or {MOST_LINES} are several rooms")
    for line in said:
        print("lint: " + line)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
