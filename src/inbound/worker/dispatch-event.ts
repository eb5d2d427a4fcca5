import type { Log, TaskHandler, TaskSubject } from '../../domain/ports.ts';

export interface DispatchEventDeps {
  dispatchEvent: (event: TaskSubject) => Promise<void>;
  log: Log;
}

/** Creates the handler of `dispatch_event`: writes the deliveries of an event. */
export function createDispatchEventHandler({ dispatchEvent, log }: DispatchEventDeps): TaskHandler {
  return async ({ tenant, id }) => {
    log.debug({ event_id: id, tenant }, 'event dispatch started');
    await dispatchEvent({ tenant, id });
    return { done: true };
  };
}
