"""The networks of `configs/bench/` in PyTorch, with their batches, losses and optimizers."""

from dataclasses import dataclass
from typing import Callable

import torch
from torch import nn
from torch.nn import functional

VOCABULARY = 65


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.ReLU(),
        nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10),
    )


class BasicBlock(nn.Module):
    """As torchvision's."""

    def __init__(self, inplanes: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        hidden = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(hidden)) + identity)


def resnet18() -> nn.Module:
    """torchvision's, with a 3x3 stem of stride 1 and no max-pooling behind it."""
    stages: list[nn.Module] = []
    planes = 64
    for i, width in enumerate((64, 128, 256, 512)):
        stages += [BasicBlock(planes, width, 1 if i == 0 else 2), BasicBlock(width, width, 1)]
        planes = width
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True),
        *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10),
    )


class Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inner(x)


class Scale(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0.125 * x


def resnet9() -> nn.Module:
    """David Page's."""

    def layer(inputs: int, outputs: int) -> nn.Module:
        conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))

    def residual(width: int) -> nn.Module:
        return Residual(nn.Sequential(layer(width, width), layer(width, width)))

    return nn.Sequential(
        layer(3, 64),
        layer(64, 128), nn.MaxPool2d(2), residual(128),
        layer(128, 256), nn.MaxPool2d(2),
        layer(256, 512), nn.MaxPool2d(2), residual(512),
        nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(512, 10, bias=False), Scale(),
    )


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in self.c_attn(x).split(width, dim=2)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    """GPT-2's layers; the output layer shares the token embedding's weights. Gives (B, V, T)."""

    def __init__(self, layers: int = 4, width: int = 128, heads: int = 4, length: int = 128) -> None:
        super().__init__()
        self.wte = nn.Embedding(VOCABULARY, width)
        self.wpe = nn.Embedding(length, width)
        self.h = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, VOCABULARY, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.wte(tokens) + self.wpe.weight[: tokens.shape[1]]
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x)).transpose(1, 2)


class LSTM(nn.Module):
    """Gives (B, V, T)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 128)
        self.lstm = nn.LSTM(128, 256, batch_first=True)
        self.fc = nn.Linear(256, VOCABULARY)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.fc(self.lstm(self.embedding(tokens))[0]).transpose(1, 2)


def images(batch: int, *shape: int) -> Callable[[], tuple[torch.Tensor, torch.Tensor]]:
    return lambda: (torch.randn(batch, *shape), torch.randint(10, (batch,)))


def tokens(batch: int, length: int) -> Callable[[], tuple[torch.Tensor, torch.Tensor]]:
    return lambda: tuple(torch.randint(VOCABULARY, (batch, length)) for _ in range(2))


def sgd(lr: float, **options: float) -> Callable[..., torch.optim.Optimizer]:
    return lambda parameters: torch.optim.SGD(parameters, lr, fused=True, **options)


def adam(kind: type, lr: float) -> Callable[..., torch.optim.Optimizer]:
    return lambda parameters: kind(parameters, lr, fused=True)


@dataclass
class Row:
    model: Callable[[], nn.Module]
    batch: Callable[[], tuple[torch.Tensor, torch.Tensor]]
    optimizer: Callable[..., torch.optim.Optimizer]
    bf16: bool = False
    label_smoothing: float = 0


_resnet = (resnet18, images(32, 3, 32, 32), sgd(0.1, momentum=0.9, weight_decay=5e-4))
ROWS = {
    "cnn-b4": Row(cnn, images(4, 3, 32, 32), sgd(0.001, momentum=0.9)),
    "cnn-b128": Row(cnn, images(128, 3, 32, 32), sgd(0.001, momentum=0.9)),
    "mlp": Row(mlp, images(64, 1, 28, 28), adam(torch.optim.AdamW, 1e-3)),
    "resnet18": Row(*_resnet),
    "resnet18-bf16": Row(*_resnet, bf16=True),
    "resnet9": Row(
        resnet9, images(128, 3, 32, 32), sgd(0.1, momentum=0.9, weight_decay=5e-4, nesterov=True),
        label_smoothing=0.1,
    ),
    "gpt": Row(GPT, tokens(16, 128), adam(torch.optim.AdamW, 3e-4)),
    "lstm": Row(LSTM, tokens(32, 64), adam(torch.optim.Adam, 1e-3)),
}
