#!/usr/bin/python3
"""Times one training step of the hardware backbone (docs/benchmarks.md) here and in PyTorch: time ratios by width.

PyTorch runs the quicker of two forms of the recurrence, a loop over frames and a doubling scan. Both sides use two
threads, in one run. Needs the target hysteron_bench and Debian's python3-torch; --install gets the latter.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

THREADS = 2
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)

TOP = pathlib.Path(__file__).resolve().parent.parent
BATCH, FRAMES, INPUTS, LAYERS, OUTPUTS, CLIPS = 256, 101, 13, 2, 2, 1024
WIDTHS = (4, 64, 256)
EPSILON, DROPOUT = 0.5, 0.2


def choose_kernels():
    """OpenBLAS takes processors younger than itself for the oldest it knows (docs/notes/openblas-kernels.md); Hysteron
    chooses the kernel by what the processor can do, and PyTorch shall have the same."""
    flags = set(pathlib.Path("/proc/cpuinfo").read_text().split())
    if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags:
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
    elif {"avx2", "fma"} <= flags:
        os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")


def install():
    """Installs HYSTERON_COMPARE_PACKAGES of scripts/packages.sh."""
    script = 'source scripts/packages.sh && install_packages "${HYSTERON_COMPARE_PACKAGES[@]}"'
    subprocess.run(["bash", "-c", script], cwd=TOP, check=True, stdout=sys.stderr)


def our_times(program, seconds):
    """Median of three repetitions, ms per step by width, and the peak resident set in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "bench.json"
        subprocess.run([program, "--json", output, "--benchmark_filter=^training_step/",
                        f"--benchmark_min_time={seconds}", "--benchmark_repetitions=3"],
                       check=True, stdout=subprocess.DEVNULL)
        runs = json.loads(output.read_text())["benchmarks"]
    times, peak = {}, 0.0
    for run in runs:
        width = run["run_name"].split("/")[1]
        if run["run_type"] == "iteration":
            peak = max(peak, run["peak_rss_mib"])
        elif run["aggregate_name"] == "median":
            times[width] = run["real_time"]
    return times, peak


def define_network(torch):
    """The backbone of design.md section 2 as a PyTorch module."""
    nn, functional = torch.nn, torch.nn.functional

    class Step(torch.autograd.Function):
        """H(x), whose derivative counts as 1 / (1 + (pi x)^2)."""

        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return (x >= 0).to(x.dtype)

        @staticmethod
        def backward(context, gradient):
            (x,) = context.saved_tensors
            return gradient / (1.0 + (torch.pi * x) ** 2)

    def loop_scan(a, b):
        """s_t = a_t s_{t-1} + b_t along dimension 0, frame by frame."""
        state, states = torch.zeros_like(b[0]), []
        for factor, term in zip(a.unbind(0), b.unbind(0)):
            state = torch.addcmul(term, factor, state)
            states.append(state)
        return torch.stack(states)

    def doubling_scan(a, b):
        """The same in log2(frames) passes over all frames (Hillis and Steele 1986)."""
        shift = 1
        while shift < len(a):
            b = torch.cat([b[:shift], torch.addcmul(b[shift:], a[shift:], b[:-shift])])
            a = torch.cat([a[:shift], a[shift:] * a[:-shift]])
            shift *= 2
        return b

    class Layer(nn.Module):
        def __init__(self, width, scan):
            super().__init__()
            self.scan = scan
            self.candidate, self.output = nn.Linear(width, width), nn.Linear(width, width)
            for parameter in self.parameters():
                parameter.data.abs_()
            self.lower = nn.Parameter(0.5 * torch.randn(width).abs())
            self.width = nn.Parameter(0.5 * torch.randn(width).abs())
            bound = (6.0 / width) ** 0.5
            self.gain = nn.Parameter((torch.rand(width) * 2 * bound - bound).abs())

        def forward(self, v):
            candidate = functional.relu(self.candidate(functional.relu(v)))
            lower = self.lower.abs()
            z_hi = Step.apply(candidate - (lower + self.width.abs()))
            hold = Step.apply(candidate - lower) * (1.0 - z_hi)
            # s_t = hold s_{t-1} + (1 - hold)(z_hi + epsilon s_{t-1})
            reset = 1.0 - hold
            state = self.scan(hold + EPSILON * reset, reset * z_hi)
            out = functional.relu(self.output(self.gain.abs() * state))
            return v + functional.dropout(out, DROPOUT, self.training)

    class Backbone(nn.Module):
        def __init__(self, width, scan):
            super().__init__()
            self.input, self.readout = nn.Linear(INPUTS, width), nn.Linear(width, OUTPUTS)
            self.layers = nn.Sequential(*[Layer(width, scan) for _ in range(LAYERS)])

        def forward(self, x):
            return self.readout(self.layers(self.input(x)))

    return Backbone, {"loop": loop_scan, "doubling": doubling_scan}


