"""Reads messages by libraries that are none of ours, and prints what their lines say.

Called by cross_check.rs with a directory of files: *.x12 and *.edi, and the answers to them, *.997 and *.contrl. What
the libraries themselves find wrong ends the program.
"""

import json
import sys
import warnings
from pathlib import Path

import pyx12.x12file
from pydifact.segmentcollection import Interchange

warnings.simplefilter("ignore")


def x12_segments(path):
    reader = pyx12.x12file.X12Reader(str(path))
    segments = []
    for segment in reader:
        text = segment.format(seg_term="", ele_term="\x01", subele_term="\x02")
        segments.append(text.split("\x01"))
    reader.cleanup()
    errors = reader.pop_errors()
    assert not errors, (path, errors)
    return segments


def line(date, seller, buyer, name, country, product, level, invoice, returned, serials):
    kind = "return" if returned else "sale"
    return [
        [date, seller, buyer, name, country, product, level, invoice, serial, "1", kind] for serial in serials or [""]
    ]


def x12_lines(path):
    loops = []
    for segment in x12_segments(path):
        if segment[0] == "PTD":
            loops.append([])
        if segment[0] in ("CTT", "SE"):
            loops.append(None)
        if loops and loops[-1] is not None:
            loops[-1].append(segment)
    lines = []
    for loop in filter(None, loops):
        def value(tag, first, number, loop=loop):
            for segment in loop:
                if segment[0] == tag and first in (None, segment[1]):
                    return segment[number] if len(segment) > number else ""
            return ""

        items = next(segment for segment in loop if segment[0] == "LIN")
        pairs = dict(zip(items[2::2], items[3::2] + [""]))
        serials = [segment[2] for segment in loop if segment[:2] == ["REF", "SE"]]
        lines += line(
            value("DTM", "003", 2), value("N1", "BY", 4), value("N1", "EN", 4), value("N1", "EN", 2),
            value("N4", None, 4), pairs.get("VP", ""), pairs.get("ZZ", ""), value("PTD", None, 5),
            value("QTY", None, 1) == "76", serials,
        )
    return lines


def edifact(path):
    return Interchange.from_str(path.read_bytes().decode("latin-1"))


def edifact_lines(path):
    def part(element, number):
        parts = element if isinstance(element, list) else [element]
        return parts[number] if len(parts) > number else ""

    lines = []
    for message in edifact(path).get_messages():
        loops = []
        for segment in message.segments:
            if segment.tag == "LOC":
                loops.append([])
            if loops and segment.tag != "CNT":
                loops[-1].append(segment)
        for loop in loops:
            def element(tag, first, number, component=0, loop=loop):
                for segment in loop:
                    if segment.tag == tag and part(segment.elements[0], 0) == first:
                        return part(segment.elements[number], component) if len(segment.elements) > number else ""
                return ""

            serials = [
                part(s.elements[0], 1) for s in loop if s.tag == "RFF" and part(s.elements[0], 0) == "SE"
            ]
            lines += line(
                element("DTM", "3", 0, 1), element("LOC", "162", 1), element("NAD", "UC", 1),
                element("NAD", "UC", 3), element("NAD", "UC", 8), element("PIA", "1", 1), element("PIA", "5", 1),
                element("RFF", "IV", 0, 1), any(part(s.elements[0], 0) == "77" for s in loop if s.tag == "QTY"),
                serials,
            )
    return lines


found = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    if path.suffix == ".x12":
        found[path.name] = x12_lines(path)
    elif path.suffix == ".edi":
        found[path.name] = edifact_lines(path)
    elif path.suffix == ".997":
        tags = [segment[0] for segment in x12_segments(path)]
        assert tags[:4] == ["ISA", "GS", "ST", "AK1"] and tags[-4:] == ["AK9", "SE", "GE", "IEA"], (path, tags)
    elif path.suffix == ".contrl":
        answer = edifact(path)
        assert [message.type for message in answer.get_messages()] == ["CONTRL"], path
        count = next(segment for segment in answer.segments if segment.tag == "UNT")
        inner = [s.tag for s in answer.segments if s.tag not in ("UNA", "UNB", "UNZ")]
        assert int(count.elements[0]) == len(inner) and inner[1] == "UCI", (path, inner)
print(json.dumps(found))
