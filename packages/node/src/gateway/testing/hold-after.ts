import type { EngineHost } from '../../worker/engine-host.ts';

/** An engine that stops after `count` tokens until its run is ended from outside. */
export function holdAfter(count: number, engine: EngineHost, onHeld: () => void = () => undefined): EngineHost {
  return {
    ...engine,
    run: async (job, events, signal) => {
      const result = await engine.run({ ...job, maxTokens: count }, events, new AbortController().signal);
      onHeld();
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return { ...result, finish: 'stopped' };
    },
  };
}
