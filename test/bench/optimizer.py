"""PyTorch's side of optimizer.mjs, which calls it: optimizer.py SHAPES ROUNDS."""

import json
import sys
import time

import torch

torch.set_num_threads(2)
ROUNDS = int(sys.argv[2])
RULES = {
    "AdamW": lambda params: torch.optim.AdamW(params, fused=True),
    "SGD, momentum": lambda params: torch.optim.SGD(params, momentum=0.9, fused=True),
}


def median(shapes, make, clip):
    params = [torch.full(shape, 0.01, requires_grad=True) for shape in shapes]
    optimizer = make(params)
    times = []
    for _ in range(ROUNDS):
        for p in params:
            p.grad = torch.full(p.shape, 0.1)
        start = time.perf_counter()
        if clip:
            torch.nn.utils.clip_grad_norm_(params, 1)
        optimizer.step()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)[ROUNDS // 2]


for model, shapes in json.loads(sys.argv[1]).items():
    for rule, make in RULES.items():
        for clip in (False, True):
            name = f"{rule}, clipped" if clip else rule
            print(f"PyTorch   {model}  {name}  {median(shapes, make, clip):.3f} ms")
