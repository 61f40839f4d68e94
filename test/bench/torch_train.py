"""What `torchts train configs/cifar10-smoke.yaml` does, as a script in PyTorch.

python3 torch_train.py OUT THREADS

The data are read once and kept as tensors, which is faster than a DataLoader; a checkpoint of the
weights and the optimizer is written after every epoch.
"""

import sys
from pathlib import Path

import torch
from torch.nn import functional
from torch_models import cnn

DATA = Path(__file__).parents[2] / "datasets" / "cifar10-subset"
EPOCHS, BATCH = 8, 16


def read(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    records = torch.frombuffer(bytearray((DATA / name).read_bytes()), dtype=torch.uint8)
    records = records.view(-1, 3073)
    images = records[:, 1:].reshape(-1, 3, 32, 32).float().div(255).sub(0.5).div(0.5)
    return images, records[:, 0].long()


def main() -> None:
    out, threads = Path(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    out.mkdir(parents=True, exist_ok=True)
    images, labels = read("data_batch_1.bin")
    val_images, val_labels = read("test_batch.bin")
    model = cnn()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)
    for epoch in range(EPOCHS):
        model.train()
        total = torch.zeros(())
        for batch in torch.randperm(len(labels)).split(BATCH):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images[batch]), labels[batch])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(batch)
        model.eval()
        right = 0
        with torch.no_grad():
            for x, y in zip(val_images.split(BATCH), val_labels.split(BATCH)):
                right += int((model(x).argmax(1) == y).sum())
        print(f"epoch {epoch + 1} loss {total / len(labels):.3f} accuracy {right / len(val_labels):.3f}")
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
        torch.save(state, out / f"epoch-{epoch + 1}.pt")


main()
