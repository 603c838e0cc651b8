// One thing at a time. Rule: work under one key runs in the order it was asked for; a failure does not stop what comes after.

/** Runs pieces of work one after another. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** One `Serial` per key; a key that is idle costs nothing lasting. */
export class SerialByKey<K> {
  readonly #queues = new Map<K, { serial: Serial; waiting: number }>();

  async run<T>(key: K, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? { serial: new Serial(), waiting: 0 };
    this.#queues.set(key, queue);
    queue.waiting += 1;
    try {
      return await queue.serial.run(work);
    } finally {
      queue.waiting -= 1;
      if (queue.waiting === 0) this.#queues.delete(key);
    }
  }
}
