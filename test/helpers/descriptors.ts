// Takes from a process what it could still open: files, connections, children. Rule: setrlimit(2) counts numbers of descriptors and not how many there
// are, so the numbers that are free below the limit are what is left.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Lets a process open `spare` descriptors more, and those that it starts as many in all. @returns what takes that back */
export function limitDescriptors(pid: number, spare: number): () => void {
  const [, soft = '1024'] = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let limit = 0;
  for (let free = 0; free < spare || open.has(limit); limit += 1) if (!open.has(limit)) free += 1;
  setLimit(pid, String(limit));
  return () => setLimit(pid, soft);
}

function setLimit(pid: number, soft: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`], { stdio: 'ignore' });
}
