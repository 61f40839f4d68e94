"""Times training steps of one row in PyTorch, on demand.

python3 torch_step.py ROW eager|channels_last|compile THREADS

Prints `{"parameters": n}` when ready. Then answers each line on standard input, N, by
`{"times": [ms, ...], "rss_bytes": n}` of N steps, or of those that ten seconds hold.
"""

import json
import resource
import sys
import time

import torch
from torch.nn import functional
from torch_models import ROWS

LONGEST = 10e3


def main() -> None:
    name, variant, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    row = ROWS[name]
    model = row.model().train()
    x, y = row.batch()
    if variant == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    optimizer = row.optimizer(model.parameters())
    forward = torch.compile(model) if variant == "compile" else model

    def step() -> float:
        start = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=row.bf16):
            loss = functional.cross_entropy(forward(x), y, label_smoothing=row.label_smoothing)
        loss.backward()
        optimizer.step()
        return 1e3 * (time.perf_counter() - start)

    for _ in range(3):
        step()
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    for line in sys.stdin:
        times: list[float] = []
        while len(times) < int(line) and sum(times) < LONGEST:
            times.append(step())
        rss = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"times": times, "rss_bytes": rss}), flush=True)


main()
