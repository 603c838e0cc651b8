// Amounts, times and columns as people read them. Rule: short, and always the same form for the same thing.

import { clean } from '../lib/steering.ts';
import { columns } from './cells-format.ts';

/** Rows in columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  return columns(rows.map((row) => row.map(clean))).map((row) => row.join('').trimEnd());
}

/** Bytes for people: `0 B`, `812 B`, `1.4 kB`, `12 MB`, in thousands. */
export function formatBytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  // What would be rounded up to a thousand of one unit is one of the next.
  let [value, unit] = [count, 0];
  for (; Math.round(value) >= 1000 && unit < units.length - 1; unit += 1) value /= 1000;
  return `${unit > 0 && Math.round(value * 10) < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `12.0 of 26.4 MB`: both in the unit of the whole. */
export function formatShare(bytes: number, total: number): string {
  const [, unit = 'B'] = formatBytes(total).split(' ');
  const scale = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit] ?? 1;
  const digits = scale === 1 ? 0 : 1;
  return `${(bytes / scale).toFixed(digits)} of ${(total / scale).toFixed(digits)} ${unit}`;
}

/** What is left of something: `3 s`, `2 min 10 s`, `1 h 5 min`, `3 d`. */
export function formatLeft(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 10) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.round(hours / 24)} d`;
}

/** A time of day, or a date when it was not today. */
export function formatTime(at: number, now: number): string {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date(now).toDateString();
  const time = `${String(then.getHours()).padStart(2, '0')}:${String(then.getMinutes()).padStart(2, '0')}`;
  return isToday ? time : `${then.getFullYear()}-${String(then.getMonth() + 1).padStart(2, '0')}-${String(then.getDate()).padStart(2, '0')} ${time}`;
}

/** `2 commits`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
