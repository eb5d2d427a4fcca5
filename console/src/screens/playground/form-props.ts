import type { Model } from '../../api/types.ts';
import type { Form } from './form.ts';

/** Changes of the form. Work that takes time computes them from the form at its end. */
export type Changes = Partial<Form> | ((form: Form) => Partial<Form>);

/** The form with what its parts need. */
export interface FormProps {
  readonly form: Form;
  readonly change: (changes: Changes) => void;
  /** The chosen model; undefined while the catalogue loads. */
  readonly model: Model | undefined;
  /** Faults of fields by pointer. */
  readonly errors: ReadonlyMap<string, string>;
}
