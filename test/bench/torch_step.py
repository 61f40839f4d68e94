"""One training step of the reference CNN in PyTorch: prints the milliseconds of each as JSON.

python3 torch_step.py BATCH WARM_UP STEPS
"""

import json
import sys
import time

import torch
from torch import nn


def main() -> None:
    batch, warm_up, steps = (int(argument) for argument in sys.argv[1:4])
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9, fused=True)
    loss_function = nn.CrossEntropyLoss()
    x = torch.randn(batch, 3, 32, 32)
    y = torch.arange(batch) % 10
    times = []
    for _ in range(warm_up + steps):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss_function(model(x), y).backward()
        optimizer.step()
        times.append(1e3 * (time.perf_counter() - start))
    json.dump(times[warm_up:], sys.stdout)


main()
