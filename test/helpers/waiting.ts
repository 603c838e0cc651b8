// Waiting for what has no event of its own. Rule: in turns of the event loop, never for a length of time; the spec's own deadline ends it.

/** Resolves when something is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Resolves when a number has not changed for 200 turns. */
export async function quiet(measure: () => number): Promise<void> {
  for (let [turns, last] = [0, measure()]; turns < 200; turns = measure() === last ? turns + 1 : 0) {
    last = measure();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
