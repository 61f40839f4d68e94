"""Checks exported models with ONNX's own checker and onnxruntime.

    TORCHTS_ONNX=/tmp/onnx npx vitest run test/onnx
    pip install onnx onnxruntime
    python test/onnx/check.py /tmp/onnx

The tests leave every model in that folder, with inputs of two batch sizes and what torchts computed
of them. Each file must pass onnx.checker with full shape inference, the declared shapes must hold,
and onnxruntime must give the same outputs within 1e-4 of the largest.
"""

import base64
import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime


def array(held):
    data = numpy.frombuffer(base64.b64decode(held["data"]), dtype=held["dtype"])
    return data.reshape(held["shape"])


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    for run in json.loads(path.with_suffix(".json").read_text()):
        names = [given.name for given in session.get_inputs()]
        feeds = {name: array(given) for name, given in zip(names, run["inputs"])}
        for found, held in zip(session.run(None, feeds), run["outputs"], strict=True):
            expected = array(held)
            assert found.shape == expected.shape, (found.shape, expected.shape)
            if expected.dtype == bool or not expected.size:
                assert (found == expected).all()
                continue
            finite = numpy.isfinite(expected)
            size = numpy.abs(expected[finite]).max(initial=1e-20)
            numpy.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * size)
            worst = max(worst, numpy.abs(found - expected)[finite].max(initial=0) / size)
    return len(model.graph.node), worst


def main(folder):
    failed = 0
    paths = sorted(pathlib.Path(folder).glob("*.onnx"))
    for path in paths:
        try:
            nodes, worst = check(path)
            print(f"ok    {path.stem}: {nodes} nodes, largest difference {worst:.1e}")
        except Exception as error:
            failed += 1
            print(f"FAIL  {path.stem}: {error}")
    print(f"{len(paths) - failed} of {len(paths)} models are right")
    return failed > 0 or not paths


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
