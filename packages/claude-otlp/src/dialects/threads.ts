import type { Overlay } from './overlay.ts';

/** Opik groups traces into threads by this key. */
export const OPIK: Overlay = {
  name: 'opik',
  put: ({ sessionId }, into) => into.put('thread_id', sessionId),
};

/** Weave's threads are made of turns, each a trace of its own. */
export const WEAVE: Overlay = {
  name: 'weave',
  put: (span, into) => {
    into.put('wandb.thread_id', span.sessionId);
    if (span.kind === 'agent' && span.role === 'main') into.put('wandb.is_turn', true);
  },
};
