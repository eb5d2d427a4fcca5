import { useEffect, useState } from 'preact/hooks';
import { createSseParser } from '../../api/sse-parser.ts';
import type { ImageEvent } from '../../api/types.ts';
import { useEvents, useSession } from '../../lib/context.ts';

/** Silence after which the replay of a running job is complete. Its later events come from the stream of the tab. */
const quietMs = 500;

/** Returns the events of a job so far, oldest first, and adds those that follow. */
export function useJobEvents(id: string): readonly ImageEvent[] {
  const { api } = useSession();
  const [events, setEvents] = useState<readonly ImageEvent[]>([]);
  const add = (event: ImageEvent) => setEvents((before) => withEvent(before, event));
  useEvents(add, id);
  useEffect(() => {
    setEvents([]);
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const replay = async () => {
      const { body } = await api.open(`/images/${id}/events`, { signal: controller.signal });
      const parser = createSseParser(({ data }) => add(JSON.parse(data) as ImageEvent));
      const reader = (body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => controller.abort(), quietMs);
        parser.push(piece.value);
      }
    };
    replay().catch(() => undefined);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [api, id]);
  return events;
}

/** Adds an event unless it is known. The replay and the stream of the tab overlap. */
export function withEvent(events: readonly ImageEvent[], event: ImageEvent): readonly ImageEvent[] {
  const name = nameOf(event);
  if (events.some((each) => nameOf(each) === name)) return events;
  return [...events, event].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

const nameOf = ({ type, at, stage, image, partial_image }: ImageEvent): string =>
  [type, at, stage, image?.index, partial_image?.index, partial_image?.partial_image_index].join(' ');
