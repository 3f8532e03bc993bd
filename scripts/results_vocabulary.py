"""The functions that expressions in scripts/results/*.md may call: forms of figures, and reducers of lists of them."""
import math
import statistics

from results_template import DASH, form

SCALES = {"f": 1e15, "p": 1e12, "n": 1e9, "u": 1e6, "m": 1e3, "k": 1e-3}


def si(value, unit, spec=".3g"):
    """A figure in `unit`, which may have a prefix, from one in the unit without it: si(2e-9, "nW") is "2 nW"."""
    if value is None:
        return DASH
    scale = 100 if unit == "%" else SCALES.get(unit[0], 1) if len(unit) > 1 else 1
    return f"{scale * value:{spec}} {unit}"


def percent(value, spec=".2f"):
    return si(value, "%", spec)


def span(values, unit="%", spec=".2f", sides=1):
    """The least and the most of `values`; the unit stands once where `sides` is 1."""
    low, high = si(min(values), unit, spec), si(max(values), unit, spec)
    return f"{low if sides == 2 else low.removesuffix(' ' + unit)} to {high}"


def spread(values, unit="%", spec=".2f"):
    """Mean and range."""
    return f"{si(statistics.mean(values), unit, spec)} ({span(values, unit, spec, 2)})"


def nonempty(reduce):
    """A reducer that gives None, a dash, where there is nothing to reduce."""
    def reduced(values):
        known = [value for value in values if value is not None]
        return reduce(known) if known else None
    return reduced


def rms(values):
    return math.sqrt(statistics.fmean(value * value for value in values))


def group(rows, *keys):
    """Rows by the value of a key, or by the values of several, in the order in which they first come."""
    groups = {}
    for row in rows:
        groups.setdefault(row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys), []).append(row)
    return groups


def relative_fit(pairs):
    """Slope, offset and worst residual of the line through (x, y) with the least sum of squares of residuals over x."""
    if len({x for x, _ in pairs}) < 2:
        return {"slope": None, "offset": None, "worst": None}
    inverse, ratios = [1 / x for x, _ in pairs], [y / x for x, y in pairs]  # y / x = slope + offset / x
    offset, slope = statistics.linear_regression(inverse, ratios)
    worst = max(abs(v - slope - offset * u) for u, v in zip(inverse, ratios))
    return {"slope": slope, "offset": offset, "worst": worst}


VOCABULARY = {
    "abs": abs, "all": all, "any": any, "enumerate": enumerate, "float": float, "int": int, "len": len, "max": max,
    "min": min, "range": range, "round": round, "sorted": sorted, "str": str, "sum": sum, "zip": zip,
    "comb": math.comb, "inf": math.inf, "sqrt": math.sqrt,
    "mean": nonempty(statistics.mean), "median": nonempty(statistics.median), "rms": nonempty(rms),
    "least_of": nonempty(min), "most_of": nonempty(max),
    "si": si, "percent": percent, "span": span, "spread": spread, "form": form, "dash": DASH,
    "items": lambda mapping: list(mapping.items()), "keys": list, "values": lambda mapping: list(mapping.values()),
    "get": lambda mapping, key, other=None: mapping.get(key, other),
    "join": lambda between, values: form(list(values), "", between),
    "least": lambda rows, key: min(rows, key=lambda row: row[key]),
    "nearest": lambda rows, key, value: min(rows, key=lambda row: abs(row[key] - value)),
    "most": lambda rows, key: max(rows, key=lambda row: row[key]),
    "sort": lambda rows, key, descending=False: sorted(rows, key=lambda row: row[key], reverse=descending),
    "group": group, "relative_fit": relative_fit,
}
