import type { ImageJob } from '../../api/types.ts';

/** A job that another one came from. */
export interface Ancestor {
  readonly id: string;
  readonly role: 'parent' | 'input';
  /** Index of the image that is an input. */
  readonly index?: number;
}

/** Returns the jobs whose images are inputs of a job, and its parent, each once. */
export function ancestorsOf({ inputs, parent_id }: Pick<ImageJob, 'inputs' | 'parent_id'>): Ancestor[] {
  const found = new Map<string, Ancestor>();
  for (const { source } of inputs) {
    const { image_id: id, index = 0 } = source;
    if (id !== undefined && !found.has(id)) found.set(id, { id, role: 'input', index });
  }
  if (parent_id !== null && !found.has(parent_id)) found.set(parent_id, { id: parent_id, role: 'parent' });
  return [...found.values()];
}
