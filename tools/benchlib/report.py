"""The report of a run: report.json with every round, report.md for people, a chart a measure."""
import json
import os

import chart
from chart import number

RULE = ("Figures are medians with their range; a ratio is the median of the ratios of one round, "
        "so that both sides were measured within the same minute. The control is measured twice in "
        "a round: where the second over the first is outside 0.95 to 1.05 the machine was too "
        "noisy, and the measure is **void**. CPU time is of the whole machine, generator and hosts "
        "and everything in the kernel included, without other people's processes.")


def write(folder, report):
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        if name.startswith("report.") or name.endswith(".svg"):
            os.remove(os.path.join(folder, name))
    for result in report["measures"]:
        with open(os.path.join(folder, f"{result['key']}.svg"), "w") as target:
            target.write(chart.bars(result))
    with open(os.path.join(folder, "report.json"), "w") as target:
        json.dump(report, target, indent=1)
        target.write("\n")
    with open(os.path.join(folder, "report.md"), "w") as target:
        target.write(markdown(report))


def machine_line(machine):
    kind = "a virtual machine" if machine["virtual"] else "a machine"
    return (f"{machine['cpu']}, {machine['cores']} cores of {kind} with "
            f"{machine['memory_gib']:g} GiB, Linux {machine['kernel']}, {machine['date']}")


def run_line(report):
    rounds = {one["rounds"] for one in report["measures"]} or {0}
    words = " to ".join(map(str, sorted({min(rounds), max(rounds)})))
    quick = " --quick" if report["options"]["quick"] else ""
    return (f"`tools/bench{quick}`: {words} round{'' if words == '1' else 's'}, trials of "
            f"{report['options']['seconds']:g} s, at commit {report['machine']['commit']}, load "
            f"average {report['machine']['load_at_start']:g} before it began")


def markdown(report):
    lines = ["# vxgate and its peers", "", f"{machine_line(report['machine'])}.", "",
             f"{run_line(report)}.", "", RULE, ""]
    if any(one["rounds"] < 5 for one in report["measures"]):
        lines += ["Fewer than five rounds: they show that everything runs, and are no claim.", ""]
    if report["ended"]:
        lines += [f"The run ended early: {report['ended']}.", ""]
    lines += [f"- {name}: left out: {why}" for name, why in report["left_out"].items()]
    for result in report["measures"]:
        lines += ["", f"## {result['experiment']}: {result['title']}", "",
                  f"![{result['title']}]({result['key']}.svg)", "", *_table(result), "",
                  *_verdicts(result)]
    return "\n".join(lines) + "\n"


def _table(result):
    less = "" if result["more_is_better"] else "less is better"
    unit = ", ".join(word for word in (result["unit"], less) if word)
    rows = [f"| | median{f' ({unit})' if unit else ''} | range | CPU ns, {result['packet']} |",
            "| --- | --- | --- | --- |"]
    for one in result["contestants"]:
        if not one["value"]:
            rows.append(f"| {one['name']} | unmeasured: {one['unmeasured']} | | |")
            continue
        value, cpu = one["value"], one["cpu_ns"]
        rows.append(f"| {one['name']} | {number(value['median'])} | {number(value['low'])} to "
                    f"{number(value['high'])} | {number(cpu['median']) if cpu else ''} |")
    if not any(one["cpu_ns"] for one in result["contestants"]):
        rows = [row.rpartition("|")[0].rpartition("|")[0] + "|" for row in rows]
    return rows


def _verdicts(result):
    lines = [f"- {one['of']} / {one['to']}: **{one['median']:.2f}** ({one['low']:.2f} to "
             f"{one['high']:.2f})" for one in result["ratios"]]
    control, others = result.get("control"), result["others"]
    if control:
        lines.append(f"- control: {control_words(control)}")
    if others:
        lines.append(f"- other people's processes kept {others['median']:.1f} cores busy meanwhile "
                     f"({others['low']:.1f} to {others['high']:.1f})")
    lines += [f"- {one['name']}: {remark}" for one in result["contestants"]
              for remark in one["remarks"]]
    return lines + ([f"- {result['about']}"] if result["about"] else [])


def control_words(control):
    if "median" not in control:
        return f"{control['of']} was not measured twice, **void**"
    verdict = ", **void**: too noisy for a claim" if control["void"] else ""
    return f"{control['of']} against itself {control['median']:.2f}{verdict}"
