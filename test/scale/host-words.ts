// What is said between a measurement and a process of several agents. Rule: one answer to each question, in order.

export type ToHost =
  /** Composes and starts one more agent. */
  | { readonly type: 'start'; readonly env: Readonly<Record<string, string>>; readonly distDir: string }
  | { readonly type: 'online' }
  | { readonly type: 'stop' };

export type FromHost =
  | { readonly type: 'ready' | 'started' | 'stopped' }
  /** Agents that are signed in, and peers that are there, over all agents. */
  | { readonly type: 'online'; readonly signedIn: number; readonly heard: number }
  | { readonly type: 'failed'; readonly why: string };
