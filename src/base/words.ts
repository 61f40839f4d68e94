/** Numbers as people read them. */

/** `62,006`; not by `toLocaleString`, which loads the tables of all languages first: 20 ms. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Four significant digits, as losses and learning rates are read. */
export function decimal(value: number | undefined): string {
  if (value === undefined) return '-';
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6)) {
    return value.toExponential(3);
  }
  return String(Number(value.toPrecision(4)));
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(1)}%`;
}

/** A metric by its name: those in [0, 1] as percentages. */
export function metricValue(key: string, value: string | number): string {
  if (typeof value === 'string') return value;
  return key.endsWith('accuracy') ? percent(value) : decimal(value);
}

/** `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 03 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** `1.5 MiB`. */
export function bytes(value: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${units[unit]}`;
}
