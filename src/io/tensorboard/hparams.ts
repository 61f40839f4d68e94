/**
 * What the HParams tab compares runs by: values of hyperparameters, and the tags of the metrics.
 * Messages of tensorboard/plugins/hparams/{plugin_data,api}.proto.
 */

import { PbfWriter } from 'pbf';
import type { SummaryValue } from './events.ts';

export type HparamValue = string | number | boolean;

/** Numbers of `Status` in api.proto. */
const STATUS = { success: 1, failure: 2, running: 3 } as const;
export type SessionStatus = keyof typeof STATUS;

const PLUGIN = 'hparams';
const STRING = 1;
const BOOL = 2;
const FLOAT64 = 3;

/**
 * Which values and metrics the sessions of a folder have. TensorBoard takes the first one it finds
 * and looks no further; where there is none, it asks all sessions.
 */
export function experiment(
  hparams: Readonly<Record<string, HparamValue>>,
  metrics: readonly string[],
): SummaryValue {
  const content = pluginData(2, (pbf) => {
    for (const [name, value] of Object.entries(hparams)) {
      pbf.writeMessage(4, writeHparamInfo, { name, value });
    }
    for (const tag of metrics) pbf.writeMessage(5, writeMetricInfo, tag);
  });
  return summary('_hparams_/experiment', content);
}

/** The values of a session that begins. */
export function sessionStart(
  hparams: Readonly<Record<string, HparamValue>>,
  start_time_secs: number,
): SummaryValue[] {
  const content = pluginData(3, (pbf) => {
    for (const [name, value] of Object.entries(hparams)) {
      pbf.writeMessage(1, writeHparam, { name, value });
    }
    pbf.writeDoubleField(5, start_time_secs);
  });
  return [summary('_hparams_/session_start_info', content)];
}

export function sessionEnd(status: SessionStatus, end_time_secs: number): SummaryValue[] {
  const end = pluginData(4, (pbf) => {
    pbf.writeVarintField(1, STATUS[status]);
    pbf.writeDoubleField(2, end_time_secs);
  });
  return [summary('_hparams_/session_end_info', end)];
}

interface Hparam {
  readonly name: string;
  readonly value: HparamValue;
}

function writeHparamInfo({ name, value }: Hparam, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeVarintField(4, { string: STRING, boolean: BOOL, number: FLOAT64 }[kindOf(value)]);
}

function writeMetricInfo(tag: string, pbf: PbfWriter): void {
  pbf.writeMessage(1, (_, name) => name.writeStringField(2, tag), undefined);
}

/** An entry of a map from names to `google.protobuf.Value`. */
function writeHparam({ name, value }: Hparam, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, writeProtobufValue, value);
}

function writeProtobufValue(value: HparamValue, pbf: PbfWriter): void {
  if (typeof value === 'number') pbf.writeDoubleField(2, value);
  else if (typeof value === 'string') pbf.writeStringField(3, value);
  else pbf.writeBooleanField(4, value);
}

function kindOf(value: HparamValue): 'string' | 'boolean' | 'number' {
  return typeof value as 'string' | 'boolean' | 'number';
}

/** An HParamsPluginData, of version 0, with one of its fields. */
function pluginData(field: number, write: (pbf: PbfWriter) => void): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeMessage(field, (_, message) => write(message), undefined);
  return pbf.finish();
}

function summary(tag: string, content: Uint8Array): SummaryValue {
  return { tag, metadata: { plugin_name: PLUGIN, content }, nothing: true };
}
