"""The figures in README.md: made from a report, kept small in docs/performance.json."""
import json
import os

from chart import number
from report import machine_line, run_line

BEGIN = "<!-- performance: written by tools/bench --readme from docs/performance.json -->"
END = "<!-- end of performance -->"
COLUMNS = ("vxgate", "vxgate, tap underlay", "vxgate, packet sockets", "kernel", "kernel, RPS",
           "Open vSwitch")
PACKET = COLUMNS[2]


def figures(report):
    """What of a report the README shows, and nothing else."""
    measures = []
    for result in report["measures"]:
        one = {key: result[key] for key in ("experiment", "title", "unit", "more_is_better",
                                           "rounds")}
        one["contestants"] = [
            {"name": row["name"], "median": _round(row["value"] and row["value"]["median"]),
             "cpu_ns": _round(row["cpu_ns"] and row["cpu_ns"]["median"])}
            for row in result["contestants"]]
        # Those of the packet sockets are in the report; a line here has room for two of ours.
        one["ratios"] = [{key: _round(ratio[key]) for key in ("of", "to", "median", "low", "high")}
                         for ratio in result["ratios"] if ratio["of"] != PACKET]
        one["others"] = _round(result["others"] and result["others"]["median"])
        control = result.get("control")
        one["control"] = control and {"of": control["of"], "median": _round(control.get("median")),
                                      "void": control["void"]}
        measures.append(one)
    return {"machine": report["machine"], "options": report["options"],
            "left_out": report["left_out"], "measures": measures}


def _round(value):
    return float(f"{value:.4g}") if isinstance(value, (int, float)) else value


def block(kept):
    """The part of README.md between the two marks."""
    lines = [BEGIN, f"Measured on {machine_line(kept['machine'])}; {run_line(kept)}."]
    if any(one["rounds"] < 5 for one in kept["measures"]):
        lines.append("So few rounds show that everything runs; they are no claim.")
    lines += [f"{name} was left out: {why}." for name, why in kept["left_out"].items()]
    others = [one["others"] for one in kept["measures"] if one["others"] is not None]
    if others:
        lines.append(f"Other people's processes kept {min(others):.1f} to {max(others):.1f} cores "
                     "busy meanwhile.")
    named = {row["name"] for one in kept["measures"] for row in one["contestants"]}
    columns = [name for name in COLUMNS if name in named]
    lines += ["", "| | " + " | ".join(columns) + " | ratios of the same round | control |",
              "| --- " * (len(columns) + 3) + "|"]
    for one in kept["measures"]:
        rows = {row["name"]: row for row in one["contestants"]}
        # Measures of one make alone, as E6, have a cell over all columns for their contestants.
        cells = ([_figure(rows[name]) if name in rows else "" for name in columns]
                 if set(rows) <= set(columns) else
                 ["; ".join(f"{name} {_figure(row)}" for name, row in rows.items())]
                 + [""] * (len(columns) - 1))
        lines.append(f"| {_title(one)} | {' | '.join(cells)} | "
                     f"{'; '.join(_ratio(ratio, one['control']) for ratio in one['ratios'])} | "
                     f"{_control(one['control'])} |")
    measured = {one["experiment"] for one in kept["measures"]}
    missing = [f"E{number}" for number in range(1, 8) if f"E{number}" not in measured]
    if missing:
        lines += ["", f"Unmeasured in this run: {', '.join(missing)}."]
    return "\n".join([*lines, "", END])


def _title(one):
    unit = f", {one['unit']}" if one["unit"] else ""
    less = "" if one["more_is_better"] else ", less is better"
    return f"{one['experiment']}: {one['title']}{unit}{less}"


def _figure(row):
    cpu = f" ({number(row['cpu_ns'])} ns)" if row["cpu_ns"] is not None else ""
    return f"{number(row['median'])}{cpu}"


def _ratio(ratio, control):
    """In bold where the control does not void it."""
    to = "the better kernel" if ratio["to"].count("kernel") > 1 else ratio["to"]
    ours = "" if ratio["of"] == COLUMNS[0] else f"{ratio['of']}: "
    bold = "" if control and control["void"] else "**"
    return (f"{ours}{bold}{ratio['median']:.2f}{bold} of {to} "
            f"({ratio['low']:.2f} to {ratio['high']:.2f})")


def _control(control):
    if not control:
        return "none"
    if control["median"] is None:
        return "void: not measured twice"
    return f"{control['median']:.2f}{', void' if control['void'] else ''}"


def between_marks(text):
    """(before, block, after) of a README; the marks belong to the block."""
    before, begin, rest = text.partition(BEGIN)
    inner, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md has no lines `{BEGIN}` and `{END}`")
    return before, begin + inner + end, after


def _paths(root):
    return os.path.join(root, "README.md"), os.path.join(root, "docs", "performance.json")


def write(root, report):
    page, store = _paths(root)
    kept = figures(report)
    with open(page, encoding="utf-8") as source:
        before, _, after = between_marks(source.read())
    with open(store, "w", encoding="utf-8") as target:
        json.dump(kept, target, indent=1)
        target.write("\n")
    with open(page, "w", encoding="utf-8") as target:
        target.write(before + block(kept) + after)


def is_true(root):
    """Whether README.md shows what docs/performance.json holds."""
    page, store = _paths(root)
    with open(page, encoding="utf-8") as text, open(store, encoding="utf-8") as kept:
        return between_marks(text.read())[1] == block(json.load(kept))