def make_step(torch, backbone, width, scan):
    """A function that makes one training step on a fresh batch."""
    torch.manual_seed(1)
    network = backbone(width, scan)
    decays = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim == 1]
    groups = [{"params": decays, "weight_decay": 1e-4}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1e-3, foreach=True)
    clips, labels = torch.randn(FRAMES, CLIPS, INPUTS), torch.arange(CLIPS) % OUTPUTS

    def step():
        chosen = torch.randint(CLIPS, (BATCH,))
        logits = network(clips[:, chosen])
        targets = labels[chosen].expand(FRAMES, BATCH)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()

    return step


def time_step(step, seconds):
    """Median ms of steps made for about `seconds`, at least three, after one that warms up."""
    step()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - begin))
    return sorted(times)[len(times) // 2]


def check_scans(torch, scans):
    """Both forms compute the same."""
    a, b = torch.rand(FRAMES, 3), torch.rand(FRAMES, 3)
    if not torch.allclose(scans["loop"](a, b), scans["doubling"](a, b), atol=1e-4):
        sys.exit("compare_pytorch.py: the two forms of the scan differ")


def compare(options):
    import torch  # after the thread count is set and after --install

    torch.set_num_threads(THREADS)
    backbone, scans = define_network(torch)
    check_scans(torch, scans)
    ours, peak = our_times(options.program, options.seconds)
    result = {"ratio": {}, "hysteron_ms": ours, "pytorch_ms": {}, "scan": {}, "pytorch_forms_ms": {},
              "hysteron_peak_rss_mib": peak, "threads": THREADS, "torch": torch.__version__}
    for width in WIDTHS:
        key = str(width)
        forms = {name: time_step(make_step(torch, backbone, width, scan), options.seconds)
                 for name, scan in scans.items()}
        best = min(forms, key=forms.get)
        result["pytorch_forms_ms"][key], result["scan"][key] = forms, best
        result["pytorch_ms"][key] = forms[best]
        result["ratio"][key] = forms[best] / ours[key]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--install", action="store_true", help="install the packages PyTorch needs first")
    parser.add_argument("--as-installed", action="store_true",
                        help="leave PyTorch the kernels that its OpenBLAS takes by itself, not those Hysteron chooses")
    parser.add_argument("--program", default=TOP / "build/release/bench/hysteron_bench", help="our benchmark program")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measurement")
    options = parser.parse_args()
    if options.install:
        install()
    if not options.as_installed:
        choose_kernels()  # before torch is loaded
    if not pathlib.Path(options.program).is_file():
        sys.exit(f"compare_pytorch.py: no {options.program}; build it with\n"
                 "    cmake --preset release && cmake --build --preset release --target hysteron_bench")
    try:
        result = compare(options)
    except ModuleNotFoundError:
        sys.exit("compare_pytorch.py: /usr/bin/python3 has no torch; run with --install")
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for width in result["ratio"]:
        print(f"d={width:>3}: PyTorch ({result['scan'][width]}) {result['pytorch_ms'][width]:8.2f} ms, "
              f"Hysteron {result['hysteron_ms'][width]:8.2f} ms, ratio {result['ratio'][width]:.1f}")
    print(f"Hysteron's peak memory {result['hysteron_peak_rss_mib']:.0f} MiB")


if __name__ == "__main__":
    main()
