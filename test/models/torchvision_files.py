"""Exchanges files of weights between torchvision and torchts, and compares what both compute.

    pip install torch torchvision safetensors
    python test/models/torchvision_files.py write /tmp/models
    TORCHTS_TORCHVISION_FILES=/tmp/models npx vitest run test/models/torchvision-files.test.ts
    python test/models/torchvision_files.py check /tmp/models

`write` leaves a state dict of every model in MODELS, as NAME.pth, with inputs and outputs, as
NAME.safetensors; DenseNet and ViT have the older keys of the files that torchvision publishes. The
test loads each, compares, and saves it as NAME.saved.pt, which `check` loads into torchvision.
Outputs must be equal within 1e-4 of the largest.
"""

import re
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

# torchvision without its compiled part: its operators must be known by name all the same.
library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor a, Tensor b, float c) -> Tensor")
library.define("qnms(Tensor a, Tensor b, float c) -> Tensor")
import torchvision  # noqa: E402

# Options, and whether the outputs in training mode are compared: with auxiliary heads.
MODELS = {
    "convnext_tiny": ({}, False),
    "densenet121": ({}, False),
    "efficientnet_b0": ({}, False),
    "googlenet": ({"init_weights": False, "dropout": 0, "dropout_aux": 0}, True),
    "inception_v3": ({"init_weights": False, "dropout": 0}, True),
    "mobilenet_v3_small": ({}, False),
    "regnet_y_400mf": ({}, False),
    "resnet18": ({}, False),
    "shufflenet_v2_x1_0": ({}, False),
    "squeezenet1_1": ({}, False),
    "swin_t": ({}, False),
    "swin_v2_t": ({}, False),
    "vgg11_bn": ({}, False),
    "vit_b_32": ({}, False),
}


def old_key(key):
    """As the files for DenseNet and ViT have it."""
    key = re.sub(r"(\.denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", key)
    return re.sub(r"(encoder_layer_\d+\.mlp\.)([03])\.", lambda m: f"{m[1]}linear_{1 + int(m[2]) // 3}.", key)


def settle(model, images):
    """Makes every tensor count: nothing stays zero, and batch norms have a batch's statistics."""
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1
    with torch.no_grad():
        model.train()(images)
    for norm in norms:
        norm.momentum = 0.1


@torch.no_grad()
def outputs_of(model, images):
    outputs = model(images)
    return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)


def write(folder):
    for name, (options, trains) in MODELS.items():
        torch.manual_seed(0)
        model = getattr(torchvision.models, name)(weights=None, **options)
        side = 299 if name == "inception_v3" else 224
        images = torch.randn(4, 3, side, side)
        settle(model, images)
        state = {old_key(key): value.clone() for key, value in model.state_dict().items()}
        torch.save(state, folder / f"{name}.pth")
        record = {"images": images, "logits": outputs_of(model.eval(), images)[0]}
        if trains:
            trained = outputs_of(model.train(), images)
            record |= {f"training.{i}": output for i, output in enumerate(trained)}
        save_file(record, folder / f"{name}.safetensors")


def check(folder):
    for name, (options, _) in MODELS.items():
        model = getattr(torchvision.models, name)(weights=None, **options)
        model.load_state_dict(torch.load(folder / f"{name}.saved.pt", weights_only=True))
        record = load_file(folder / f"{name}.safetensors")
        difference = (outputs_of(model.eval(), record["images"])[0] - record["logits"]).abs().max()
        assert difference <= 1e-4 * record["logits"].abs().max(), name
        print(f"{name}: read back by torchvision, logits differ by {difference:.1e}")


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    {"write": write, "check": check}[command](Path(folder))
