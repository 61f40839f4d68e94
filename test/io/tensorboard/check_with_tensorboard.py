"""Reads a folder of event files with TensorBoard's own reader and prints what it has, as JSON.

    pip install tensorboard
    python test/io/tensorboard/check_with_tensorboard.py runs/NAME/1

The tests beside this file read the same format by themselves; this is how to ask TensorBoard.
"""

import json
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.compat.proto import graph_pb2
from tensorboard.plugins.hparams import plugin_data_pb2

folder = sys.argv[1]
everything = {
    event_accumulator.SCALARS: 0,
    event_accumulator.HISTOGRAMS: 0,
    event_accumulator.IMAGES: 0,
    event_accumulator.TENSORS: 0,
}
events = event_accumulator.EventAccumulator(folder, size_guidance=everything)
events.Reload()
tags = events.Tags()
report = {
    "scalars": {t: [[s.step, s.value] for s in events.Scalars(t)] for t in tags["scalars"]},
    "histograms": {
        t: [[h.step, h.histogram_value.num, h.histogram_value.min, h.histogram_value.max]
            for h in events.Histograms(t)]
        for t in tags["histograms"]
    },
    "images": {t: [[i.step, i.width, i.height] for i in events.Images(t)] for t in tags["images"]},
    "text": {
        t: [[e.step, e.tensor_proto.string_val[0].decode()] for e in events.Tensors(t)]
        for t in tags["tensors"] if t.endswith("/text_summary")
    },
}
if tags["graph"]:
    graph = events.Graph()
    assert isinstance(graph, graph_pb2.GraphDef)
    names = {node.name for node in graph.node}
    for node in graph.node:
        for source in node.input:
            assert source.split(":")[0] in names, f"{node.name} reads {source}, which is not there"
    report["graph"] = sorted(names)

plugins = plugin_event_accumulator.EventAccumulator(folder)
plugins.Reload()
report["hparams"] = {}
try:
    contents = plugins.PluginTagToContent("hparams")
except KeyError:
    contents = {}
for tag, content in contents.items():
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    if data.HasField("session_start_info"):
        report["hparams"]["values"] = {
            key: value.WhichOneof("kind") and getattr(value, value.WhichOneof("kind"))
            for key, value in data.session_start_info.hparams.items()
        }
    if data.HasField("session_end_info"):
        report["hparams"]["status"] = data.session_end_info.status
    if data.HasField("experiment"):
        report["hparams"]["metrics"] = [m.name.tag for m in data.experiment.metric_infos]
json.dump(report, sys.stdout, indent=2)
