#!/usr/bin/env python3
"""One training step on the CPU: compiled by tpc, and by PyTorch eager and compiled, in turns in one run.

    python3 -m venv build/torch && build/torch/bin/pip install torch
    build/torch/bin/python tests/bench/torch_step.py build/release/bin/step_bench [rounds] [--compile]

The programs are tests/bench/programs; the models here are the same mathematics, written with torch.nn.functional as a
PyTorch user writes it, fp32, two threads, the optimizer fused.  The sides take turns, several rounds, so that what else
the machine does falls on both; medians are compared with medians, least with least.
"""

import os
import re
import statistics
import subprocess
import sys
import time

import torch
from torch.nn import functional as F

BENCH = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/step_bench"
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 5
COMPILE = "--compile" in sys.argv
HERE = os.path.dirname(os.path.abspath(__file__))


def weight(*shape):
    fan = 1
    for length in shape[:-1]:
        fan *= length
    return torch.nn.Parameter(torch.randn(*shape) / fan**0.5)


def mlp():
    sizes = [784, 128, 128, 128, 10]
    weights = [weight(a, b) for a, b in zip(sizes, sizes[1:])]
    biases = [torch.nn.Parameter(torch.zeros(b)) for b in sizes[1:]]
    x, label = torch.randn(64, 784), torch.randint(0, 10, (64,))

    def loss():
        h = x
        for w, b in zip(weights[:-1], biases[:-1]):
            h = F.relu(torch.addmm(b, h, w))
        return F.cross_entropy(torch.addmm(biases[-1], h, weights[-1]), label)

    return loss, torch.optim.Adam(weights + biases, lr=1e-3, fused=True)


def decoder(n=128, layers=4, heads=2, context=256, batch=8, vocab=256):
    e, p, head = weight(vocab, n), weight(context, n), weight(n, vocab)
    gains = [torch.nn.Parameter(torch.ones(n)) for _ in range(2 * layers + 1)]
    blocks = [[weight(n, n) for _ in range(4)] + [weight(n, 4 * n), weight(4 * n, n)] for _ in range(layers)]
    token, label = torch.randint(0, vocab, (batch, context)), torch.randint(0, vocab, (batch, context))

    def loss():
        h = F.embedding(token, e) + p
        for i, (wq, wk, wv, wo, up, down) in enumerate(blocks):
            x = F.rms_norm(h, (n,), gains[2 * i], 1e-5)
            q, k, v = ((x @ w).view(batch, context, heads, n // heads).transpose(1, 2) for w in (wq, wk, wv))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.125)
            h = h + y.transpose(1, 2).reshape(batch, context, n) @ wo
            h = h + F.gelu(F.rms_norm(h, (n,), gains[2 * i + 1], 1e-5) @ up) @ down
        logits = F.rms_norm(h, (n,), gains[-1], 1e-5) @ head
        return F.cross_entropy(logits.view(-1, vocab), label.view(-1))

    parameters = [e, p, head] + gains + [w for block in blocks for w in block]
    return loss, torch.optim.AdamW(parameters, lr=1e-3, fused=True)


def stepper(loss, optimizer, compiled):
    forward = torch.compile(loss) if compiled else loss

    def step():
        optimizer.zero_grad(set_to_none=True)
        forward().backward()
        optimizer.step()

    return step


def timed(step, steps):
    times = []
    for _ in range(steps):
        begin = time.perf_counter()
        step()
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6, min(times) * 1e6


def ours(program, optimizer, steps, batch):
    out = subprocess.run([BENCH, os.path.join(HERE, "programs", program), optimizer, "2", str(steps), f"batch={batch}"],
                         check=True, capture_output=True, text=True).stdout
    found = re.search(r"median ([\d.]+) us, least ([\d.]+) us", out)
    return float(found[1]), float(found[2])


def main():
    torch.set_num_threads(2)
    torch.manual_seed(1)
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())[1]
    print(f"{cpu}, {os.cpu_count()} cores, torch {torch.__version__}, {ROUNDS} rounds, microseconds: median (least)")
    for name, make, program, optimizer, steps, batch in [("perceptron", mlp, "mlp.tp", "adam", 400, 64),
                                                         ("decoder", decoder, "decoder.tp", "adamw", 10, 8)]:
        sides = {"eager": stepper(*make(), False)}
        if COMPILE:
            sides["compiled"] = stepper(*make(), True)
        for step in sides.values():
            for _ in range(3):
                step()
        results = {side: [] for side in ["tpc", *sides]}
        for _ in range(ROUNDS):
            results["tpc"].append(ours(program, optimizer, steps, batch))
            for side, step in sides.items():
                results[side].append(timed(step, steps))
        for side, values in results.items():
            median, least = statistics.median(v[0] for v in values), min(v[1] for v in values)
            against = statistics.median(v[0] for v in results["tpc"]), min(v[1] for v in results["tpc"])
            print(f"{name:11} {side:9} {median:10.0f} ({least:.0f})   x {median / against[0]:.2f} ({least / against[1]:.2f})")


main()
