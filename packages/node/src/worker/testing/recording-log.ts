import type { WorkerEvent, WorkerLog } from '../log.ts';

export interface RecordedEvent {
  readonly event: WorkerEvent;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps what is logged, and lets a test wait for an event. */
export class RecordingLog implements WorkerLog {
  readonly events: RecordedEvent[] = [];
  readonly #waiting = new Set<() => void>();
  readonly info = this.#write.bind(this);
  readonly warn = this.#write.bind(this);
  readonly error = this.#write.bind(this);

  of(event: WorkerEvent): RecordedEvent[] {
    return this.events.filter((entry) => entry.event === event);
  }

  /** Resolves with the `count`-th entry of this event. */
  async next(event: WorkerEvent, count = 1): Promise<RecordedEvent> {
    for (;;) {
      const found = this.of(event)[count - 1];
      if (found) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #write(event: WorkerEvent, fields: Readonly<Record<string, unknown>> = {}): void {
    this.events.push({ event, fields });
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
