/** `torch.utils.tensorboard.SummaryWriter`, for training loops written in code. */

import os from 'node:os';
import { join } from 'node:path';
import { ArgumentError } from '../../base/errors.ts';
import type { Tensor } from '../../core/tensor.ts';
import { toHost } from '../tensors.ts';
import { EventFile } from './event-file.ts';
import type { EventBody, SummaryValue } from './events.ts';
import { encodeGraph, type GraphModule, modelGraph } from './graph-def.ts';
import { histogramOf } from './histogram.ts';
import { experiment, type HparamValue, sessionEnd, sessionStart } from './hparams.ts';
import { imageSummary } from './image.ts';

export interface SummaryWriterOptions {
  /** The folder; `runs/DATE_HOST` with `comment` behind it unless given. */
  readonly log_dir?: string;
  readonly comment?: string;
  /** The first step written anew after a crash: what was written of it and of later ones goes. */
  readonly purge_step?: number;
  readonly filename_suffix?: string;
}

/**
 * Writes event files for TensorBoard. Every method throws a `FileError` where the file cannot be
 * written. Those that take tensors read them, and are done when their promise is.
 * https://docs.pytorch.org/docs/stable/tensorboard.html
 */
export class SummaryWriter {
  readonly log_dir: string;
  readonly #file: EventFile;
  /** One folder for each line of `addScalars`. */
  readonly #lines = new Map<string, EventFile>();
  readonly #options: SummaryWriterOptions;

  constructor(options: SummaryWriterOptions = {}) {
    const { log_dir, comment = '' } = options;
    this.#options = options;
    this.log_dir = log_dir ?? join('runs', `${now()}_${os.hostname()}${comment}`);
    this.#file = new EventFile(this.log_dir, options);
  }

  /** `walltime` is in seconds since 1970, here and below; now unless given. */
  addScalar(tag: string, scalar_value: number, global_step?: number, walltime?: number): void {
    this.#summary([{ tag, simple_value: scalar_value }], global_step, walltime);
  }

  /** Several lines in one chart; each has a folder of its own, `LOG_DIR/MAIN_TAG_NAME`. */
  addScalars(
    main_tag: string,
    tag_scalar_dict: Readonly<Record<string, number>>,
    global_step?: number,
    walltime?: number,
  ): void {
    for (const [name, value] of Object.entries(tag_scalar_dict)) {
      const folder = `${main_tag}_${name}`.replaceAll(/[/\\]/g, '_');
      const file =
        this.#lines.get(folder) ?? new EventFile(join(this.log_dir, folder), this.#options);
      this.#lines.set(folder, file);
      file.add({ summary: [{ tag: main_tag, simple_value: value }] }, global_step, walltime);
    }
  }

  /**
   * The distribution of all elements of `values`; NaN and infinities are left out.
   *
   * @throws ArgumentError when nothing else is there.
   */
  async addHistogram(
    tag: string,
    values: Tensor,
    global_step?: number,
    walltime?: number,
  ): Promise<void> {
    const histo = histogramOf(await values.data());
    if (histo === undefined) throw new ArgumentError(`[addHistogram] ${tag} has no finite value`);
    this.#summary([{ tag, histo }], global_step, walltime);
  }

  /**
   * One picture; `img_tensor` has the dimensions that `dataformats` names: uint8, or numbers from
   * 0 to 1.
   */
  async addImage(
    tag: string,
    img_tensor: Tensor,
    global_step?: number,
    { walltime, dataformats = 'CHW' }: { walltime?: number; dataformats?: string } = {},
  ): Promise<void> {
    const host = (await toHost(new Map([[tag, img_tensor]]))).get(tag)!;
    this.#summary([{ tag, image: imageSummary(host, dataformats) }], global_step, walltime);
  }

  /** Several images of one size, (N, C, H, W) unless `dataformats` says otherwise, in a grid. */
  async addImages(
    tag: string,
    img_tensor: Tensor,
    global_step?: number,
    { walltime, dataformats = 'NCHW' }: { walltime?: number; dataformats?: string } = {},
  ): Promise<void> {
    await this.addImage(tag, img_tensor, global_step, {
      dataformats,
      ...(walltime && { walltime }),
    });
  }

  /** Text, shown as Markdown. */
  addText(tag: string, text_string: string, global_step?: number, walltime?: number): void {
    this.#summary([textSummary(tag, text_string)], global_step, walltime);
  }

  /** The forward pass of `model` over `input_to_model`; nothing is computed. */
  addGraph(model: GraphModule, input_to_model: Tensor | readonly Tensor[]): void {
    const inputs = Array.isArray(input_to_model) ? input_to_model : [input_to_model];
    this.#add({ graph_def: encodeGraph(modelGraph(model, inputs)) });
  }

  /**
   * One session of the HParams tab, in a folder of its own: the values it had and the metrics it
   * reached.
   */
  addHparams(
    hparam_dict: Readonly<Record<string, HparamValue>>,
    metric_dict: Readonly<Record<string, number>>,
    { run_name, global_step }: { run_name?: string; global_step?: number } = {},
  ): void {
    for (const [name, value] of Object.entries(hparam_dict)) {
      if (['string', 'number', 'boolean'].includes(typeof value)) continue;
      throw new ArgumentError(`[addHparams] ${name} must be text, a number or a boolean`);
    }
    const seconds = Date.now() / 1000;
    const file = new EventFile(join(this.log_dir, run_name ?? String(seconds)));
    const summaries: SummaryValue[] = [
      experiment(hparam_dict, Object.keys(metric_dict)),
      ...sessionStart(hparam_dict, seconds),
      ...sessionEnd('success', seconds),
    ];
    for (const value of summaries) file.add({ summary: [value] }, global_step);
    for (const [tag, simple_value] of Object.entries(metric_dict)) {
      file.add({ summary: [{ tag, simple_value }] }, global_step);
    }
    file.close();
  }

  /** Waits until the disk has everything; what was added can be read before that. */
  flush(): void {
    for (const file of this.#files()) file.flush();
  }

  close(): void {
    for (const file of this.#files()) file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #files(): EventFile[] {
    return [this.#file, ...this.#lines.values()];
  }

  #summary(summary: readonly SummaryValue[], step?: number, walltime?: number): void {
    this.#add({ summary }, step, walltime);
  }

  #add(body: EventBody, step?: number, walltime?: number): void {
    this.#file.add(body, step, walltime);
  }
}

/** What the Text tab shows; its tag ends as TensorFlow's and PyTorch's do. */
export function textSummary(tag: string, text: string): SummaryValue {
  return { tag: `${tag}/text_summary`, metadata: { plugin_name: 'text' }, strings: [text] };
}

/** `Nov29_21-46-05`. */
function now(): string {
  const date = new Date();
  const month = date.toLocaleString('en-US', { month: 'short' });
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join('-');
  return `${month}${two(date.getDate())}_${time}`;
}
