/**
 * What a data set is. Three steps, each cheap until the next is asked for:
 *
 *     datasets.build(spec) -> DatasetSource   what the samples look like; reads no sample
 *     source.load()        -> Dataset         the samples, on the host
 *     dataset.open(engine) -> BatchReader     the samples where the engine can gather batches
 *
 * A sample is two tensors of fixed shape, the model's input and its target. Shapes are known from
 * the source, so a model is checked against its data before any of it is read.
 *
 * How samples are held and how a batch is put together is each kind's own affair: `ImageDataset`
 * keeps bytes in the engine and lets it gather and normalise rows; a table of floats or a text
 * would slice its own storages. The loader knows none of them, only the order of the samples, so
 * a new kind is a new file that registers itself here.
 */

import type { DType, HostArray } from '../base/dtype.ts';
import { Registry, type Spec } from '../base/registry.ts';
import type { Shape } from '../base/shape.ts';
import type { Engine, Storage } from '../engine/engine.ts';
import type { BatchStream, BatchStreamRequest } from '../engine/images.ts';

/** One tensor of a sample, without the batch dimension. */
export interface Field {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Its first dimension is the longest sample's: others are shorter, and padded. */
  readonly varies?: boolean;
  /** What they are padded with; 0 unless given. */
  readonly padding_value?: number;
}

/** What a model must know of a data set. */
export interface SampleDescription {
  /** The model's input; an image is float32 (channels, height, width). */
  readonly input: Field;
  /** What the loss compares with; a class is int64 (). */
  readonly target: Field;
  /** The names of the classes, where targets are classes; the target is an index into it. */
  readonly classes: readonly string[];
  /** What the numbers of the input stand for, where they are tokens of texts. */
  readonly vocabulary?: readonly string[] | undefined;
}

export interface DatasetSource extends SampleDescription {
  /** Reads the samples. Throws a `FileError` when they are missing or malformed. */
  load(): Promise<Dataset>;
  /** Makes the files that loading would make, ahead of it; missing where it makes none. */
  readonly makeCaches?: ((options?: CacheOptions) => Promise<readonly CacheReport[]>) | undefined;
  /** How files that are not part of the set become inputs, for kinds that can tell. */
  readonly encoder?: SampleEncoder | undefined;
  /**
   * What the training samples taught, such as a vocabulary, as JSON: given to the same kind of set
   * in a `DatasetContext`, it is not learned again.
   */
  readonly learned?: unknown;
}

/** What a data set is told beside its arguments. */
export interface DatasetContext {
  /** As of `DatasetSource`: of the training samples, or of the run that goes on. */
  readonly learned?: unknown;
}

export interface CacheOptions {
  /** Make it anew where there is one. */
  readonly force?: boolean | undefined;
  /** Read all of one that is there, and make a damaged one anew. */
  readonly check?: boolean | undefined;
  /** Instead of a line on standard error. */
  readonly onProgress?: ((progress: CacheProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CacheProgress {
  /** What is being done, in a few words. */
  readonly step: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'images';
}

/** A file of decoded images. */
export interface CacheReport {
  readonly path: string;
  readonly images: number;
  readonly bytes: number;
  /** Whether it was made now. */
  readonly made: boolean;
}

/** Makes new samples into inputs as those of a data set are made, without what is random. */
export interface SampleEncoder {
  /** `image`: a sample a file; `table`: a sample a row; `text`: a sample a row or a line. */
  readonly kind: 'image' | 'table' | 'text';
  /** How the names of its files end; in a folder others are passed over. */
  readonly extensions: readonly string[];
  /** The names of the numbers that are predicted, where targets are numbers that have names. */
  readonly outputs?: readonly string[];
  /** What `encode` does, for those who do it elsewhere; nothing where that is not known. */
  readonly preparation?: Preparation;
  /** Throws a `FileError` or a `ConfigError` that says what is wrong with the file. */
  encode(path: string): Promise<EncodedFile>;
  /** Texts that are in no file, for kinds whose samples are texts. */
  readonly encodeTexts?: (texts: readonly string[]) => EncodedFile;
}

/** How a file becomes an input, in words that are stored with a model. */
export interface Preparation {
  /** Transforms in order, by their names, with all arguments; of tables with what they learned. */
  readonly transforms: readonly Spec[];
  /** The columns that a table's inputs are made from, in order. */
  readonly columns?: readonly string[];
}

/** The samples of a file. */
export interface EncodedFile {
  readonly length: number;
  /** (length, ...input shape), row-major; where the input varies, one behind the other. */
  readonly inputs: HostArray;
  /** (length + 1): where the input varies, sample `i` is from item `i` to the next one. */
  readonly bounds?: Int32Array | undefined;
  /** The rows or lines of the file that the samples are, as a person counts them. */
  readonly rows?: Int32Array | undefined;
  /** The texts that the samples are. */
  readonly texts?: readonly string[] | undefined;
  /** What was done to make it fit, in words, where that is not what the data set does. */
  readonly note?: string | undefined;
}

export interface Dataset extends SampleDescription {
  /** The number of samples. */
  readonly length: number;
  /** How long each sample is, where the first dimension of its input varies; at least 1. */
  readonly lengths?: Int32Array | undefined;
  /**
   * What batches are padded to that no bucket says it of, rising: the first that holds the longest
   * sample. The longest of the set unless given.
   */
  readonly pad_to?: readonly number[] | undefined;
  /** The class of each sample, where targets are classes and that is known. */
  readonly labels?: Int32Array | undefined;
  /** Copies the samples to where `engine` gathers from; the caller disposes of the reader. */
  open(engine: Engine, options?: OpenOptions): BatchReader;
  /**
   * Opens this set and `others`, one after the other, as one reader, for kinds that can make a
   * batch of all at once. What is random about a sample is what it is in its own set.
   */
  openWith?(
    others: readonly Dataset[],
    engine: Engine,
    options?: OpenOptions,
  ): BatchReader | undefined;
  /** The samples of `places` as a set of their own, for kinds that need not keep the others. */
  take?(places: Int32Array): Dataset;
  /** This set and `others`, one after the other, for kinds that can hold them as one. */
  join?(others: readonly Dataset[]): Dataset | undefined;
}

export interface OpenOptions {
  /** What random transforms draw from, a non-negative safe integer; 0 unless given. */
  readonly seed?: number;
  /**
   * Threads that make batches ahead of their use; 0 makes each when it is asked for. No value
   * depends on it. Unless given, 1, or up to 4 where transforms compute with pixels.
   */
  readonly num_workers?: number | undefined;
}

export interface BatchReader {
  /** Fills the storages of a batch; they are overwritten whole. */
  read(request: BatchRequest): void;
  /** The same batches, made ahead of their use, for readers that can. */
  readonly stream?: ((request: BatchStreamRequest) => BatchStream) | undefined;
  dispose(): void;
}

export interface BatchRequest {
  /** The samples of the batch, in order, each in [0, length). */
  readonly indices: Int32Array;
  /** Which pass over the data this is: random transforms change with it. */
  readonly epoch: number;
  /** What fields that vary are cut to, for sets with `lengths`; the longest unless given. */
  readonly length?: number | undefined;
  /** `indices.length` rows of the input field. */
  readonly inputs: Storage;
  /** `indices.length` rows of the target field. */
  readonly targets: Storage;
}

/** Data sets by their PyTorch names; each kind's file registers its own. */
export const datasets = new Registry<DatasetSource, DatasetContext | undefined>(
  'data set',
  {},
  'https://pytorch.org/vision/stable/generated/torchvision.datasets.*.html',
);
