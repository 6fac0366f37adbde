#!/usr/bin/env python3
"""Two PyTorch models trained with the groups that `tpc plan --format torch` writes.

    python3 -m venv build/torch && build/torch/bin/pip install torch
    build/torch/bin/python tests/bench/torch_plan.py build/release/bin/tpc

The perceptron of examples/mlp.tp and a small decoder as examples/gpt.tp are written as a PyTorch user writes them
(torch.nn layers, weights transposed, one module per layer). For each the plan is asked for once as Python and once as
JSON; what the optimizer then holds must be the JSON's numbers to the last digit, and the initial weights' standard
deviations those numbers within what so many draws allow. Then both train a few steps, at the base and at the target.
"""

import json
import math
import subprocess
import sys

import torch
from torch import nn
from torch.nn import functional as F

TPC = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/tpc"
LR = 3e-3


def tpc(*arguments):
    return subprocess.run([TPC, *arguments], check=True, capture_output=True, text=True).stdout


def plan_of(program, sizes):
    """The Python of the plan as a namespace, and the same plan as JSON."""
    options = [program, "--target", sizes, "--lr", str(LR), "--weight-decay", "0.1"]
    names = {}
    exec(tpc("plan", *options, "--format", "torch"), names)
    return names, json.loads(tpc("plan", *options, "--format", "json"))["target"]


class MLP(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(64, n), nn.Linear(n, n)
        self.readout = nn.Linear(n, 10, bias=False)

    def forward(self, image):
        return self.readout(F.relu(self.fc2(F.relu(self.fc1(image)))))

    NAMES = {"fc1.weight": "W1", "fc1.bias": "b1", "fc2.weight": "W2", "fc2.bias": "b2", "readout.weight": "W3"}


class Block(nn.Module):
    def __init__(self, n, d, scale):
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(n), nn.RMSNorm(n)
        self.q, self.k, self.v, self.o = (nn.Linear(n, n, bias=False) for _ in range(4))
        self.up, self.down = nn.Linear(n, 4 * n, bias=False), nn.Linear(4 * n, n, bias=False)
        self.heads, self.scale = n // d, scale

    def forward(self, h):
        x = self.norm1(h)
        q, k, v = (w(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for w in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=self.scale)
        h = h + self.o(mixed.transpose(1, 2).flatten(2))
        return h + self.down(F.gelu(self.up(self.norm2(h))))


class GPT(nn.Module):
    def __init__(self, n, d, scale, layers=2, vocab=256, context=256):
        super().__init__()
        self.token, self.position = nn.Embedding(vocab, n), nn.Parameter(torch.empty(context, n))
        self.blocks = nn.ModuleList(Block(n, d, scale) for _ in range(layers))
        self.norm, self.head = nn.RMSNorm(n), nn.Linear(n, vocab, bias=False)

    def forward(self, token):
        h = self.token(token) + self.position[: token.shape[1]]
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))

    @staticmethod
    def rename(name):
        """The names of the program; what is the same in all layers has one entry."""
        return {
            "token.weight": "E", "position": "P", "norm.weight": "rmsnorm.g", "head.weight": "linear.w",
            "norm1.weight": "layers.rmsnorm.g", "norm2.weight": "layers.rmsnorm#2.g",
            "q.weight": "layers.attention.wq", "k.weight": "layers.attention.wk", "v.weight": "layers.attention.wv",
            "o.weight": "layers.attention.wo", "up.weight": "layers.mlp.w_up", "down.weight": "layers.mlp.w_down",
        }[name.split(".", 2)[2] if name.startswith("blocks.") else name]


def check(model, rename, names, plan, batch):
    """Initial sizes and learning rates against the JSON plan; then a few steps."""
    torch.manual_seed(0)
    names["initialize"](model, rename)
    groups = names["parameter_groups"](model, rename)
    lr_of = {id(p): group for group in groups for p in group["params"]}
    worst = 0.0
    for name, parameter in model.named_parameters():
        ours = plan["parameters"][rename(name) if callable(rename) else rename[name]]
        group = lr_of[id(parameter)]
        assert group["lr"] == ours["lr"], (name, group["lr"], ours["lr"])
        assert group["eps"] == ours["eps"], (name, group["eps"], ours["eps"])
        assert group["weight_decay"] == ours["weight_decay"]["times_lr"], name
        if "init_std" in ours:
            # The standard deviation of N draws is off by a share 1/sqrt(2 N), give or take.
            off = abs(parameter.std().item() / ours["init_std"] - 1) * math.sqrt(2 * parameter.numel())
            assert off < 5, (name, parameter.std().item(), ours["init_std"])
            worst = max(worst, off)
        else:
            assert (parameter == ours["init_mean"]).all(), name
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95))
    losses = []
    for _ in range(20):
        inputs, targets = batch
        logits = model(inputs)
        loss = F.cross_entropy(logits.flatten(0, -2), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0], losses
    return f"{len(groups)} groups, std within {worst:.1f} sigma, loss {losses[0]:.3f} -> {losses[-1]:.3f}"


def main():
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(64, 64, generator=generator)
    label = (image @ torch.randn(64, 10, generator=generator)).argmax(-1)
    token = torch.randint(256, (8, 33), generator=generator)
    for n in (256, 1024):
        names, plan = plan_of("examples/mlp.tp", f"n={n}")
        print(f"mlp n = {n:5}:", check(MLP(n), MLP.NAMES, names, plan, (image, label)))
    for n in (128, 384):
        names, plan = plan_of("examples/gpt.tp", f"n={n}")
        scale = names["MULTIPLIERS"]["layers.attention.auto"]
        print(f"gpt n = {n:5}:", check(GPT(n, 64, scale), GPT.rename, names, plan, (token[:, :-1], token[:, 1:])))
    print("learning rates, epsilons and weight decays are the plan's to the last digit; torch", torch.__version__)


main()
