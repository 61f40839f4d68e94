/**
 * A line search for the strong Wolfe conditions: the step decreases the function enough, and the
 * slope there is flat enough. Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6.
 */

import type { Tensor } from '../core/tensor.ts';

/** The function at the step `t` along the direction. */
export interface Point {
  readonly t: number;
  readonly loss: number;
  readonly gradient: Tensor;
  /** The derivative along the direction. */
  readonly slope: number;
}

export interface SearchOptions {
  /** The largest magnitude in the direction. */
  readonly reach: number;
  /** How narrow an interval is worth no more evaluations. */
  readonly tolerance_change: number;
  readonly max_iterations: number;
}

/** Decrease and flatness that are enough, as PyTorch's. */
const DECREASE = 1e-4;
const FLATNESS = 0.9;

/** The best point found, and how often the function was evaluated. */
export function strongWolfe(
  evaluate: (t: number) => Point,
  start: Point,
  first: number,
  options: SearchOptions,
): { point: Point; evaluations: number } {
  return new Search(evaluate, start, options).run(first);
}

class Search {
  #evaluations = 0;
  #iterations = 0;

  constructor(
    readonly evaluate: (t: number) => Point,
    readonly start: Point,
    readonly options: SearchOptions,
  ) {}

  run(first: number): { point: Point; evaluations: number } {
    const bracket = this.#bracket(first);
    const point = bracket.length === 1 ? bracket[0] : this.#zoom(bracket);
    return { point, evaluations: this.#evaluations };
  }

  /** A point that satisfies the conditions, or two with one between them. */
  #bracket(first: number): [Point] | [Point, Point] {
    let before = this.start;
    let point = this.#at(first);
    while (this.#goesOn()) {
      const rises = this.#iterations > 1 && point.loss >= before.loss;
      if (this.#isTooHigh(point) || rises) return [before, point];
      if (this.#isFlat(point)) return [point];
      if (point.slope >= 0) return [before, point];
      const least = point.t + 0.01 * (point.t - before.t);
      const t = cubicMinimum(before, point, least, point.t * 10);
      before = point;
      point = this.#at(t);
      this.#iterations++;
    }
    return [this.start, point];
  }

  /** Narrows the interval between two points; gives the lower one. */
  #zoom(ends: [Point, Point]): Point {
    let low = lower(ends);
    let wasTooNear = false;
    while (this.#goesOn()) {
      const [left, right] = ends.map(({ t }) => t).sort((a, b) => a - b) as [number, number];
      if ((right - left) * this.options.reach < this.options.tolerance_change) break;
      let t = cubicMinimum(ends[0], ends[1], left, right);
      const margin = 0.1 * (right - left);
      const isTooNear = Math.min(right - t, t - left) < margin;
      const moves: boolean = isTooNear && (wasTooNear || t >= right || t <= left);
      wasTooNear = isTooNear && !moves;
      if (moves) t = Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin;
      const point = this.#at(t);
      this.#iterations++;
      if (this.#isTooHigh(point) || point.loss >= ends[low].loss) {
        ends[1 - low] = point;
        low = lower(ends);
        continue;
      }
      const isDone = this.#isFlat(point);
      const rises = point.slope * (ends[1 - low]!.t - ends[low].t) >= 0;
      if (!isDone && rises) ends[1 - low] = ends[low];
      ends[low] = point;
      if (isDone) break;
    }
    return ends[low];
  }

  #at(t: number): Point {
    this.#evaluations++;
    return this.evaluate(t);
  }

  #goesOn(): boolean {
    return this.#iterations < this.options.max_iterations;
  }

  #isTooHigh({ t, loss }: Point): boolean {
    return loss > this.start.loss + DECREASE * t * this.start.slope;
  }

  #isFlat({ slope }: Point): boolean {
    return Math.abs(slope) <= -FLATNESS * this.start.slope;
  }
}

/** The number of the end with the lower loss. */
function lower([a, b]: [Point, Point]): 0 | 1 {
  return a.loss <= b.loss ? 0 : 1;
}

/** Where the cubic through two points with their slopes is least, within [least, most]. */
function cubicMinimum(a: Point, b: Point, least: number, most: number): number {
  const chord = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const square = chord * chord - a.slope * b.slope;
  if (!(square >= 0)) return (least + most) / 2;
  const [left, right] = a.t <= b.t ? [a, b] : [b, a];
  const root = Math.sqrt(square);
  const part = (right.slope + root - chord) / (right.slope - left.slope + 2 * root);
  return Math.min(Math.max(right.t - (right.t - left.t) * part, least), most);
}
