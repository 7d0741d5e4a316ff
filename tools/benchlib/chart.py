"""Bars in a self-contained SVG: a median each, its range as a line, readable on light and dark."""
from xml.sax.saxutils import escape

WIDTH, LABEL, VALUE, BAR, STEP, TOP = 760, 230, 100, 16, 26, 34
STYLE = ("text{font:13px sans-serif;fill:#24292f}.title{font-weight:600}.ours{fill:#2f6feb}"
         ".other{fill:#8c959f}.range{stroke:#24292f;stroke-width:1.5}rect.page{fill:#fff}"
         "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.range{stroke:#e6edf3}"
         "rect.page{fill:#0d1117}}")


def number(value):
    """Three digits that mean something, thousands with commas."""
    if value is None:
        return "unmeasured"
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def bars(result):
    """One measure of a report as SVG."""
    rows = result["contestants"]
    longest = max((row["value"]["high"] for row in rows if row["value"]), default=0) or 1
    height = TOP + STEP * len(rows) + 10
    scale = (WIDTH - LABEL - VALUE) / longest
    void = " (VOID: too noisy)" if result.get("control", {}).get("void") else ""
    title = f"{result['experiment']}: {result['title']}{', ' if result['unit'] else ''}"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             f'width="{WIDTH}" height="{height}">', f"<style>{STYLE}</style>",
             f'<rect class="page" width="{WIDTH}" height="{height}"/>',
             f'<text class="title" x="8" y="20">{escape(title + result["unit"] + void)}</text>']
    for place, row in enumerate(rows):
        y = TOP + STEP * place
        lines.append(f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">'
                     f'{escape(row["name"])}</text>')
        end = LABEL
        if row["value"]:
            median, low, high = (row["value"][key] for key in ("median", "low", "high"))
            kind = "ours" if row["name"].startswith("vxgate") else "other"
            middle, end = y + BAR / 2, LABEL + high * scale
            lines.append(f'<rect class="{kind}" x="{LABEL}" y="{y}" height="{BAR}" '
                         f'width="{max(median * scale, 0):.1f}"/>')
            lines.append(f'<line class="range" x1="{LABEL + low * scale:.1f}" x2="{end:.1f}" '
                         f'y1="{middle}" y2="{middle}"/>')
        said = number(row["value"] and row["value"]["median"])
        lines.append(f'<text x="{end + 8:.1f}" y="{y + 13}">{said}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"
