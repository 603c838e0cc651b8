// The door's routes for looking on (docs/API.md). Rule: only what may be shown goes through; nothing is decided here.

import type { Routes } from '../control/server.ts';
import type { Agent } from './agent.ts';

export function makeLogRoutes({ parts }: Agent): Routes {
  return {
    'GET /stanzas': { kind: 'lines', answer: ({ signal }) => parts.stanzas.follow(signal) },
  };
}
