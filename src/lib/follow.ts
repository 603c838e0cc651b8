// What happens from now on, for one who reads at his own pace. Rule: bounded; who does not read gets what waited for him, and is cut off.

const MAX_WAITING = 1000;

/**
 * `first`, then the values to come, until `signal` is aborted.
 * @param listen begins to tell them, and returns what stops it
 */
export async function* follow<T>(listen: (listener: (value: T) => void) => () => void, signal: AbortSignal, first: readonly T[] = []): AsyncGenerator<T> {
  const waiting: T[] = [...first];
  let isCutOff = false;
  let wake = (): void => undefined;
  const onAbort = (): void => wake();
  const stop = listen((value) => {
    if (isCutOff) return;
    waiting.push(value);
    isCutOff = waiting.length >= MAX_WAITING;
    if (isCutOff) stop();
    wake();
  });
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      const value = waiting.shift();
      if (value !== undefined) yield value;
      else if (isCutOff) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}
