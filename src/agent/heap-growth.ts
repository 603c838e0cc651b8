// How far the heap may grow before it is marked anew (docs/decisions/0037-room-for-the-heap.md). Rule: by about the same number of bytes, however much
// lives in it: a share of a small heap would be used up by a few megabytes that pass through, and the same share of a larger one takes memory for nothing.

import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';

/** What may come on top of what lives. Buffers lie outside of the heap and count against it all the same. */
const ROOM_BYTES = 36 << 20;
/** In percent of what lives. */
const LEAST = 50;
const MOST = 400;
/** What is young may take so much, both halves together; by itself it takes 32 MiB, and 128 with Node 24, where megabytes pass through as text. */
const YOUNG_BYTES = 16 << 20;
/** `NodeGCPerformanceDetail.kind` of a collection of the whole heap. */
const MAJOR = 4;

/** Percent by which a heap may grow in which so many bytes live. */
export function growthOf(liveBytes: number): number {
  return Math.round(Math.min(MOST, Math.max(LEAST, (100 * ROOM_BYTES) / liveBytes)));
}

/** Gives the heap of this process its room, now and after each collection of all of it. */
export function boundHeap(): void {
  const apply = (): void => setFlagsFromString(`--heap-growing-percent=${growthOf(getHeapStatistics().used_heap_size)}`);
  apply();
  let isYoungBound = false;
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some((entry) => 'detail' in entry && isMajor(entry.detail))) apply();
    if (isYoungBound || youngBytes() < YOUNG_BYTES) return;
    isYoungBound = true;
    // It doubles with each step; from now on by one.
    setFlagsFromString('--semi-space-growth-factor=1');
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** What is set aside for young objects. */
export function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

function isMajor(detail: unknown): boolean {
  return typeof detail === 'object' && detail !== null && 'kind' in detail && detail.kind === MAJOR;
}
