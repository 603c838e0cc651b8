// What a benchmark has started, so that nothing of it is left behind. Rule: ended last first, each once, also after Ctrl-C.

const open: (() => Promise<void>)[] = [];

/** Notes how to end a thing that was just started. @returns ends it now */
export function ending(stop: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined;
  const once = (): Promise<void> => {
    ended ??= stop().finally(() => open.splice(open.indexOf(once), 1));
    return ended;
  };
  open.push(once);
  return once;
}

/** Waits for a thing that is being started, and ends it even when the end comes before it is up. @returns it, and what ends it now */
export async function started<T>(start: Promise<T>, stop: (thing: T) => Promise<void>): Promise<readonly [T, () => Promise<void>]> {
  const end = ending(() => start.then(stop, () => undefined));
  try {
    return [await start, end];
  } catch (error) {
    await end();
    throw error;
  }
}

/** Ends whatever still runs; one that cannot be ended does not keep the others. */
export async function endAll(): Promise<void> {
  for (let stop = open.at(-1); stop !== undefined; stop = open.at(-1)) await stop().catch(() => undefined);
}
