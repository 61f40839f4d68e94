"""torchvision's side of transforms.mjs, which starts it: a request a line, an answer a line."""

import json
import sys
import time

import torch

# A build of torchvision without its own operators can still transform images.
library = torch.library.Library("torchvision", "DEF")
for name in ["nms", "qnms"]:
    library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import torchvision  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

torch.set_num_threads(1)
torch.manual_seed(0)


def build(spec):
    floats = v2.ToDtype(torch.float32, scale=True)
    if spec is None:
        return floats
    arguments = dict(spec)
    name = arguments.pop("type")
    if "interpolation" in arguments:
        arguments["interpolation"] = v2.InterpolationMode(arguments["interpolation"])
    transform = getattr(v2, name)(**arguments)
    return v2.Compose([floats, transform] if name == "RandomErasing" else [transform, floats])


def pictures(count, size):
    """Waves and noise, in colours."""
    y, x = torch.meshgrid(torch.arange(size) / size, torch.arange(size) / size, indexing="ij")
    waves = torch.stack([torch.sin(7 * x + c) + torch.cos(9 * y) for c in range(3)])
    images = 128 + 50 * waves + torch.randint(-16, 16, (count, 3, size, size))
    return images.clamp(0, 255).to(torch.uint8)


def rate(transform, images, seconds):
    """Images a second of CPU time; one after the other, as a Dataset is asked for them."""
    for image in images:
        transform(image)
    done, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for image in images:
            transform(image)
        done += len(images)
    return done / (time.process_time() - start)


print(json.dumps({"versions": f"torch {torch.__version__}, torchvision {torchvision.__version__}"}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    images = list(pictures(request["count"], request["size"]))
    print(json.dumps({"rate": rate(build(request["spec"]), images, request["seconds"])}), flush=True)
