"""Checks the arithmetic of the bench on figures made up here, and that README.md is generated."""
import sys
import xml.etree.ElementTree as xml

import chart
import rate
import readme
import report
import rounds
from figures import (AGAIN, BenchError, Figure, Measure, Part, best, is_void, ratio, spread,
                     summarise)
from traffic import Trial


def run(root):
    """Status 1 and a line for each check that fails."""
    checks = [(name, one) for name, one in globals().items() if name.startswith("check_")]
    failed = 0
    for name, check in checks:
        try:
            check(*([root] if name == "check_readme_is_generated" else []))
        except (AssertionError, KeyError, TypeError, ValueError, OSError) as error:
            failed += 1
            words = name[len("check_"):].replace("_", " ")
            print(f"bench: self-test: {words}: {error!r}", file=sys.stderr)
    print(f"bench: self-test: {len(checks)} checks, {failed} failed")
    return 1 if failed else 0


def expect(found, wanted):
    assert found == wanted, f"{found!r}, not {wanted!r}"


def _measure(**more):
    return Measure("E9", "e9", {"rate": Part("frames", "kpps")}, dict.fromkeys("ab"), **more)


def _row(**values):
    return {name: Figure({"rate": value}, 10 * value) for name, value in values.items()}


def check_ratios_and_spreads():
    expect(ratio(3, 2), 1.5)
    expect(ratio(3, 0), None)
    expect(ratio(None, 2), None)
    expect(spread([3, None, 1, 2]), {"median": 2, "low": 1, "high": 3})
    expect(spread([None]), None)
    expect((best([2, 3, None], True), best([2, 3], False), best([None], True)), (3, 2, None))


def check_the_void_rule():
    expect([is_void(value) for value in (0.94, 0.95, 1.0, 1.05, 1.06, None)],
           [True, False, False, False, True, True])


def check_ratios_are_paired_by_round():
    # Each round runs at another speed, as on a busy machine; the ratio is 2 in all of them.
    rows = [{**_row(a=2 * speed, b=speed), AGAIN: Figure({"rate": speed})} for speed in (1, 9, 4)]
    result = summarise(_measure(control="b", ratios=(("a", ("b",)),)), "rate", rows)
    expect(result["ratios"], [{"of": "a", "to": "b", "median": 2, "low": 2, "high": 2}])
    expect(result["control"], {"of": "b", "median": 1, "low": 1, "high": 1, "void": False})
    expect(result["contestants"][0]["value"], {"median": 8, "low": 2, "high": 18})
    expect(result["contestants"][0]["cpu_ns"]["median"], 80)


def check_a_noisy_control_voids():
    rows = [{**_row(a=1, b=10), AGAIN: Figure({"rate": again})} for again in (8, 9, 12)]
    expect(summarise(_measure(control="b"), "rate", rows)["control"]["void"], True)


def check_what_failed_is_unmeasured():
    def fails():
        raise BenchError("the wire is cut")
    measure = _measure(control="b", ratios=(("a", ("b",)),))
    measure.takes = {"a": lambda: Figure({"rate": 1}), "b": fails}
    results = rounds.run(measure, 2, lambda _: None, rest=0)
    expect(results[0]["contestants"][1]["unmeasured"], "the wire is cut")
    expect((results[0]["ratios"], results[0]["control"]["void"]), ([], True))
    assert "unmeasured: the wire is cut" in report.markdown(_report(results))


def check_the_search_finds_the_limit():
    def wire(limit, sender):
        def trial(at):
            sent = min(at or sender, sender)
            through = min(sent, limit)
            return Trial(int(sent), round(sent - through), sent, through, 0, 1.0, 0)
        return trial
    for limit, sender, start in ((300e3, 2e6, None), (300e3, 2e6, 500e3), (300e3, 2e6, 90e3),
                                 (5e6, 2e6, None), (40e3, 2e6, 80e3)):
        found = rate.highest(wire(limit, sender), start, 0.03, 60).values["rate"] * 1e3
        true = min(limit, sender)
        assert 0.96 * true <= found <= true, f"{found} for {true} from {start}"


def check_one_hiccup_does_not_end_a_search():
    seen = []

    def trial(at):
        seen.append(at)
        lost = 10 if len(seen) == 2 or at > 100e3 else 0
        return Trial(1000, lost, at, at, 0, 1.0, 0)
    expect(rate.highest(trial, 100e3, 0.03, 30).values["rate"], 100)


def check_a_network_that_loses_everything():
    try:
        rate.highest(lambda at: Trial(10, 10, at or 1e6, 0, 0, 1.0, 0))
    except BenchError:
        return
    raise AssertionError("a rate was found")


def _report(measures):
    return {"machine": {"cpu": "a CPU", "cores": 2, "virtual": True, "memory_gib": 1,
                        "kernel": "6.1", "load_at_start": 0, "commit": "1234567",
                        "date": "2026-01-01"},
            "options": {"pairs": 5, "seconds": 1, "quick": False}, "measures": measures,
            "left_out": {"Open vSwitch": "none here"}, "ended": None}


def check_charts_and_pages():
    rows = [{**_row(a=2, b=1), AGAIN: Figure({"rate": 1})}]
    result = summarise(_measure(control="b", ratios=(("a", ("b",)),)), "rate", rows)
    result["contestants"][0]["name"] = "a < & b"
    picture = xml.fromstring(chart.bars(result))
    widths = [float(bar.get("width")) for bar in picture.iter("{http://www.w3.org/2000/svg}rect")]
    expect(widths[1], 2 * widths[2])
    assert "href" not in chart.bars(result), "a chart is not self-contained"
    text = report.markdown(_report([result]))
    assert "**2.00**" in text and "left out: none here" in text, text
    made = readme.block(readme.figures(_report([result])))
    assert "a: **2.00** of b (2.00 to 2.00)" in made and "Unmeasured in this run: E1" in made, made


def check_numbers():
    expect([chart.number(value) for value in (None, 0, 0.125, 12.34, 1234.5)],
           ["unmeasured", "0", "0.12", "12.3", "1,234"])


def check_readme_is_generated(root):
    assert readme.is_true(root), ("README.md and docs/performance.json differ: "
                                  "run tools/bench --readme REPORT.json")
